"""A rollback while a release goes live stops it, and it is not published. Nothing starts while the environment is frozen."""

from __future__ import annotations

from rehearsal.scenario import workflows
from rehearsal.scenario.assertions import eventually, expect
from rehearsal.scenario.steps import Scenario


def run(scenario: Scenario) -> None:
    is_stopped_by_a_rollback(scenario)
    does_not_start_while_frozen(scenario)


def is_stopped_by_a_rollback(scenario: Scenario) -> None:
    """At its first share of the traffic."""
    before, version = scenario.public_releases("production"), scenario.next_version()
    scenario.tag(scenario.user("dev-1"), version)
    with scenario.user_traffic() as users:
        run = scenario.start_release(version)
        eventually(
            lambda: version if version in users.releases("backend") else None,
            f"users to see {version}",
            seconds=180,
            every=0.05,
        )
        result = scenario.user("on-call").command("shipmate rollback --environment production")
        scenario.expect_conclusion(run, "failure")
    with scenario.then(f"{version} was stopped, and stays so"):
        expect(f"stop the delivery of {version}" in result.text, "the command says what it stops", result.text[-800:])
        live = scenario.public_releases("production")
        expect(live == before, "users have the release they had", live)
        jobs = scenario.job_conclusions(run)
        expect(jobs[workflows.GO_LIVE] == "failure", "going live ended there", jobs)
        expect(jobs[workflows.PUBLISH] == "skipped", "nothing was published", jobs)
        scenario.expect_unpublished(version)
        expect(not users.failures(), "no user saw a failed request", users.failures()[:3])


def does_not_start_while_frozen(scenario: Scenario) -> None:
    """A plan is refused, and a rollback is not."""
    on_call = scenario.user("on-call")
    on_call.command("shipmate freeze --environment production --reason 'the sale until Monday'")
    version = scenario.next_version()
    scenario.tag(scenario.user("dev-1"), version)
    run = scenario.dispatch(scenario.user("dev-1"), workflows.PRODUCTION, version=version)
    scenario.expect_conclusion(run, "failure")
    with scenario.then("nothing starts in a frozen environment"):
        jobs = scenario.job_conclusions(run)
        expect(jobs[workflows.PLAN] == "failure", "the plan was refused", jobs)
    on_call.command("shipmate thaw --environment production")
