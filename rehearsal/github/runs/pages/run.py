"""One run: its jobs, what they say, what it waits for, and what a user may do with it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from rehearsal.github.environments.rules import check_bypass
from rehearsal.github.pages.context import PageContext
from rehearsal.github.pages.serving import Pages
from rehearsal.github.problems import Problem, not_found
from rehearsal.github.rest import download_links
from rehearsal.github.runs.pages import approvals, graph, workflow_list
from rehearsal.github.runs.pages.run_list import LIVE
from rehearsal.github.runs.rules import check_cancel, check_download, check_rerun, too_old_to_rerun
from rehearsal.github.runs.service import archives
from rehearsal.github.runs.service.runs import jobs_of_attempt
from rehearsal.runner import workflow as files
from rehearsal.runner.model import Annotation, Job, Run

pages = Pages()

_PAGE = "actions/runs/{run}"
_EXITED = "Process completed with exit code"


@dataclass(frozen=True, kw_only=True)
class ShownAttempt:
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
async def run_page(context: PageContext) -> Response:
    run = context.instance.run(context.repository, context.number("run"))
    return await _page(context, run, run.attempt)


@pages.show("actions/runs/{run}/attempts/{attempt}")
async def attempt_page(context: PageContext) -> Response:
    run, number = context.instance.run(context.repository, context.number("run")), context.number("attempt")
    if not 1 <= number <= run.attempt:
        raise not_found()
    return await _page(context, run, number)


async def _page(context: PageContext, run: Run, number: int) -> Response:
    workflow = await _workflow(context, run)
    attempt = attempt_of(run, number)  # from here on nothing is awaited: the page shows one moment
    latest = number == run.attempt
    return context.page(
        "run.html",
        live=LIVE if run.status != "completed" else 0,
        run=run,
        attempt=attempt,
        latest=latest,
        drawing=graph.draw(graph.nodes(attempt.jobs, workflow if run.status != "completed" else None)),
        pending=approvals.pending(
            context.repository,
            run,
            context.runner,
            context.identity.login,
            admin=context.may("actions:write", role="admin"),
        )
        if latest
        else [],
        summaries=[(job, job.summary()) for job in attempt.jobs if job.summary()],
        pull=_pull(context, run),
        writes=context.may("actions:write"),
        reruns=not too_old_to_rerun(run, context.instance.now()),
        signed_in=context.identity.user is not None,
        inputs=run.event.payload.get("inputs") if run.event.name == "workflow_dispatch" else None,
    )


def attempt_of(run: Run, number: int) -> ShownAttempt:
    """Raises Problem 404 when there was no such attempt."""
    if number == run.attempt:
        return ShownAttempt(number=number, jobs=run.latest_jobs(), status=run.status, conclusion=run.conclusion)
    jobs = jobs_of_attempt(run, number)
    worst = next((job.conclusion for job in jobs if job.conclusion not in ("success", "skipped")), "success")
    return ShownAttempt(number=number, jobs=jobs, status="completed", conclusion=worst)


async def _workflow(context: PageContext, run: Run) -> files.Workflow | None:
    """The file of a run, for the jobs that are still to come; None when it cannot be read any more."""
    if run.status == "completed":
        return None
    text = (await workflow_list.texts_at(context, run.event.sha)).get(run.workflow_path)
    try:
        return None if text is None else files.parse(run.workflow_path, text)
    except files.WorkflowError:
        return None


def _pull(context: PageContext, run: Run) -> int | None:
    number = (run.event.payload.get("pull_request") or {}).get("number")
    return number if number in context.repository.pulls else None


@pages.take("actions/runs/{run}/review", "deployments:write", role="read", back=_PAGE)
async def review(context: PageContext) -> Response:
    """Approve or reject what waits. The runner refuses who may not."""
    run = context.instance.run(context.repository, context.number("run"))
    state, chosen = context.form.text("state"), context.form.all("environment")
    if not chosen:
        raise Problem(422, "Choose at least one environment to review.")
    await context.runner.review(run.id, chosen, state, context.identity.login, context.form.text("comment").strip())
    context.add_notice("good", f"{'Approved' if state == 'approved' else 'Rejected'}: {', '.join(chosen)}.")
    return context.go(f"{context.home}/actions/runs/{run.id}")


@pages.take("actions/runs/{run}/bypass", "actions:write", role="admin", back=_PAGE)
async def bypass(context: PageContext) -> Response:
    """*Start all waiting jobs*: an administrator lets go what waits for a review or a timer. GitHub has it on this page alone."""
    run = context.instance.run(context.repository, context.number("run"))
    chosen = context.form.all("environment")
    if not chosen:
        raise Problem(422, "Choose at least one environment to bypass.")
    for name in chosen:
        check_bypass(context.repository.environment(name))
    await context.runner.bypass(run.id, chosen, context.identity.login, context.form.text("comment").strip())
    context.add_notice("good", f"Started without a review: {', '.join(chosen)}.")
    return context.go(f"{context.home}/actions/runs/{run.id}")


@pages.take("actions/runs/{run}/cancel", "actions:write", back=_PAGE)
async def cancel(context: PageContext) -> Response:
    run = context.instance.run(context.repository, context.number("run"))
    check_cancel(run)
    await context.runner.cancel(run.id)
    context.add_notice("good", "Cancelling the run was requested.")
    return context.go(f"{context.home}/actions/runs/{run.id}")


@pages.take("actions/runs/{run}/rerun", "actions:write", back=_PAGE)
async def rerun(context: PageContext) -> Response:
    run = context.instance.run(context.repository, context.number("run"))
    failed_only = context.form.text("jobs") == "failed"
    check_rerun(run, context.instance.now(), failed_only=failed_only)
    await context.runner.rerun(run.id, failed_only=failed_only, actor=context.identity.login)
    return context.go(f"{context.home}/actions/runs/{run.id}")


@pages.show("actions/runs/{run}/artifacts/{artifact}")
async def artifact(context: PageContext) -> Response:
    """The files of an artifact as a zip."""
    run = context.instance.run(context.repository, context.number("run"))
    found = next((one for one in run.artifacts if one.id == context.number("artifact")), None)
    if found is None:
        raise not_found()
    check_download(found, context.instance.now())
    content = await asyncio.to_thread(archives.artifact_zip, found)
    name = archives.file_name(found.name).encode("ascii", "replace").decode().replace('"', "_") or "artifact"
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    return Response(content, media_type="application/zip", headers=headers)


@pages.show("actions/runs/{run}/logs")
async def logs(context: PageContext) -> Response:
    """All logs of a run as a zip, as far as it has come."""
    run = context.instance.run(context.repository, context.number("run"))
    return RedirectResponse(download_links.create(context.instance, "run-logs", f"{run.id}/{run.attempt}"), 302)
