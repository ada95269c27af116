"""The workflows a repository's pages list. Read at every poll, so nothing is parsed twice."""

from __future__ import annotations

from dataclasses import dataclass

from rehearsal.github.pages.context import PageContext
from rehearsal.github.problems import not_found
from rehearsal.github.runs.rules import dispatchable
from rehearsal.github.runs.service import workflows
from rehearsal.github.runs.state import Workflow
from rehearsal.runner import workflow as files


@dataclass(frozen=True, kw_only=True)
class ListedWorkflow:
    workflow: Workflow
    dispatchable: bool
    """The default branch has it, with `on: workflow_dispatch`, and nobody disabled it."""


async def known(context: PageContext) -> list[ListedWorkflow]:
    """The workflows of the default branch and those that ran from elsewhere, by name."""
    texts = await texts_at(context, context.repository.default_branch)
    ran = {run.workflow_path for run in context.instance.runs(context.repository)}
    found = [_listed(context, path, texts.get(path)) for path in {*texts, *ran}]
    return sorted(found, key=lambda one: (one.workflow.name.lower(), one.workflow.path))


async def find(context: PageContext, name: str) -> Workflow:
    """By file name or id. Raises Problem 404."""
    for one in await known(context):
        if name in (one.workflow.path.rpartition("/")[2], str(one.workflow.id)):
            return one.workflow
    raise not_found()


async def texts_at(context: PageContext, ref: str) -> dict[str, str]:
    """Path -> text of the workflow files at a branch, tag or commit; none where there is no such."""
    sha = await context.git.resolve(ref)
    return {} if sha is None else await workflows.files(context.git, sha)


def _listed(context: PageContext, path: str, text: str | None) -> ListedWorkflow:
    workflow = workflows.ensure(context.instance, context.repository, path)
    try:
        parsed = None if text is None else files.parse(path, text)
    except files.WorkflowError:
        parsed = None
    if parsed is not None:
        workflow.name = parsed.name
    return ListedWorkflow(workflow=workflow, dispatchable=parsed is not None and dispatchable(workflow, parsed.on))
