"""HTTP of projects: settings, promotion, rollback, protection."""

from __future__ import annotations

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rehearsal.emulators.vercel.access import Access
from rehearsal.emulators.vercel.deployments import json_object
from rehearsal.emulators.vercel.errors import bad_request, not_found
from rehearsal.emulators.vercel.model import Project
from rehearsal.emulators.vercel.state import Account
from rehearsal.emulators.vercel.views import bypass_json, page_json, project_json, team_json

_STATUS = {"in-progress": "in-progress", "succeeded": "completed", "failed": "failed"}


class ProjectsApi:
    """`/…/projects`."""

    def __init__(self, account: Account, access: Access) -> None:
        self._account = account
        self._access = access

    async def listed(self, request: Request) -> Response:
        """GET /v10/projects"""
        self._access.user(request)
        self._account.advance()
        search = request.query_params.get("search", "")
        found = [project for project in self._account.projects.values() if search in project.name]
        return JSONResponse(
            {
                "projects": [project_json(self._account, project) for project in found],
                "pagination": page_json([project.updated for project in found], more=False),
            }
        )

    async def team(self, request: Request) -> Response:
        """GET /v2/teams/{teamId}"""
        self._access.user(request)
        if request.path_params["team"] not in (self._account.team_id, self._account.team):
            raise not_found("Team")
        return JSONResponse(team_json(self._account))

    async def create(self, request: Request) -> Response:
        """POST /v11/projects"""
        self._access.user(request)
        body = await json_object(request)
        project = self._account.add_project(str(body.get("name", "")), framework=body.get("framework"))
        return JSONResponse(project_json(self._account, project))

    async def get(self, request: Request) -> Response:
        """GET /v9/projects/{idOrName}"""
        return JSONResponse(project_json(self._account, self._asked(request)))

    async def update(self, request: Request) -> Response:
        """PATCH /v9/projects/{idOrName}: name, framework, autoAssignCustomDomains, ssoProtection, passwordProtection, rootDirectory"""
        project = self._asked(request)
        body = await json_object(request)
        if "autoAssignCustomDomains" in body:
            project.auto_assign = bool(body["autoAssignCustomDomains"])
        if "ssoProtection" in body:
            wanted: dict[str, Any] | None = body["ssoProtection"]
            project.protection = wanted["deploymentType"] if wanted else None
        if "passwordProtection" in body:
            project.password = body["passwordProtection"] is not None
        if "rootDirectory" in body:
            project.root_directory = body["rootDirectory"]
        if "framework" in body:
            project.framework = body["framework"]
        if "name" in body:
            project.name = str(body["name"])
        project.updated = self._account.now()
        return JSONResponse(project_json(self._account, project))

    async def promote(self, request: Request) -> Response:
        """POST /v10/projects/{projectId}/promote/{deploymentId} -> 202, the names follow"""
        project = self._asked(request)
        self._account.promote(project, self._account.deployment(request.path_params["id"]))
        return Response(status_code=202)

    async def promoted_aliases(self, request: Request) -> Response:
        """GET /v1/projects/{projectId}/promote/aliases: how far the last promotion or rollback is"""
        project = self._asked(request)
        asked = project.last_request
        status = None if asked is None else _STATUS[asked.status]
        if status is None or (request.query_params.get("failedOnly") == "true" and status != "failed"):
            return JSONResponse({"aliases": [], "pagination": page_json([], more=False)})
        held = self._account.aliases
        entries = [
            {"alias": domain.name, "id": held[domain.name].id if domain.name in held else "", "status": status}
            for domain in project.domains
        ]
        return JSONResponse({"aliases": entries, "pagination": page_json([0] * len(entries), more=False)})

    async def roll_back(self, request: Request) -> Response:
        """POST /v1/projects/{projectId}/rollback/{deploymentId} -> 201, done"""
        project = self._asked(request)
        deployment = self._account.deployment(request.path_params["id"])
        self._account.roll_back(project, deployment, request.query_params.get("description"))
        return Response(status_code=201)

    async def bypass(self, request: Request) -> Response:
        """PATCH /v1/projects/{idOrName}/protection-bypass: {"generate": {}} or {"revoke": {"secret", "regenerate"}}"""
        project = self._asked(request)
        body = await json_object(request)
        revoked = body.get("revoke")
        if revoked is not None and project.bypass.pop(str(revoked.get("secret")), None) is None:
            raise bad_request("The secret to revoke is none of this project.")
        if "generate" in body or (revoked or {}).get("regenerate"):
            wanted = (body.get("generate") or {}).get("secret")
            project.bypass[str(wanted or secrets.token_hex(16))] = self._account.now()
        return JSONResponse({"protectionBypass": bypass_json(project)})

    def _asked(self, request: Request) -> Project:
        self._access.user(request)
        return self._account.project(request.path_params["project"])
