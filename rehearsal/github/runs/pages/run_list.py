"""Actions: the list of runs, of all workflows or one, and *Run workflow*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from starlette.responses import Response

from rehearsal.github.pages import state_labels
from rehearsal.github.pages.context import PageContext
from rehearsal.github.pages.paging import part
from rehearsal.github.pages.serving import Pages, reason
from rehearsal.github.problems import Problem
from rehearsal.github.runs.pages import dispatch_form, workflow_list
from rehearsal.github.runs.pages.workflow_list import ListedWorkflow
from rehearsal.github.runs.service import workflows
from rehearsal.github.runs.state import Workflow
from rehearsal.runner.model import Run

pages = Pages()

LIVE = 1.5
"""Seconds between two polls."""
_STATUSES = ("success", "failure", "in_progress", "waiting", "queued", "cancelled")


@pages.show("actions")
async def every_run(context: PageContext) -> Response:
    known = await workflow_list.known(context)
    return _listed(context, known, context.instance.runs(context.repository), workflow=None)


@pages.show("actions/workflows/{file}")
async def one_workflow(context: PageContext) -> Response:
    workflow = await workflow_list.find(context, context.path("file"))
    form = await _form(context, workflow, context.query("ref"), {}) if context.may("actions:write") else None
    return await _shown(context, workflow, form)


@pages.take("actions/workflows/{file}/dispatch", "actions:write", back="actions/workflows/{file}")
async def run_workflow(context: PageContext) -> Response:
    """A refusal is shown in the form, with what was entered still there."""
    workflow = await workflow_list.find(context, context.path("file"))
    ref, sent = context.form.text("ref"), context.form.below(dispatch_form.PREFIX)
    form = await _form(context, workflow, ref, sent)
    try:
        run = await workflows.dispatch(
            context.instance, context.repository, workflow, ref=ref, inputs=form.given(sent), by=context.identity
        )
    except Problem as problem:
        return await _shown(context, workflow, form, error=reason(problem))
    return context.go(f"{context.home}/actions/runs/{run.id}")


@pages.show("workflows/{name}/badge.svg")
async def badge(context: PageContext) -> Response:
    """How the last run of a workflow on the default branch ended."""
    name, main = context.path("name"), context.repository.default_branch
    runs = (run for run in context.instance.runs(context.repository) if run.workflow_name == name)
    last = next((run for run in runs if run.head_branch == main and run.status == "completed"), None)
    word = "no runs" if last is None else state_labels.of(last).word.lower()
    body = context.page("badge.svg", name=name, word=word, good=last is not None and last.conclusion == "success").body
    return Response(body, media_type="image/svg+xml")


async def _shown(
    context: PageContext, workflow: Workflow, form: dispatch_form.DispatchForm | None, error: str = ""
) -> Response:
    known = await workflow_list.known(context)
    runs = [run for run in context.instance.runs(context.repository) if run.workflow_path == workflow.path]
    return _listed(context, known, runs, workflow=workflow, form=form, error=error)


def _listed(
    context: PageContext,
    known: Sequence[ListedWorkflow],
    runs: Sequence[Run],
    *,
    workflow: Workflow | None,
    form: dispatch_form.DispatchForm | None = None,
    error: str = "",
) -> Response:
    branches = sorted({run.head_branch for run in runs})
    shown = part(context.request, _filtered(context, runs))
    return context.page(
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
        chosen={name: context.query(name) for name in ("branch", "status", "event")},
        form=form,
        error=error,
        opened=bool(error) or context.query("dialog") == "open",
        file=_file,
        signed_in=context.identity.user is not None,
    )


def _filtered(context: PageContext, runs: Sequence[Run]) -> list[Run]:
    branch, status, event = context.query("branch"), context.query("status"), context.query("event")
    return [
        run
        for run in runs
        if (not branch or run.head_branch == branch)
        and (not status or status in (run.status, run.conclusion))
        and (not event or run.event.name == event)
    ]


def _file(workflow: Workflow) -> str:
    return quote(workflow.path.rpartition("/")[2], safe="")


async def _form(
    context: PageContext, workflow: Workflow, ref: str, sent: Mapping[str, str]
) -> dispatch_form.DispatchForm:
    chosen = ref or context.repository.default_branch
    text = (await workflow_list.texts_at(context, chosen)).get(workflow.path)
    return dispatch_form.form(context.git, context.repository, workflow, chosen, text, sent)
