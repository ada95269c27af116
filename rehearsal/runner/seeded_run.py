"""Jobs of a run that a world is seeded with: they ended before it started."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rehearsal.runner.model import Job, Run, Step
from rehearsal.runner.workflow import Workflow

NOTICE = "This run is seeded: the world started with it, and nothing of it was carried out in this rehearsal."


def jobs(run: Run, workflow: Workflow, matrix_names: Sequence[str], new_id: Callable[[], int]) -> list[Job]:
    """One for each job of the file, all of them successful; of a matrix one for each name in `matrix_names`."""
    found = []
    for key, spec in workflow.jobs.items():
        names = matrix_names if spec.strategy.get("matrix") else [str(spec.raw.get("name") or key)]
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
        log=[f"{at:%Y-%m-%dT%H:%M:%S.%f}0Z {NOTICE}"],
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
