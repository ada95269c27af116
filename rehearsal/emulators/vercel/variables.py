"""HTTP of a project's environment variables. They reach deployments made afterwards only."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rehearsal.emulators.vercel.access import Access
from rehearsal.emulators.vercel.deployments import json_object
from rehearsal.emulators.vercel.errors import bad_request, not_found
from rehearsal.emulators.vercel.model import Project, Variable
from rehearsal.emulators.vercel.state import Account
from rehearsal.emulators.vercel.views import page_json, variable_json


class VariablesApi:
    """`/…/projects/{p}/env`."""

    def __init__(self, account: Account, access: Access) -> None:
        self._account = account
        self._access = access

    async def listed(self, request: Request) -> Response:
        """GET /v10/projects/{idOrName}/env"""
        project = self._project(request)
        readable = request.query_params.get("decrypt") == "true"
        now = self._account.now()
        listed = [_as_listed(variable, now) for variable in project.variables]
        shown = [{**variable_json(variable, readable=readable), "securityIssues": []} for variable in listed]
        page = page_json([variable.created for variable in project.variables], more=False)
        return JSONResponse({"envs": shown, "pagination": page})

    async def add(self, request: Request) -> Response:
        """POST /v10/projects/{idOrName}/env?upsert=true: one variable, or a list of them"""
        project = self._project(request)
        sent = await request.json()
        upsert = request.query_params.get("upsert") == "true"
        wanted = sent if isinstance(sent, list) else [sent]
        created, failed = [], []
        for item in wanted:
            held = _same(project, item)
            if held is not None and not upsert:
                failed.append(_conflict(item))
                continue
            variable = held or self._new(project, item)
            self._change(variable, item)
            created.append(variable_json(variable, readable=False))
        answer = {"created": created if isinstance(sent, list) else (created or [{}])[0], "failed": failed}
        return JSONResponse(answer if created else {"failed": failed}, 201)

    async def update(self, request: Request) -> Response:
        """PATCH /v9/projects/{idOrName}/env/{id}"""
        variable = self._asked(request)
        self._change(variable, await json_object(request))
        return JSONResponse(variable_json(variable, readable=False))

    async def remove(self, request: Request) -> Response:
        """DELETE /v9/projects/{idOrName}/env/{id}"""
        variable = self._asked(request)
        self._project(request).variables.remove(variable)
        return JSONResponse(variable_json(variable, readable=False))

    def _project(self, request: Request) -> Project:
        self._access.user(request)
        return self._account.project(request.path_params["project"])

    def _asked(self, request: Request) -> Variable:
        for variable in self._project(request).variables:
            if variable.id == request.path_params["id"]:
                return variable
        raise not_found("The environment variable")

    def _new(self, project: Project, item: dict[str, Any]) -> Variable:
        if not item.get("key"):
            raise bad_request("`key` is missing.")
        now = self._account.now()
        variable = Variable(
            id=secrets.token_hex(8), key=item["key"], value="", type="plain", target=[], created=now, updated=now
        )
        project.variables.append(variable)
        return variable

    def _change(self, variable: Variable, item: dict[str, Any]) -> None:
        variable.key = item.get("key", variable.key)
        if self._account.list_delay:
            variable.replaced = (variable.value, self._account.now() + self._account.list_delay)
        variable.value = item.get("value", variable.value)
        variable.type = "sensitive" if self._account.keeps_secrets else item.get("type", variable.type)
        variable.target = item.get("target", variable.target)
        variable.git_branch = item.get("gitBranch", variable.git_branch)
        variable.comment = item.get("comment", variable.comment)
        variable.updated = self._account.now()


def _as_listed(variable: Variable, now: int) -> Variable:
    """As a list shows it, which may come late."""
    if variable.replaced is None or variable.replaced[1] <= now:
        return variable
    return replace(variable, value=variable.replaced[0])


def _same(project: Project, item: dict[str, Any]) -> Variable | None:
    """The variable with this key that applies to one of the same targets on the same branch."""
    for variable in project.variables:
        targets = set(variable.target) & set(item.get("target", []))
        if variable.key == item.get("key") and variable.git_branch == item.get("gitBranch") and targets:
            return variable
    return None


def _conflict(item: dict[str, Any]) -> dict[str, Any]:
    key = item.get("key")
    text = f"Another variable named {key} exists for the same target. Update it, or ask with upsert=true."
    return {"error": {"code": "ENV_CONFLICT", "message": text, "envVarKey": key}}
