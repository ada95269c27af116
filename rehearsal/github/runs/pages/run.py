"""One run: its jobs, what they say, what it waits for, and what people may do with it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from rehearsal.github.pages.context import Visit
from rehearsal.github.pages.serving import Pages
from rehearsal.github.problems import Problem, conflict, not_found
from rehearsal.github.runs.pages import approvals, graph, workflow_list
from rehearsal.github.runs.pages.run_list import LIVE
from rehearsal.github.runs.rest.runs import jobs_of_attempt
from rehearsal.github.runs.service import archives
from rehearsal.runner import workflow as files
from rehearsal.runner.model import Annotation, Job, Run

pages = Pages()

_PAGE = "actions/runs/{run}"
_EXITED = "Process completed with exit code"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A run as it was, or is, in one attempt."""

    number: int
    jobs: list[Job]
    status: str
    conclusion: str | None

    def annotations(self) -> list[tuple[Job, Annotation]]:
        """Failures first; that a process ended with an exit code says least, and comes after what says why."""
        order = {"failure": 0, "warning": 1}
        found = [(job, one) for job in self.jobs for one in job.annotations]
        return sorted(found, key=lambda pair: (order.get(pair[1].level, 2), pair[1].message.startswith(_EXITED)))

    @property
    def failed(self) -> bool:
        return any(job.conclusion not in ("success", "skipped", None) for job in self.jobs)


@pages.show(_PAGE)
async def run_page(visit: Visit) -> Response:
    run = visit.service.run(visit.repository, visit.number("run"))
    return await _page(visit, run, run.attempt)


@pages.show("actions/runs/{run}/attempts/{attempt}")
async def attempt_page(visit: Visit) -> Response:
    run, number = visit.service.run(visit.repository, visit.number("run")), visit.number("attempt")
    if not 1 <= number <= run.attempt:
        raise not_found()
    return await _page(visit, run, number)


async def _page(visit: Visit, run: Run, number: int) -> Response:
    workflow = await _workflow(visit, run)
    attempt = attempt_of(run, number)  # from here on nothing is awaited: the page shows one moment
    latest = number == run.attempt
    return visit.page(
        "run.html",
        live=LIVE if run.status != "completed" else 0,
        run=run,
        attempt=attempt,
        latest=latest,
        drawing=graph.draw(graph.nodes(attempt.jobs, workflow if run.status != "completed" else None)),
        asked=approvals.asked(visit.repository, run, visit.runner, visit.identity.login) if latest else [],
        summaries=[(job, job.summary()) for job in attempt.jobs if job.summary()],
        pull=_pull(visit, run),
        writes=visit.may("actions:write"),
        signed_in=visit.identity.user is not None,
        inputs=run.event.payload.get("inputs") if run.event.name == "workflow_dispatch" else None,
    )


def attempt_of(run: Run, number: int) -> Attempt:
    """Raises Problem 404 when there was no such attempt."""
    if number == run.attempt:
        return Attempt(number=number, jobs=run.latest_jobs(), status=run.status, conclusion=run.conclusion)
    jobs = jobs_of_attempt(run, number)
    worst = next((job.conclusion for job in jobs if job.conclusion not in ("success", "skipped")), "success")
    return Attempt(number=number, jobs=jobs, status="completed", conclusion=worst)


async def _workflow(visit: Visit, run: Run) -> files.Workflow | None:
    """The file of a run, for the jobs that are still to come; None when it cannot be read any more."""
    if run.status == "completed":
        return None
    text = (await workflow_list.texts_at(visit, run.event.sha)).get(run.workflow_path)
    try:
        return None if text is None else files.parse(run.workflow_path, text)
    except files.WorkflowError:
        return None


def _pull(visit: Visit, run: Run) -> int | None:
    number = (run.event.payload.get("pull_request") or {}).get("number")
    return number if number in visit.repository.pulls else None


@pages.take("actions/runs/{run}/review", "deployments:write", role="read", back=_PAGE)
async def review(visit: Visit) -> Response:
    """Approve or reject what waits. The runner refuses who may not."""
    run = visit.service.run(visit.repository, visit.number("run"))
    state, chosen = visit.form.text("state"), visit.form.all("environment")
    if not chosen:
        raise Problem(422, "Choose at least one environment to review.")
    await visit.runner.review(run.id, chosen, state, visit.identity.login, visit.form.text("comment").strip())
    visit.tell("good", f"{'Approved' if state == 'approved' else 'Rejected'}: {', '.join(chosen)}.")
    return visit.go(f"{visit.home}/actions/runs/{run.id}")


@pages.take("actions/runs/{run}/cancel", "actions:write", back=_PAGE)
async def cancel(visit: Visit) -> Response:
    run = visit.service.run(visit.repository, visit.number("run"))
    if run.status == "completed":
        raise conflict("This run is completed: there is nothing to cancel.")
    await visit.runner.cancel(run.id)
    visit.tell("good", "The run is being cancelled.")
    return visit.go(f"{visit.home}/actions/runs/{run.id}")


@pages.take("actions/runs/{run}/rerun", "actions:write", back=_PAGE)
async def rerun(visit: Visit) -> Response:
    run = visit.service.run(visit.repository, visit.number("run"))
    if run.status != "completed":
        raise conflict("This run is still going: it can be run again once it is completed.")
    await visit.runner.rerun(run.id, failed_only=visit.form.text("jobs") == "failed", actor=visit.identity.login)
    return visit.go(f"{visit.home}/actions/runs/{run.id}")


@pages.show("actions/runs/{run}/artifacts/{artifact}")
async def artifact(visit: Visit) -> Response:
    """The files of an artifact as a zip."""
    run = visit.service.run(visit.repository, visit.number("run"))
    found = next((one for one in run.artifacts if one.id == visit.number("artifact")), None)
    if found is None:
        raise not_found()
    content = await asyncio.to_thread(archives.artifact_zip, found)
    name = archives.file_name(found.name).encode("ascii", "replace").decode().replace('"', "_") or "artifact"
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    return Response(content, media_type="application/zip", headers=headers)


@pages.show("actions/runs/{run}/logs")
async def logs(visit: Visit) -> Response:
    """All logs of a run as a zip, as far as it has come."""
    run = visit.service.run(visit.repository, visit.number("run"))
    return RedirectResponse(archives.address(visit.service, "run-logs", f"{run.id}/{run.attempt}"), 302)
