"""From HTTP to an endpoint and back: authentication, permission, body, errors."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.github.accounts.rules import check
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.problems import Problem
from rehearsal.github.rest.answers import NOT_MODIFIED, Answer
from rehearsal.github.rest.authentication import count, identify, uncount
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.fields import Fields, parse

API_VERSION = "2022-11-28"
"""The one that GitHub's published description describes."""

Handler = Callable[[Call], Awaitable[Answer | Response]]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    method: str
    path: str
    handler: Handler
    needs: tuple[str, ...]
    """Alternatives like "contents:read"; empty for paths without a repository."""
    role: str | None
    raw: bool
    """The body is no JSON; the endpoint reads it itself."""
    free: bool
    """Not counted against the rate limit."""


class Endpoints:
    """The endpoints of one domain."""

    def __init__(self) -> None:
        self.all: list[Endpoint] = []

    def add(
        self, method: str, path: str, *needs: str, role: str | None = None, raw: bool = False, free: bool = False
    ) -> Callable[[Handler], Handler]:
        """Decorator. A path beginning with a slash is whole; any other lies under /repos/{owner}/{repo}."""
        whole = path if path.startswith("/") else f"/repos/{{owner}}/{{repo}}{'/' if path else ''}{path}"

        def keep(handler: Handler) -> Handler:
            self.all.append(
                Endpoint(method=method, path=whole, handler=handler, needs=needs, role=role, raw=raw, free=free)
            )
            return handler

        return keep


def routes(instance: GitHubInstance, endpoints: list[Endpoint]) -> list[Route]:
    """Starlette routes, in the order given: of two that match, the first one answers."""
    return [
        Route(endpoint.path, _serve(instance, endpoint), methods=[endpoint.method], name=endpoint.handler.__name__)
        for endpoint in endpoints
    ]


def _serve(instance: GitHubInstance, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    route = f"{endpoint.method} {endpoint.path}"

    async def serve(request: Request) -> Response:
        headers = {
            "X-GitHub-Request-Id": uuid.uuid4().hex[:16].upper(),
            "X-GitHub-Media-Type": "github.v3; format=json",
        }
        try:
            _check_version(request)
            identity = identify(instance, request.headers.get("authorization"))
            headers |= {} if endpoint.free else count(instance, identity.token, route)
            found = instance.repository(_full_name(request)) if endpoint.needs else None
            if found is not None:
                check(identity, found, endpoint.needs, endpoint.role)
            fields = Fields({}) if endpoint.raw else parse(await request.body())
            call = Call(
                instance=instance,
                request=request,
                identity=identity,
                view=instance.view(_api_base(instance, request)),
                fields=fields,
                found=found,
            )
            answer = await endpoint.handler(call)
        except Problem as problem:
            return JSONResponse(problem.body(), problem.status, {**headers, **problem.headers})
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is left to read it
        if isinstance(answer, Response):
            return answer
        response = answer.response(request, headers)
        if response.status_code == NOT_MODIFIED and identity.token is not None:
            response.headers.update(uncount(instance, identity.token, route))
        return response

    return serve


def _check_version(request: Request) -> None:
    """https://docs.github.com/en/rest/about-the-rest-api/api-versions: without the header it is the one described."""
    asked = request.headers.get("x-github-api-version", API_VERSION)
    if asked != API_VERSION:
        raise Problem(400, f"{asked} is not a version this GitHub speaks; it speaks {API_VERSION}.")


def _full_name(request: Request) -> str:
    return f"{request.path_params['owner']}/{request.path_params['repo']}"


def _api_base(instance: GitHubInstance, request: Request) -> str:
    """Links lead back the way the client came: `gh` sends its token only to the host it is configured for."""
    host = request.headers.get("host", "")
    return f"{request.url.scheme}://{host}" if host.startswith("api.") else instance.address
