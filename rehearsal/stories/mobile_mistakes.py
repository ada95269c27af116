"""Tags of the apps that must not be released: each is stopped before anything is built, and the run says what to do."""

from __future__ import annotations

from rehearsal.scenario import assertions as proof
from rehearsal.scenario import mobile_apps as apps
from rehearsal.scenario import workflows
from rehearsal.scenario.steps import Routine


def tell(at: Routine) -> None:
    at.observer.api("PUT", f"actions/workflows/{workflows.STAGING}/disable")
    apps.quick(at)
    dev = at.person("dev-1")
    now = apps.version(dev)
    number = [int(part) for part in now.split(".")]
    another_version_than_the_app_has(at, f"{number[0]}.{number[1]}.{number[2] + 1}")
    a_commit_that_was_never_merged(at, f"{number[0]}.{number[1]}.{number[2] + 2}")
    credentials_that_expired_and_a_train_that_is_closed(at, now)


def another_version_than_the_app_has(at: Routine, version: str) -> None:
    tag = f"mobile-v{version}"
    _is_refused(at, tag, f"the tag '{version}'", f"git tag mobile-v{_after(version)}")


def a_commit_that_was_never_merged(at: Routine, version: str) -> None:
    dev = at.person("dev-1")
    dev.git("switch", "-q", "-c", "hurry")
    apps.writes_version(dev, version)
    dev.git("commit", "-q", "-am", "fix: no time for a review")
    dev.types("git push -q origin hurry")
    _cannot_be_tagged_by_who_writes(at, f"mobile-v{version}")
    _is_refused(at, f"mobile-v{version}", "is on none of main", "there is no check 'ci'", branch="hurry")


def _cannot_be_tagged_by_who_writes(at: Routine, tag: str) -> None:
    """Its workflow would be the one of that commit, beside the secrets of the stores."""
    dev = at.person("dev-1")
    dev.git("tag", tag)
    said = dev.types(f"git push -q origin {tag}", ok=False)
    dev.git("tag", "-d", tag)
    dev.git("switch", "-q", "main")
    with at.diary.during("proof", "who may only write cannot make a tag of the apps"):
        proof.that("rule" in said.err.lower(), "GitHub refuses it by its rules", said.err)


def credentials_that_expired_and_a_train_that_is_closed(at: Routine, version: str) -> None:
    """Both are told at once, and the tag is good as soon as they are mended."""
    tag = f"mobile-v{version}"
    at.place.happens("eas", "tokens", state="expired")
    at.place.happens("app-store", "agreements", missing=True)
    run = _is_refused(at, tag, "EAS does not accept the token", "an agreement with Apple", "re-run this job")
    at.place.happens("eas", "tokens", state="valid")
    at.place.happens("app-store", "agreements", missing=False)
    at.place.happens("app-store", "publish", version=version, number="1")
    at.person("release-manager").api("POST", f"actions/runs/{run}/rerun-failed-jobs")
    at.must_end(run, "failure")
    with at.diary.during("proof", "a version that Apple approved already gets no more builds"):
        proof.that("closed the train" in at.trouble(run), "the run says it", at.trouble(run))
        apps.nothing_was_built(at, run, tag)


def _is_refused(at: Routine, tag: str, *why: str, branch: str = "main") -> int:
    run = apps.tagged(at, tag, branch=branch)
    at.must_end(run, "failure")
    with at.diary.during("proof", f"{tag} is refused before a build: {why[0]}"):
        said = at.trouble(run)
        for each in why:
            proof.that(each in said, f"the run says {each!r}", said)
        apps.nothing_was_built(at, run, tag)
    return run


def _after(version: str) -> str:
    first, second, third = version.split(".")
    return f"{first}.{second}.{int(third) + 1}"
