"""A power cut for one job: its act process is killed while its own work runs."""

from __future__ import annotations

from typing import Any

from rehearsal.scenario import workflows
from rehearsal.scenario.assertions import eventually, expect
from rehearsal.scenario.steps import Scenario

SECONDS = 180
"""How long it may take until the job runs."""


def kill_job(scenario: Scenario, run: int, name: str) -> None:
    """SIGKILL the act process of a job once the steps that prepare it are over."""
    eventually(lambda: _has_started(scenario, run, name), f"{name} to start", seconds=SECONDS, every=0.05)
    job = eventually(lambda: _working(scenario, run, name), f"{name} to be past its setup", seconds=SECONDS, every=0.05)
    killed = scenario.world.kill_act(job["id"])
    scenario.log.add("action", f"act of “{name}” is killed ({killed} processes)", user="a power cut")
    expect(killed, f"there was an act process of {name} to kill")


def _has_started(scenario: Scenario, run: int, name: str) -> bool:
    """Asked of the world: GitHub is asked only once there is something to see."""
    jobs = scenario.run_state(run)["jobs"]
    return any(job["name"] == name and job["conclusion"] == "in_progress" for job in jobs)


def _working(scenario: Scenario, run: int, name: str) -> dict[str, Any] | None:
    """The job, while a step of its own runs."""
    job = scenario.jobs(run).get(name)
    if job is None or job["status"] != "in_progress":
        return None
    running = [step["name"] for step in job["steps"] if step["status"] == "in_progress"]
    return job if any(not step.startswith(workflows.PREPARING_STEPS) for step in running) else None
