"""The apps go from their testers to everybody: by steps at Google Play, by Apple's phases; crashes halt them, and a person goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rehearsal.scenario import assertions as proof
from rehearsal.scenario import mobile_apps as apps
from rehearsal.scenario import workflows
from rehearsal.scenario.steps import Routine

VERSION = "1.0.0"
"""Of the apps on main."""
ON_SALE = {"version": "0.9.0", "number": "40"}
"""At Apple, which phases updates alone. The number after it is none of Google Play's, so Sentry tells the two apps apart."""
PROMOTE = f"shipmate mobile promote --to production --version {VERSION}"
FIRST_DAY, PAUSED = "1 %, on sale, day 1 of 7", "1 %, on sale, paused"


def tell(at: Routine) -> None:
    apps.quick(at)
    at.place.happens("app-store", "publish", **ON_SALE)
    at.must_end(apps.tagged(at, f"mobile-v{VERSION}"), "success")
    approved(at)
    builds = begins_with_few(at)
    more_get_what_does_well(at, builds)
    halted_by_itself(at, builds["android"])
    everybody_at_google_play(at, builds["android"])
    paused_and_completed_at_apple(at)


def approved(at: Routine) -> None:
    run = at.dispatch(at.person("dev-1"), workflows.PROMOTE_APPS, to="production", version=VERSION, phased="true")
    proof.that(at.waiting_for_review(run) == [workflows.APPROVAL_ENVIRONMENT], "one approval is asked for")
    at.review(at.person("release-manager"), run, "approved", f"{VERSION} may go to the stores")
    at.must_end(run, "success")


def begins_with_few(at: Routine) -> dict[str, str]:
    """Platform -> number of its build."""
    with at.diary.during("proof", "both stores review it, and nobody has it yet"):
        rows = in_production(at)
        found = {platform: row["review"] for platform, row in rows.items()}
        proof.that(found == {"android": "in review", "ios": "waiting"}, "it waits for reviews", found)
    with at.diary.during("act", "both stores let it pass"):
        at.place.happens("google-play", "conclude_review", package=apps.PACKAGE, verdict="approve")
        at.place.happens("app-store", "decide", outcome="APPROVED")
    stands(at, android="5 %, rolling out", ios=FIRST_DAY)
    at.diary.note("live", f"{VERSION} is with the first people", release=VERSION)
    return {platform: row["build"] for platform, row in rows.items()}


def more_get_what_does_well(at: Routine, builds: Mapping[str, str]) -> None:
    manager = at.person("release-manager")
    held = manager.types(f"{PROMOTE} --platform android --percent 20", ok=False)
    proof.that("stays with 5 %" in held.text and "held:" in held.text, "without numbers it is held", held.text)
    for build in builds.values():
        used(at, build, sessions=2_000, crashed=2)
    numbers = {"version_code": int(builds["android"]), "users": 1_000, "crashed": 2}
    at.place.happens("google-play", "observe", package=apps.PACKAGE, **numbers)
    manager.types(f"{PROMOTE} --platform android --percent 20")
    stands(at, android="20 %, rolling out", ios=FIRST_DAY)


def halted_by_itself(at: Routine, build: str) -> None:
    used(at, build, sessions=1_000, crashed=200)
    with at.diary.during("act", f"it is time for {workflows.PROMOTE_APPS}, as every day"):
        run = at.place.comes_due(workflows.PROMOTE_APPS)
    at.must_end(run, "failure")
    with at.diary.during("proof", "the daily run says what it has halted, and why"):
        [watch] = [job for job in at.jobs(run).values() if job["conclusion"] != "skipped"]
        said = str(at.observer.api("GET", f"actions/jobs/{watch['id']}/logs"))
        for part in ("does badly on android and was halted", "93.26 % of 3,000 sessions without a crash, 99.5 % are"):
            proof.that(part in said, f"it says {part!r}", said[-2500:])
    stands(at, android="20 %, halted", ios=FIRST_DAY)


def everybody_at_google_play(at: Routine, build: str) -> None:
    manager = at.person("release-manager")
    refused = manager.types(f"{PROMOTE} --platform android --percent 100", ok=False)
    proof.that("was halted at 20 %" in refused.text, "nobody else gets what is halted", refused.text)
    used(at, build, sessions=97_000, crashed=0)
    manager.types("shipmate mobile resume --platform android")
    manager.types(f"{PROMOTE} --platform android --percent 100")


def paused_and_completed_at_apple(at: Routine) -> None:
    manager = at.person("release-manager")
    manager.types("shipmate mobile halt --platform ios")
    stands(at, android="100 %, released", ios=PAUSED)
    manager.types("shipmate mobile resume --platform ios")
    manager.types(f"{PROMOTE} --platform ios --percent 100")
    stands(at, android="100 %, released", ios="100 %, on sale")
    at.diary.note("live", f"{VERSION} is with everybody", release=VERSION)


def used(at: Routine, build: str, *, sessions: int, crashed: int) -> None:
    """People use a build of the version, and their phones report it to Sentry."""
    with at.diary.during("act", f"{sessions:,} sessions of the build {build} end, {crashed} of them by a crash"):
        release = f"{apps.PACKAGE}@{VERSION}+{build}"
        at.place.happens("sentry", "use", project="mobile", release=release, sessions=sessions, crashed=crashed)


def stands(at: Routine, **wanted: str) -> None:
    """Share and state of the version in each store."""
    with at.diary.during("proof", "; ".join(f"{platform}: {text}" for platform, text in wanted.items())):
        found = {platform: f"{row['percent']}, {row['state']}" for platform, row in in_production(at).items()}
        proof.that(found == wanted, "the stores have it so", found)


def in_production(at: Routine) -> dict[str, dict[str, str]]:
    """Platform -> what `shipmate mobile status` says of the version there."""
    rows: list[dict[str, str]] = json.loads(at.observer.types("shipmate mobile status --json").out)
    found = {row["platform"]: row for row in rows if row["track"] == "production" and row["version"] == VERSION}
    proof.that(set(found) == {"android", "ios"}, f"both stores have {VERSION}", rows)
    return found
