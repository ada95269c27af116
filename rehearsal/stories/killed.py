"""The deploying process is killed at every write in turn, the whole job three times through act; a re-run finishes; nothing twice."""

from __future__ import annotations

from rehearsal.scenario import workflows
from rehearsal.scenario.assertions import eventually, expect
from rehearsal.scenario.job_kills import kill_job
from rehearsal.scenario.steps import Scenario
from rehearsal.scenario.user import RunningCommand

WRITES = "POST|PUT|PATCH|DELETE"
NOT_THE_APPS = r"^(?!/api/\d+/envelope/)"
"""Path of a write that is the deployment's: what the app reports to its error tracker while it is probed is not."""
HELD_SECONDS = 20
"""How long a write is held, for the kill to arrive."""
MOST_WRITES = 60
"""Limit of the story: a deployment has fewer."""
WRITE_SECONDS = 120
"""How long the next write, or the end of the command, may take."""


def run(scenario: Scenario) -> None:
    killed_at_every_write(scenario)
    killed_in_three_jobs(scenario)


def killed_at_every_write(scenario: Scenario) -> None:
    """`shipmate deploy` to staging, killed while its write number N is under way, N = 1, 2, … until one gets through.

    Odd writes are killed before their effect, even ones after it.
    """
    manager = scenario.user("release-manager")
    manager.update_main()
    kills = 0
    while kills < MOST_WRITES and _is_killed_and_finished(scenario, kills + 1):
        kills += 1
    with scenario.then(f"killed {kills} times, it finished, and nothing exists twice", killed=kills):
        expect(kills >= 6, "there were writes to be killed at", kills)
        again = manager.command(_deploy(kills + 1))
        expect("already" in again.out, "asked again for what is done, it says so", again.text[-500:])


def killed_in_three_jobs(scenario: Scenario) -> None:
    """The production run, its act process killed in three jobs; *Re-run failed jobs* finishes it."""
    version = scenario.next_version()
    scenario.tag(scenario.user("dev-1"), version)
    production = scenario.start_release(version)
    for job in (workflows.DEPLOY, workflows.GO_LIVE, workflows.PUBLISH):
        kill_job(scenario, production, job)
        scenario.wait_for_run(production)
        scenario.rerun_failed_jobs(production)
    scenario.expect_conclusion(production, "success")
    with scenario.then("the third re-run finished it, and nothing exists twice"):
        scenario.expect_live(version)
        scenario.expect_released_once(version)


def _is_killed_and_finished(scenario: Scenario, number: int) -> bool:
    """Deploy under a new name; kill it at write `number`; run it again. False when there was no such write."""
    manager = scenario.user("release-manager")
    fired = len(scenario.world.faults_fired())
    scenario.world.set_faults([_held_write(number)])
    with manager.start(_deploy(number)) as deployment:
        held = _holds_a_write(scenario, deployment, fired)
        if not held:
            result = deployment.wait()
            expect(result.code == 0, f"{_name(number)} went through", result.text[-1500:])
    scenario.world.clear_faults()
    if held:
        manager.command(_deploy(number))
    deployments = scenario.world.deployments_of(_name(number))
    expect(deployments["vercel"] == 1 and deployments["cloud-run"] <= 2, f"{_name(number)} exists once", deployments)
    return held


def _holds_a_write(scenario: Scenario, deployment: RunningCommand, fired: int) -> bool:
    """Whether a write is held, once one is or the command has ended."""

    def state() -> str | None:
        if len(scenario.world.faults_fired()) > fired:
            return "held"
        return None if deployment.process.poll() is None else "ended"

    return eventually(state, "a write or the end", seconds=WRITE_SECONDS, every=0.05) == "held"


def _held_write(number: int) -> dict[str, object]:
    return {
        "method": WRITES,
        "path": NOT_THE_APPS,
        "kind": "lose_answer" if number % 2 == 0 else "cut",
        "after": number - 1,
        "seconds": HELD_SECONDS,
    }


def _name(number: int) -> str:
    return f"kill-{number}"


def _deploy(number: int) -> str:
    return f"shipmate deploy --environment staging --release {_name(number)} --from-ledger staging"
