"""Tags of the apps that must not be released: each is refused before anything is built, and the run says what to do."""

from __future__ import annotations

from rehearsal.scenario import mobile_apps, workflows
from rehearsal.scenario.assertions import expect
from rehearsal.scenario.steps import Scenario


def run(scenario: Scenario) -> None:
    scenario.disable_workflow(workflows.STAGING)
    mobile_apps.speed_up_providers(scenario)
    dev = scenario.user("dev-1")
    now = mobile_apps.version(dev)
    number = [int(part) for part in now.split(".")]
    the_tag_differs_from_the_app(scenario, f"{number[0]}.{number[1]}.{number[2] + 1}")
    the_commit_was_never_merged(scenario, f"{number[0]}.{number[1]}.{number[2] + 2}")
    credentials_expired_then_the_train_is_closed(scenario, now)


def the_tag_differs_from_the_app(scenario: Scenario, version: str) -> None:
    tag = f"mobile-v{version}"
    _is_refused(scenario, tag, f"the tag '{version}'", f"git tag mobile-v{_after(version)}")


def the_commit_was_never_merged(scenario: Scenario, version: str) -> None:
    dev = scenario.user("dev-1")
    dev.git("switch", "-q", "-c", "hurry")
    mobile_apps.write_version(dev, version)
    dev.git("commit", "-q", "-am", "fix: no time for a review")
    dev.command("git push -q origin hurry")
    _developers_cannot_push_the_tag(scenario, f"mobile-v{version}")
    _is_refused(scenario, f"mobile-v{version}", "is on none of main", "there is no check 'ci'", branch="hurry")


def _developers_cannot_push_the_tag(scenario: Scenario, tag: str) -> None:
    """Its run would use the workflow of that commit, with the secrets of the stores."""
    dev = scenario.user("dev-1")
    dev.git("tag", tag)
    result = dev.command(f"git push -q origin {tag}", ok=False)
    dev.git("tag", "-d", tag)
    dev.git("switch", "-q", "main")
    with scenario.then("a developer cannot push a tag of the apps"):
        expect("rule" in result.err.lower(), "GitHub refuses it by its rules", result.err)


def credentials_expired_then_the_train_is_closed(scenario: Scenario, version: str) -> None:
    """Both problems are reported at once, and the tag is good as soon as they are fixed."""
    tag = f"mobile-v{version}"
    scenario.world.provider_event("eas", "tokens", state="expired")
    scenario.world.provider_event("app-store", "agreements", missing=True)
    run = _is_refused(scenario, tag, "EAS does not accept the token", "an agreement with Apple", "re-run this job")
    scenario.world.provider_event("eas", "tokens", state="valid")
    scenario.world.provider_event("app-store", "agreements", missing=False)
    scenario.world.provider_event("app-store", "publish", version=version, number="1")
    scenario.rerun_failed_jobs(run)
    scenario.expect_conclusion(run, "failure")
    with scenario.then("a version that Apple approved already gets no more builds"):
        expect("closed the train" in scenario.failure_logs(run), "the run says it", scenario.failure_logs(run))
        mobile_apps.expect_nothing_built(scenario, run, tag)


def _is_refused(scenario: Scenario, tag: str, *why: str, branch: str = "main") -> int:
    run = mobile_apps.push_tag(scenario, tag, branch=branch)
    scenario.expect_conclusion(run, "failure")
    with scenario.then(f"{tag} is refused before a build: {why[0]}"):
        text = scenario.failure_logs(run)
        for each in why:
            expect(each in text, f"the run says {each!r}", text)
        mobile_apps.expect_nothing_built(scenario, run, tag)
    return run


def _after(version: str) -> str:
    first, second, third = version.split(".")
    return f"{first}.{second}.{int(third) + 1}"
