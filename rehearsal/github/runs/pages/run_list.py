"""Actions: the list of runs, of all workflows or one, and *Run workflow*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from starlette.responses import Response

from rehearsal.github.pages import state_labels as looks
from rehearsal.github.pages.context import Visit
from rehearsal.github.pages.paging import part
from rehearsal.github.pages.serving import Pages, reason
from rehearsal.github.problems import Problem
from rehearsal.github.runs.pages import dispatch_form as dispatching
from rehearsal.github.runs.pages import workflow_list
from rehearsal.github.runs.pages.workflow_list import Listed
from rehearsal.github.runs.service import workflows as changes
from rehearsal.github.runs.state import Workflow
from rehearsal.runner.model import Run

pages = Pages()

LIVE = 1.5
"""Seconds between two looks for news."""
_STATUSES = ("success", "failure", "in_progress", "waiting", "queued", "cancelled")


@pages.show("actions")
async def every_run(visit: Visit) -> Response:
    known = await workflow_list.known(visit)
    return _listed(visit, known, visit.service.runs(visit.repository), workflow=None)


@pages.show("actions/workflows/{file}")
async def one_workflow(visit: Visit) -> Response:
    workflow = await workflow_list.find(visit, visit.path("file"))
    form = await _form(visit, workflow, visit.query("ref"), {}) if visit.may("actions:write") else None
    return await _shown(visit, workflow, form)


@pages.take("actions/workflows/{file}/dispatch", "actions:write", back="actions/workflows/{file}")
async def run_workflow(visit: Visit) -> Response:
    """A refusal is shown in the form, with what was entered still there."""
    workflow = await workflow_list.find(visit, visit.path("file"))
    ref, sent = visit.form.text("ref"), visit.form.below(dispatching.PREFIX)
    form = await _form(visit, workflow, ref, sent)
    try:
        run = await changes.dispatch(
            visit.service, visit.repository, workflow, ref=ref, inputs=form.given(sent), by=visit.identity
        )
    except Problem as problem:
        return await _shown(visit, workflow, form, error=reason(problem))
    return visit.go(f"{visit.home}/actions/runs/{run.id}")


@pages.show("workflows/{name}/badge.svg")
async def badge(visit: Visit) -> Response:
    """How the last run of a workflow on the default branch ended."""
    name, main = visit.path("name"), visit.repository.default_branch
    runs = (run for run in visit.service.runs(visit.repository) if run.workflow_name == name)
    last = next((run for run in runs if run.head_branch == main and run.status == "completed"), None)
    word = "no runs" if last is None else looks.of(last).word.lower()
    body = visit.page("badge.svg", name=name, word=word, good=last is not None and last.conclusion == "success").body
    return Response(body, media_type="image/svg+xml")


async def _shown(visit: Visit, workflow: Workflow, form: dispatching.Form | None, error: str = "") -> Response:
    known = await workflow_list.known(visit)
    runs = [run for run in visit.service.runs(visit.repository) if run.workflow_path == workflow.path]
    return _listed(visit, known, runs, workflow=workflow, form=form, error=error)


def _listed(
    visit: Visit,
    known: Sequence[Listed],
    runs: Sequence[Run],
    *,
    workflow: Workflow | None,
    form: dispatching.Form | None = None,
    error: str = "",
) -> Response:
    branches = sorted({run.head_branch for run in runs})
    shown = part(visit.request, _filtered(visit, runs))
    return visit.page(
        "actions.html",
        status=422 if error else 200,
        live=0 if error else LIVE,
        known=[one.workflow for one in known],
        dispatchable=[one.workflow for one in known if one.dispatchable],
        workflow=workflow,
        runs=shown,
        branches=branches,
        statuses=_STATUSES,
        events=sorted({run.event.name for run in runs}),
        chosen={name: visit.query(name) for name in ("branch", "status", "event")},
        form=form,
        error=error,
        opened=bool(error) or visit.query("dialog") == "open",
        file=_file,
        signed_in=visit.identity.user is not None,
    )


def _filtered(visit: Visit, runs: Sequence[Run]) -> list[Run]:
    branch, status, event = visit.query("branch"), visit.query("status"), visit.query("event")
    return [
        run
        for run in runs
        if (not branch or run.head_branch == branch)
        and (not status or status in (run.status, run.conclusion))
        and (not event or run.event.name == event)
    ]


def _file(workflow: Workflow) -> str:
    return quote(workflow.path.rpartition("/")[2], safe="")


async def _form(visit: Visit, workflow: Workflow, ref: str, sent: Mapping[str, str]) -> dispatching.Form:
    chosen = ref or visit.repository.default_branch
    text = (await workflow_list.texts_at(visit, chosen)).get(workflow.path)
    return dispatching.form(visit.git, visit.repository, workflow, chosen, text, sent)
