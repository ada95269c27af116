"""A version of the apps: edited, reviewed, merged, tagged; built once for each platform, and with its testers on both stores."""

from __future__ import annotations

from rehearsal.scenario import mobile_apps, workflows
from rehearsal.scenario.assertions import expect
from rehearsal.scenario.steps import Scenario

VERSION = "1.0.1"
TAG = f"mobile-v{VERSION}"


def run(scenario: Scenario) -> None:
    scenario.disable_workflow(workflows.STAGING)  # it delivers the platform, not its apps
    dev, reviewer = scenario.user("dev-1"), scenario.user("dev-2")
    mobile_apps.write_version(dev, VERSION)
    mobile_apps.merge_to_main(scenario, dev, reviewer, "apps-1.0.1", "fix: let the apps find notes again")
    run = mobile_apps.push_tag(scenario, TAG)
    scenario.expect_conclusion(run, "success")
    scenario.log.add("live", f"{TAG} is with its testers", release=TAG)
    mobile_apps.expect_delivered_once(scenario, TAG)
    testers_are_notified(scenario, run)
    run_again_it_does_nothing(scenario, run)


def testers_are_notified(scenario: Scenario, run: int) -> None:
    with scenario.then("a notification says what it is, who made it, and where to install it"):
        sent = [message["text"] for message in scenario.world.notifications() if TAG in message["text"]]
        expect(sent, "a notification was sent")
        for part in (
            "is with its testers",
            "release-manager",
            "internal testing",
            "TestFlight",
            f"/actions/runs/{run}",
        ):
            expect(all(part in text for text in sent), f"the message says {part!r}", sent)
        notes = scenario.observer.api("GET", f"releases/tags/{TAG}")
        expect("sha256:" in notes["body"] and "let the apps find notes" in notes["body"], "the notes", notes["body"])


def run_again_it_does_nothing(scenario: Scenario, run: int) -> None:
    scenario.user("release-manager").api("POST", f"actions/runs/{run}/rerun")
    scenario.expect_conclusion(run, "success")
    started = {name for name, conclusion in scenario.job_conclusions(run).items() if conclusion == "success"}
    with scenario.then("run again, it finds everything done"):
        expect(started == {workflows.VERIFY}, "only Verify ran", started)
        mobile_apps.expect_delivered_once(scenario, TAG)
