"""HTTP of Artifact Registry itself (discovery document artifactregistry.v1), as far as it is read: repositories and their policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.emulators.google.access import Authorise
from rehearsal.emulators.google.errors import exception_handlers, not_found
from rehearsal.emulators.refusal import bearer

IamPolicy = Callable[[str], dict[str, Any]]
"""Name of a resource -> the API's Policy of it."""
_REPOSITORY = "/v1/projects/{project}/locations/{location}/repositories/{repository}"


def artifact_registry_app(repositories: set[str], iam_policy: IamPolicy, authorise: Authorise) -> Starlette:
    """`repositories`: those there are, by full name; looked at with every request."""

    def asked(request: Request, permission: str) -> str:
        name = request.url.path.removeprefix("/v1/").partition(":")[0]
        authorise(bearer(request), f"artifactregistry.repositories.{permission}", name)
        if name not in repositories:
            raise not_found(name)
        return name

    async def get(request: Request) -> Response:
        return JSONResponse({"name": asked(request, "get"), "format": "DOCKER", "mode": "STANDARD_REPOSITORY"})

    async def policy(request: Request) -> Response:
        return JSONResponse(iam_policy(asked(request, "getIamPolicy")))

    # A custom verb comes first: a path parameter would swallow it.
    routes = [Route(f"{_REPOSITORY}:getIamPolicy", policy, methods=["GET"]), Route(_REPOSITORY, get, methods=["GET"])]
    return Starlette(routes=routes, exception_handlers=exception_handlers())
