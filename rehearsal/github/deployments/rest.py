"""Deployments and their statuses."""

from __future__ import annotations

from typing import Any

from rehearsal.github.deployments import render
from rehearsal.github.deployments.service import deployments
from rehearsal.github.deployments.state import Deployment
from rehearsal.github.problems import Problem, not_found
from rehearsal.github.rest.answers import Answer, created, no_content, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints

endpoints = Endpoints()

_STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")
_LONGEST_DESCRIPTION = 140


@endpoints.add("GET", "deployments", "deployments:read")
async def list_deployments(call: Call) -> Answer:
    found = deployments.visible(call.repository)
    filters = {name: call.query(name) for name in ("sha", "ref", "task", "environment")}
    for name, wanted in filters.items():
        if wanted and wanted != "none":
            found = [one for one in found if getattr(one, name) == wanted]
    page = call.page(found)
    return page.answer([render.deployment(call.view, call.repository, one) for one in page.items])


@endpoints.add("POST", "deployments", "deployments:write")
async def create_deployment(call: Call) -> Answer:
    fields = call.fields
    payload: Any = fields.values.get("payload", {})
    if not isinstance(payload, (dict, str)):
        raise Problem(422, "Invalid request.\n\nFor 'properties/payload', it is neither an object nor a string.")
    wanted = deployments.DeploymentRequest(
        ref=fields.required_text("ref"),
        task=fields.text("task", "deploy"),
        auto_merge=fields.flag("auto_merge", True),
        required_contexts=fields.maybe_texts("required_contexts"),
        payload=payload,
        environment=fields.text("environment", "production"),
        description=_description(fields.maybe_text("description")),
        transient=fields.flag("transient_environment", False),
        production=fields.maybe_flag("production_environment"),
    )
    made = await deployments.create(call.instance, call.repository, wanted, call.identity)
    if isinstance(made, str):
        return Answer(status=202, body={"message": made})
    body = render.deployment(call.view, call.repository, made)
    return created(body, body["url"])


@endpoints.add("GET", "deployments/{deployment}", "deployments:read")
async def get_deployment(call: Call) -> Answer:
    return ok(render.deployment(call.view, call.repository, _deployment(call)))


@endpoints.add("DELETE", "deployments/{deployment}", "deployments:write")
async def delete_deployment(call: Call) -> Answer:
    deployments.delete(call.repository, _deployment(call))
    return no_content()


@endpoints.add("GET", "deployments/{deployment}/statuses", "deployments:read")
async def list_statuses(call: Call) -> Answer:
    """Newest first."""
    deployment = _deployment(call)
    page = call.page(list(reversed(deployment.statuses)))
    return page.answer([render.deployment_status(call.view, call.repository, deployment, one) for one in page.items])


@endpoints.add("POST", "deployments/{deployment}/statuses", "deployments:write")
async def create_status(call: Call) -> Answer:
    fields, deployment = call.fields, _deployment(call)
    wanted = deployments.DeploymentStatusRequest(
        state=fields.choice("state", _STATES),
        description=_description(fields.maybe_text("description")) or "",
        environment=fields.maybe_text("environment"),
        environment_url=fields.text("environment_url"),
        log_url=fields.text("log_url") or fields.text("target_url"),
        auto_inactive=fields.flag("auto_inactive", True),
    )
    status = await deployments.add_status(call.instance, call.repository, deployment, wanted, call.identity)
    body = render.deployment_status(call.view, call.repository, deployment, status)
    return created(body, body["url"])


@endpoints.add("GET", "deployments/{deployment}/statuses/{status}", "deployments:read")
async def get_status(call: Call) -> Answer:
    deployment, wanted = _deployment(call), call.number("status")
    found = next((one for one in deployment.statuses if one.id == wanted), None)
    if found is None:
        raise not_found()
    return ok(render.deployment_status(call.view, call.repository, deployment, found))


def _deployment(call: Call) -> Deployment:
    found = call.repository.deployments.get(call.number("deployment"))
    if found is None:
        raise not_found()
    return found


def _description(text: str | None) -> str | None:
    if text is not None and len(text) > _LONGEST_DESCRIPTION:
        error = {"resource": "DeploymentStatus", "code": "custom", "field": "description"}
        message = f"description is too long (maximum is {_LONGEST_DESCRIPTION} characters)"
        raise Problem(422, "Validation Failed", errors=[{**error, "message": message}])
    return text
