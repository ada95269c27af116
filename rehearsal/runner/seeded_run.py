"""Jobs of a run that ended before the scene begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rehearsal.runner.model import Job, Run, Step
from rehearsal.runner.workflow import Workflow

TOLD = "This run is history: it is part of the scene that was set, and nothing of it was carried out in this rehearsal."


def jobs(run: Run, workflow: Workflow, legs: Sequence[str], new_id: Callable[[], int]) -> list[Job]:
    """One for each job of the file, all of them successful; of a matrix one for each name in `legs`."""
    found = []
    for key, spec in workflow.jobs.items():
        names = legs if spec.strategy.get("matrix") else [str(spec.raw.get("name") or key)]
        found += [_job(run, key, name, spec.needs, new_id()) for name in names]
    return found


def _job(run: Run, key: str, name: str, needs: Sequence[str], number: int) -> Job:
    at = run.created_at
    step = Step(
        number=1,
        name="Set up job",
        status="completed",
        conclusion="success",
        started_at=at,
        completed_at=at,
        log=[f"{at:%Y-%m-%dT%H:%M:%S.%f}0Z {TOLD}"],
    )
    return Job(
        id=number,
        check_run_id=number,
        run_id=run.id,
        attempt=run.attempt,
        key=key,
        name=name,
        needs=list(needs),
        status="completed",
        conclusion="success",
        steps=[step],
        created_at=at,
        started_at=at,
        completed_at=at,
    )
