"""The apps are promoted from testers to every user: in steps at Google Play, in phases at Apple; crashes halt them, a person resumes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rehearsal.scenario import mobile_apps, workflows
from rehearsal.scenario.assertions import expect
from rehearsal.scenario.steps import Scenario

VERSION = "1.0.0"
"""Of the apps on main."""
ON_SALE = {"version": "0.9.0", "number": "40"}
"""At Apple, which phases updates alone. The number after it is none of Google Play's, so Sentry tells the two apps apart."""
PROMOTE = f"shipmate mobile promote --to production --version {VERSION}"
FIRST_DAY, PAUSED = "1 %, on sale, day 1 of 7", "1 %, on sale, paused"


def run(scenario: Scenario) -> None:
    mobile_apps.speed_up_providers(scenario)
    scenario.world.provider_event("app-store", "publish", **ON_SALE)
    scenario.expect_conclusion(mobile_apps.push_tag(scenario, f"mobile-v{VERSION}"), "success")
    promotion_is_approved(scenario)
    builds = rollout_starts(scenario)
    rollout_goes_on_without_crashes(scenario, builds)
    crashes_halt_the_rollout(scenario, builds["android"])
    resumed_and_completed_at_google_play(scenario, builds["android"])
    paused_and_completed_at_apple(scenario)


def promotion_is_approved(scenario: Scenario) -> None:
    run = scenario.dispatch(
        scenario.user("dev-1"), workflows.PROMOTE_APPS, to="production", version=VERSION, phased="true"
    )
    expect(scenario.wait_for_review(run) == [workflows.APPROVAL_ENVIRONMENT], "one approval is asked for")
    scenario.review(scenario.user("release-manager"), run, "approved", f"{VERSION} may go to the stores")
    scenario.expect_conclusion(run, "success")


def rollout_starts(scenario: Scenario) -> dict[str, str]:
    """Platform -> number of its build."""
    with scenario.then("both stores review it, and no user has it yet"):
        rows = in_production(scenario)
        found = {platform: row["review"] for platform, row in rows.items()}
        expect(found == {"android": "in review", "ios": "waiting"}, "it waits for reviews", found)
    with scenario.when("both stores approve it"):
        scenario.world.provider_event("google-play", "conclude_review", package=mobile_apps.PACKAGE, verdict="approve")
        scenario.world.provider_event("app-store", "decide", outcome="APPROVED")
    expect_rollout(scenario, android="5 %, rolling out", ios=FIRST_DAY)
    scenario.log.add("live", f"{VERSION} is with the first users", release=VERSION)
    return {platform: row["build"] for platform, row in rows.items()}


def rollout_goes_on_without_crashes(scenario: Scenario, builds: Mapping[str, str]) -> None:
    manager = scenario.user("release-manager")
    held = manager.command(f"{PROMOTE} --platform android --percent 20", ok=False)
    expect("stays with 5 %" in held.text and "held:" in held.text, "without numbers it is held", held.text)
    for build in builds.values():
        report_sessions(scenario, build, sessions=2_000, crashed=2)
    numbers = {"version_code": int(builds["android"]), "users": 1_000, "crashed": 2}
    scenario.world.provider_event("google-play", "observe", package=mobile_apps.PACKAGE, **numbers)
    manager.command(f"{PROMOTE} --platform android --percent 20")
    expect_rollout(scenario, android="20 %, rolling out", ios=FIRST_DAY)


def crashes_halt_the_rollout(scenario: Scenario, build: str) -> None:
    report_sessions(scenario, build, sessions=1_000, crashed=200)
    with scenario.when(f"the daily schedule starts {workflows.PROMOTE_APPS}"):
        run = scenario.world.trigger_schedule(workflows.PROMOTE_APPS)
    scenario.expect_conclusion(run, "failure")
    with scenario.then("the daily run says what it has halted, and why"):
        [watch] = [job for job in scenario.jobs(run).values() if job["conclusion"] != "skipped"]
        text = scenario.job_log(watch["id"])
        for part in ("does badly on android and was halted", "93.26 % of 3,000 sessions without a crash, 99.5 % are"):
            expect(part in text, f"it says {part!r}", text[-2500:])
    expect_rollout(scenario, android="20 %, halted", ios=FIRST_DAY)


def resumed_and_completed_at_google_play(scenario: Scenario, build: str) -> None:
    manager = scenario.user("release-manager")
    refused = manager.command(f"{PROMOTE} --platform android --percent 100", ok=False)
    expect("was halted at 20 %" in refused.text, "a halted rollout goes no further", refused.text)
    report_sessions(scenario, build, sessions=97_000, crashed=0)
    manager.command("shipmate mobile resume --platform android")
    manager.command(f"{PROMOTE} --platform android --percent 100")


def paused_and_completed_at_apple(scenario: Scenario) -> None:
    manager = scenario.user("release-manager")
    manager.command("shipmate mobile halt --platform ios")
    expect_rollout(scenario, android="100 %, released", ios=PAUSED)
    manager.command("shipmate mobile resume --platform ios")
    manager.command(f"{PROMOTE} --platform ios --percent 100")
    expect_rollout(scenario, android="100 %, released", ios="100 %, on sale")
    scenario.log.add("live", f"{VERSION} is with every user", release=VERSION)


def report_sessions(scenario: Scenario, build: str, *, sessions: int, crashed: int) -> None:
    """People use a build of the version, and their phones report it to Sentry."""
    with scenario.when(f"{sessions:,} sessions of the build {build} end, {crashed} of them by a crash"):
        release = f"{mobile_apps.PACKAGE}@{VERSION}+{build}"
        scenario.world.provider_event(
            "sentry", "use", project="mobile", release=release, sessions=sessions, crashed=crashed
        )


def expect_rollout(scenario: Scenario, **wanted: str) -> None:
    """Share and state of the version in each store."""
    with scenario.then("; ".join(f"{platform}: {text}" for platform, text in wanted.items())):
        found = {platform: f"{row['percent']}, {row['state']}" for platform, row in in_production(scenario).items()}
        expect(found == wanted, "both stores show it", found)


def in_production(scenario: Scenario) -> dict[str, dict[str, str]]:
    """Platform -> what `shipmate mobile status` says of the version there."""
    rows: list[dict[str, str]] = json.loads(scenario.observer.command("shipmate mobile status --json").out)
    found = {row["platform"]: row for row in rows if row["track"] == "production" and row["version"] == VERSION}
    expect(set(found) == {"android", "ios"}, f"both stores have {VERSION}", rows)
    return found
