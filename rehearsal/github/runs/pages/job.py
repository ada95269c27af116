"""One job: its steps and their logs, while it runs and afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response, StreamingResponse

from rehearsal.github.pages.context import PageContext
from rehearsal.github.pages.serving import Pages
from rehearsal.github.problems import not_found
from rehearsal.github.runs.pages import logs
from rehearsal.runner.model import Job, Run, Step

pages = Pages()

_LIVE = 1.0
_MOST_SEARCHED = 200
"""Characters of a text that is searched for."""
_SHORT = 50
"""Lines of a folded log that are sent along; of a longer one the page asks when it is unfolded."""


@pages.show("actions/runs/{run}/job/{job}")
async def job_page(context: PageContext) -> Response:
    run, job = _find(context)
    text = context.query("q")[:_MOST_SEARCHED]
    found = {step.number: logs.search(step, text) for step in job.steps} if text.strip() else None
    return context.page(
        "job.html",
        live=_LIVE if job.status != "completed" and found is None else 0,
        text=text,
        found=found,
        found_row=logs.found_row,
        run=run,
        job=job,
        siblings=run.latest_jobs() if not job.superseded else [one for one in run.jobs if one.attempt == job.attempt],
        steps=[_shown(job, step, context.request.query_params.getlist("show")) for step in job.steps],
        row=logs.row,
    )


@dataclass(frozen=True, kw_only=True)
class ShownStep:
    step: Step
    opened: bool
    log: logs.StepLog | None
    """None: too long to be sent before it is unfolded."""


def _shown(job: Job, step: Step, wanted: list[str]) -> ShownStep:
    opened = _opened(job, step) or str(step.number) in wanted
    read = logs.read(step) if opened or len(step.log) <= _SHORT else None
    return ShownStep(step=step, opened=opened, log=read)


def _opened(job: Job, step: Step) -> bool:
    """Shown unfolded: what runs, and what failed."""
    if step.conclusion == "failure":
        return True
    if step.status != "in_progress":
        return False
    return step.number > 1 or len(job.steps) <= 2


@pages.show("actions/runs/{run}/job/{job}/log")
async def whole_log(context: PageContext) -> Response:
    """Everything a job wrote as plain text; of one step with `?step=`."""
    _, job = _find(context)
    wanted = context.query("step")
    steps = [step for step in job.steps if not wanted or str(step.number) == wanted]
    return StreamingResponse(logs.whole(steps), media_type="text/plain; charset=utf-8")


def _find(context: PageContext) -> tuple[Run, Job]:
    run = context.instance.run(context.repository, context.number("run"))
    wanted = context.number("job")
    job = next((job for job in run.jobs if job.id == wanted), None)
    if job is None:
        raise not_found()
    return run, job
