"""HTTP of aliases and of a project's domains."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rehearsal.emulators.vercel.access import Access
from rehearsal.emulators.vercel.deployments import json_object
from rehearsal.emulators.vercel.errors import ApiError, bad_request, not_found
from rehearsal.emulators.vercel.model import Alias, Domain, Project
from rehearsal.emulators.vercel.state import Account
from rehearsal.emulators.vercel.views import alias_json, domain_json, page_json


class NamesApi:
    """`/…/aliases` and `/…/projects/{p}/domains`."""

    def __init__(self, account: Account, access: Access) -> None:
        self._account = account
        self._access = access

    async def of_deployment(self, request: Request) -> Response:
        """GET /v2/deployments/{id}/aliases"""
        self._access.user(request)
        deployment = self._account.deployment(request.path_params["id"])
        held = [self._account.aliases[name] for name in self._account.names_of(deployment)]
        shown = [{"uid": alias.id, "alias": alias.name, "created": alias.created} for alias in held]
        return JSONResponse({"aliases": shown})

    async def assign(self, request: Request) -> Response:
        """POST /v2/deployments/{id}/aliases"""
        self._access.user(request)
        deployment = self._account.deployment(request.path_params["id"])
        name = str((await json_object(request)).get("alias", "")).lower()
        if not name:
            raise bad_request("`alias` is missing.")
        if deployment.state != "READY":
            raise ApiError(409, "deployment_not_ready", f"The deployment is {deployment.state}, not READY.")
        owner = self._owner(name)
        if owner is not None and owner.id != deployment.project_id:
            raise ApiError(409, "alias_in_use", f"The domain {name} belongs to the project {owner.name}.")
        before = self._account.aliases.get(name)
        self._account.assign(deployment, [name])
        alias = self._account.aliases[name]
        old = before.deployment_id if before else None
        return JSONResponse({"uid": alias.id, "alias": name, "created": alias.created, "oldDeploymentId": old})

    async def listed(self, request: Request) -> Response:
        """GET /v4/aliases"""
        self._access.user(request)
        self._account.advance()
        query = request.query_params
        held = [
            alias
            for alias in self._account.aliases.values()
            if query.get("projectId") in (None, alias.project_id) and query.get("domain") in (None, alias.name)
        ]
        held.sort(key=lambda alias: -alias.created)
        shown = held[: int(query.get("limit", "20"))]
        page = page_json([alias.created for alias in shown], more=len(shown) < len(held))
        return JSONResponse({"aliases": [alias_json(alias) for alias in shown], "pagination": page})

    async def get(self, request: Request) -> Response:
        """GET /v4/aliases/{idOrAlias}"""
        return JSONResponse(alias_json(self._alias(request)))

    async def delete(self, request: Request) -> Response:
        """DELETE /v2/aliases/{aliasId}"""
        del self._account.aliases[self._alias(request).name]
        return JSONResponse({"status": "SUCCESS"})

    async def domains(self, request: Request) -> Response:
        """GET /v9/projects/{idOrName}/domains"""
        project = self._project(request)
        page = page_json([domain.created for domain in project.domains], more=False)
        return JSONResponse({"domains": [domain_json(project, d) for d in project.domains], "pagination": page})

    async def add_domain(self, request: Request) -> Response:
        """POST /v10/projects/{idOrName}/domains"""
        project = self._project(request)
        body = await json_object(request)
        name = str(body.get("name", "")).lower()
        owner = self._owner(name)
        if owner is not None:
            raise ApiError(409, "domain_already_in_use", f"The domain {name} belongs to the project {owner.name}.")
        domain = Domain(name=name, created=self._account.now(), redirect=body.get("redirect"))
        project.domains.append(domain)
        live = self._account.live(project)
        if live is not None:
            self._account.assign(live, [name])
        return JSONResponse(domain_json(project, domain))

    async def domain(self, request: Request) -> Response:
        """GET /v9/projects/{idOrName}/domains/{domain}"""
        project = self._project(request)
        return JSONResponse(domain_json(project, _domain(project, request.path_params["domain"])))

    async def verify_domain(self, request: Request) -> Response:
        """POST /v9/projects/{idOrName}/domains/{domain}/verify: as if the record were in its DNS"""
        project = self._project(request)
        domain = _domain(project, request.path_params["domain"])
        domain.verified = True
        return JSONResponse(domain_json(project, domain))

    async def remove_domain(self, request: Request) -> Response:
        """DELETE /v9/projects/{idOrName}/domains/{domain}"""
        project = self._project(request)
        domain = _domain(project, request.path_params["domain"])
        project.domains.remove(domain)
        self._account.aliases.pop(domain.name, None)
        return JSONResponse({})

    def _project(self, request: Request) -> Project:
        self._access.user(request)
        return self._account.project(request.path_params["project"])

    def _alias(self, request: Request) -> Alias:
        self._access.user(request)
        self._account.advance()
        asked = request.path_params["alias"]
        for alias in self._account.aliases.values():
            if asked in (alias.id, alias.name):
                return alias
        raise not_found("The alias")

    def _owner(self, name: str) -> Project | None:
        """The project that has a name among its domains."""
        projects = self._account.projects.values()
        return next((p for p in projects if any(domain.name == name for domain in p.domains)), None)


def _domain(project: Project, name: str) -> Domain:
    found = next((domain for domain in project.domains if domain.name == name), None)
    if found is None:
        raise not_found("The domain")
    return found
