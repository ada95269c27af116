"""HTTP of both sides: what SDKs send, and what is asked of it with a token."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.emulators.refusal import exception_handlers
from rehearsal.emulators.sentry import artifact_bundles, events, releases, sessions
from rehearsal.emulators.sentry.access import Access
from rehearsal.emulators.sentry.errors import ApiError, not_found, not_routed
from rehearsal.emulators.sentry.intake import Intake
from rehearsal.emulators.sentry.state import Organization


def app(organization: Organization, access: Access) -> Starlette:
    """All of one organization."""
    intake, api = Intake(organization), _Api(organization, access)
    return Starlette(
        routes=[
            Route("/api/0/organizations/{organization}/events/", api.events, methods=["GET"]),
            Route("/api/0/organizations/{organization}/sessions/", api.sessions, methods=["GET"]),
            Route("/api/0/organizations/{organization}/releases/", api.releases, methods=["POST"]),
            Route("/api/0/organizations/{organization}/chunk-upload/", api.chunk_options, methods=["GET"]),
            Route("/api/0/organizations/{organization}/chunk-upload/", api.chunks, methods=["POST"]),
            Route("/api/0/organizations/{organization}/artifactbundle/assemble/", api.assemble, methods=["POST"]),
            Route(
                "/api/0/projects/{organization}/{project}/files/artifact-bundles/",
                api.artifact_bundles,
                methods=["GET"],
            ),
            Route("/api/{project:int}/envelope/", intake.envelope, methods=["POST", "OPTIONS"]),
            Route("/api/{project:int}/store/", intake.store, methods=["POST", "OPTIONS"]),
        ],
        exception_handlers=exception_handlers(not_routed),
    )


class _Api:
    """https://docs.sentry.io/api/"""

    def __init__(self, organization: Organization, access: Access) -> None:
        self._organization = organization
        self._access = access

    async def events(self, request: Request) -> Response:
        """GET /api/0/organizations/{organization}/events/"""

        def page() -> tuple[Any, dict[str, str]]:
            found = events.answer(self._organization, request.query_params, str(request.url.replace(query="")))
            return found.body, {"Link": found.link}

        return self._read(request, page)

    async def sessions(self, request: Request) -> Response:
        """GET /api/0/organizations/{organization}/sessions/"""
        return self._read(request, lambda: (sessions.answer(self._organization, request.query_params), {}))

    async def releases(self, request: Request) -> Response:
        """POST /api/0/organizations/{organization}/releases/"""
        document = await request.json()
        status = 201

        def made() -> tuple[Any, dict[str, str]]:
            nonlocal status
            body, status = releases.announce(self._organization, document)
            return body, {}

        answer = self._answer(request, made, self._access.require_announcing)
        answer.status_code = status if answer.status_code == 200 else answer.status_code
        return answer

    async def chunk_options(self, request: Request) -> Response:
        """GET /api/0/organizations/{organization}/chunk-upload/"""
        address = str(request.base_url).rstrip("/")
        return self._write(request, lambda: artifact_bundles.options(self._organization, address))

    async def chunks(self, request: Request) -> Response:
        """POST /api/0/organizations/{organization}/chunk-upload/: parts `file`, or `file_gzip`, each with its SHA-1 as its name"""
        parts = _parts(await request.body(), request.headers.get("content-type", ""))
        sent = [(name, gzip.decompress(part) if kind == "file_gzip" else part) for kind, name, part in parts]
        return self._write(request, lambda: artifact_bundles.take(self._organization, sent))

    async def assemble(self, request: Request) -> Response:
        """POST /api/0/organizations/{organization}/artifactbundle/assemble/"""
        document = await request.json()
        return self._write(request, lambda: artifact_bundles.assemble(self._organization, document))

    async def artifact_bundles(self, request: Request) -> Response:
        """GET /api/0/projects/{organization}/{project}/files/artifact-bundles/"""
        project, query = request.path_params["project"], request.query_params.get("query", "")

        def found() -> list[dict[str, Any]]:
            if project not in self._organization.projects:
                raise not_found()
            return artifact_bundles.listed(self._organization, project, query)

        return self._write(request, found)

    def _write(self, request: Request, make: Callable[[], Any]) -> Response:
        """For who may announce releases."""
        return self._answer(request, lambda: (make(), {}), self._access.require_announcing)

    def _read(self, request: Request, find: Callable[[], tuple[Any, dict[str, str]]]) -> Response:
        return self._answer(request, find, self._access.require_reading)

    def _answer(
        self, request: Request, find: Callable[[], tuple[Any, dict[str, str]]], require: Callable[[str], None]
    ) -> Response:
        """What `find` gives, body and headers, to who may have it."""
        token = self._access.token(request)
        headers, refused = self._access.counted(token)
        try:
            if refused is not None:
                raise refused
            if request.path_params["organization"] != self._organization.slug:
                raise not_found()
            require(token)
            body, more = find()
        except ApiError as error:
            refusal = error.response()
            refusal.headers.update(headers)
            return refusal
        return Response(headers=headers) if body is None else JSONResponse(body, headers={**headers, **more})


def _parts(body: bytes, kind: str) -> list[tuple[str, str, bytes]]:
    """Of multipart/form-data (RFC 7578): each file's field, its name and its content."""
    boundary = kind.partition("boundary=")[2].strip('"')
    found = []
    for part in body.split(b"--" + boundary.encode())[1:-1] if boundary else ():
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        names = dict(re.findall(r'\b(name|filename)="([^"]*)"', head.decode()))
        if "filename" in names:
            found.append((names["name"], names["filename"], content.removesuffix(b"\r\n")))
    return found
