"""Workflows and starting them."""

from __future__ import annotations

from rehearsal.github.events.delivery import deliver
from rehearsal.github.problems import Problem, conflict, unprocessable
from rehearsal.github.rest.answers import Answer, no_content, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints
from rehearsal.github.runs import render
from rehearsal.github.runs.rules import MOST_INPUTS
from rehearsal.github.runs.service import workflows

endpoints = Endpoints()


@endpoints.add("GET", "actions/workflows", "actions:read")
async def list_workflows(call: Call) -> Answer:
    page = call.page(await workflows.known(call.instance, call.repository))
    return page.answer([render.workflow(call.view, call.repository, one) for one in page.items], key="workflows")


@endpoints.add("GET", "actions/workflows/{workflow}", "actions:read")
async def get_workflow(call: Call) -> Answer:
    found = await workflows.find(call.instance, call.repository, call.path("workflow"))
    return ok(render.workflow(call.view, call.repository, found))


@endpoints.add("PUT", "actions/workflows/{workflow}/disable", "actions:write")
async def disable_workflow(call: Call) -> Answer:
    (await workflows.find(call.instance, call.repository, call.path("workflow"))).state = "disabled_manually"
    return no_content()


@endpoints.add("PUT", "actions/workflows/{workflow}/enable", "actions:write")
async def enable_workflow(call: Call) -> Answer:
    (await workflows.find(call.instance, call.repository, call.path("workflow"))).state = "active"
    return no_content()


@endpoints.add("POST", "actions/workflows/{workflow}/dispatches", "actions:write")
async def dispatch_workflow(call: Call) -> Answer:
    fields = call.fields
    inputs = fields.part("inputs")
    given = inputs.values if inputs is not None else {}
    if len(given) > MOST_INPUTS:
        raise unprocessable(f"No more than {MOST_INPUTS} inputs can be given.")
    workflow = await workflows.find(call.instance, call.repository, call.path("workflow"))
    ref = fields.required_text("ref")
    run = await workflows.dispatch(call.instance, call.repository, workflow, ref=ref, inputs=given, by=call.identity)
    if not fields.flag("return_run_details", False):
        return no_content()
    return ok(
        {
            "workflow_run_id": run.id,
            "run_url": f"{call.view.repo(call.repository)}/actions/runs/{run.id}",
            "html_url": f"{call.view.page(call.repository)}/actions/runs/{run.id}",
        }
    )


@endpoints.add("GET", "actions/permissions/workflow", "administration:read", role="admin")
async def get_permissions(call: Call) -> Answer:
    may = call.repository.settings.actions_may_review
    return ok({"default_workflow_permissions": "read", "can_approve_pull_request_reviews": may})


@endpoints.add("PUT", "actions/permissions/workflow", "administration:write")
async def set_permissions(call: Call) -> Answer:
    """Whether jobs may open and approve pull requests. What a job may without `permissions:` stays to read."""
    if call.fields.choice("default_workflow_permissions", ("read", "write"), "read") == "write":
        raise conflict("Jobs without `permissions:` can only read here.")
    settings = call.repository.settings
    settings.actions_may_review = call.fields.flag("can_approve_pull_request_reviews", settings.actions_may_review)
    return no_content()


@endpoints.add("POST", "dispatches", "contents:write")
async def dispatch_repository(call: Call) -> Answer:
    """`repository_dispatch`, on the default branch."""
    repository = call.repository
    payload = call.fields.part("client_payload")
    tip = call.git.branch(repository.default_branch)
    if tip is None:
        raise Problem(422, "Git Repository is empty.")
    body = {
        "action": call.fields.required_text("event_type"),
        "branch": repository.default_branch,
        "client_payload": payload.values if payload is not None else {},
    }
    ref = f"refs/heads/{repository.default_branch}"
    await deliver(call.instance, repository, "repository_dispatch", body, ref=ref, sha=tip, by=call.identity)
    return no_content()
