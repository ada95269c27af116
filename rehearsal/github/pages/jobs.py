"""One job: its steps and their logs, while it runs and afterwards."""

from __future__ import annotations

from starlette.responses import Response, StreamingResponse

from rehearsal.github.pages import logs
from rehearsal.github.pages.serving import Pages
from rehearsal.github.pages.visit import Visit
from rehearsal.github.problems import not_found
from rehearsal.runner.model import Job, Run, Step

pages = Pages()

_LIVE = 1.0


@pages.show("actions/runs/{run}/job/{job}")
async def job_page(visit: Visit) -> Response:
    run, job = _find(visit)
    return visit.page(
        "job.html",
        live=_LIVE if job.status != "completed" else 0,
        run=run,
        job=job,
        siblings=run.latest_jobs() if not job.superseded else [one for one in run.jobs if one.attempt == job.attempt],
        steps=[(step, logs.read(step), _opened(job, step)) for step in job.steps],
        check=visit.repository.check_runs.get(job.check_run_id or job.id),
    )


def _opened(job: Job, step: Step) -> bool:
    """What somebody wants to see at once: what runs, and what failed."""
    if step.conclusion == "failure":
        return True
    if step.status != "in_progress":
        return False
    return step.number > 1 or len(job.steps) <= 2


@pages.show("actions/runs/{run}/job/{job}/log")
async def whole_log(visit: Visit) -> Response:
    """Everything a job wrote as plain text; of one step with `?step=`."""
    _, job = _find(visit)
    wanted = visit.query("step")
    steps = [step for step in job.steps if not wanted or str(step.number) == wanted]
    return StreamingResponse(logs.whole(steps), media_type="text/plain; charset=utf-8")


def _find(visit: Visit) -> tuple[Run, Job]:
    run = visit.service.run(visit.repository, visit.number("run"))
    wanted = visit.number("job")
    job = next((job for job in run.jobs if job.id == wanted), None)
    if job is None:
        raise not_found()
    return run, job
