"""HTTP of Resource Manager (discovery document cloudresourcemanager.v3), as far as it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.emulators.google.access import Authorise
from rehearsal.emulators.google.errors import exception_handlers
from rehearsal.emulators.refusal import bearer
from rehearsal.emulators.resource_manager.state import Hierarchy

IamPolicy = Callable[[str], dict[str, Any]]
"""Name of a resource -> the API's Policy of it."""


class HierarchyRoutes:
    """The endpoints, over one `Hierarchy` and the organisation's policy."""

    def __init__(self, hierarchy: Hierarchy, iam_policy: IamPolicy, authorise: Authorise) -> None:
        self._hierarchy = hierarchy
        self._iam_policy = iam_policy
        self._authorise = authorise

    def app(self) -> Starlette:
        """The whole API. Custom verbs come first: a path parameter would swallow them."""
        routes = [
            Route("/v3/projects/{project}:getIamPolicy", self._project_policy, methods=["POST"]),
            Route("/v3/projects/{project}", self._project, methods=["GET"]),
            Route("/v3/{kind:str}/{number}:getIamPolicy", self._policy_above, methods=["POST"]),
            Route("/v3/folders/{number}", self._folder, methods=["GET"]),
        ]
        return Starlette(routes=routes, exception_handlers=exception_handlers())

    async def _project(self, request: Request) -> Response:
        return JSONResponse(self._hierarchy.project(self._asked(request, "get")).view())

    async def _project_policy(self, request: Request) -> Response:
        project = self._hierarchy.project(self._asked(request, "getIamPolicy"))
        return JSONResponse(self._iam_policy(f"projects/{project.project}"))

    async def _folder(self, request: Request) -> Response:
        name = f"folders/{request.path_params['number']}"
        self._authorise(bearer(request), "resourcemanager.folders.get", name)
        return JSONResponse(self._hierarchy.folder(name).view())

    async def _policy_above(self, request: Request) -> Response:
        """Of a folder or an organisation."""
        kind = request.path_params["kind"]
        name = f"{kind}/{request.path_params['number']}"
        self._authorise(bearer(request), f"resourcemanager.{kind}.getIamPolicy", name)
        return JSONResponse(self._iam_policy(name))

    def _asked(self, request: Request, permission: str) -> str:
        """The project's id, when the caller may ask about it. Raises GoogleError."""
        project = self._hierarchy.id_of(request.path_params["project"])
        self._authorise(bearer(request), f"resourcemanager.projects.{permission}", f"projects/{project}")
        return project
