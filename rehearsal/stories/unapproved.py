"""The dispatcher cannot approve; a rejection stops everything."""

from __future__ import annotations

from rehearsal.scenario import workflows
from rehearsal.scenario.assertions import expect
from rehearsal.scenario.steps import Scenario


def run(scenario: Scenario) -> None:
    before = scenario.public_releases("production")
    manager = scenario.user("release-manager")
    dev = scenario.user("dev-1")
    version = scenario.next_version()
    dev.update_main()
    scenario.tag(dev, version)
    run = scenario.dispatch(manager, workflows.PRODUCTION, version=version)
    scenario.wait_for_review(run)
    with scenario.then("who started it cannot approve it, nor can a developer"):
        scenario.review(manager, run, "approved", "my own", ok=(403, 422))
        scenario.review(dev, run, "approved", "not on the list", ok=(403, 422))
        expect(scenario.wait_for_review(run) == [workflows.APPROVAL_ENVIRONMENT], "it still waits")
    scenario.review(scenario.user("on-call"), run, "rejected", "not on a Friday")
    scenario.expect_conclusion(run, "failure")
    with scenario.then("nothing was deployed, nothing released"):
        # The jobs of a matrix that never started are shown as one, under the name that the file gives them.
        ended = scenario.job_conclusions(run)
        deploying = {
            name: done for name, done in ended.items() if name.startswith("Deploy") or name == workflows.GO_LIVE
        }
        expect(deploying and set(deploying.values()) == {"skipped"}, "no deploying job ran", ended)
        expect(scenario.public_releases("production") == before, "users have what they had")
        scenario.expect_unpublished(version)
    dev.command(f"git push -q origin :refs/tags/{version}", ok=None)
