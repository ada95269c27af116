"""HTTP of what SDKs send. Browsers send it from any page, so every answer allows every origin."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rehearsal.emulators.sentry.envelope import Item, Unreadable, decompress, parse
from rehearsal.emulators.sentry.state import Organization, Project

_KEY = re.compile(r"sentry_key=([0-9a-f]+)")
_CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "x-sentry-auth, authorization, content-type, content-encoding, sentry-trace, baggage",
    "access-control-allow-methods": "POST, OPTIONS",
    "access-control-expose-headers": "x-sentry-error, x-sentry-rate-limits, retry-after",
}


class Intake:
    """`/api/{project}/envelope/` and the older `/api/{project}/store/`."""

    def __init__(self, organization: Organization) -> None:
        self._organization = organization

    async def envelope(self, request: Request) -> Response:
        """POST /api/{project}/envelope/"""
        return await self._take(request, whole=True)

    async def store(self, request: Request) -> Response:
        """POST /api/{project}/store/: one event as JSON"""
        return await self._take(request, whole=False)

    async def _take(self, request: Request, *, whole: bool) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=200, headers=_CORS)
        project = self._organization.project_by_id(str(request.path_params["project"]))
        if project is None:
            return _refused(404, "unknown project")
        try:
            body = decompress(await request.body(), request.headers.get("content-encoding", ""))
            header, items = parse(body) if whole else ({}, [Item(type="event", payload=json.loads(body))])
        except Unreadable as error:
            return _refused(400, str(error))
        except ValueError as error:
            return _refused(400, f"not JSON: {error}")
        if _key(request.headers, request.query_params, header) != project.public_key:
            return _refused(403, "bad sentry DSN public key")
        return JSONResponse({"id": self._keep(project, items) or header.get("event_id")}, headers=_CORS)

    def _keep(self, project: Project, items: list[Item]) -> str | None:
        kept = [self._organization.take(project, item) for item in items]
        return next((event_id for event_id in kept if event_id), None)


def _key(headers: Mapping[str, str], query: Mapping[str, str], envelope: dict[str, str]) -> str | None:
    """The DSN's public key: in the X-Sentry-Auth header, in the query, or in the DSN of the envelope's header."""
    match = _KEY.search(headers.get("x-sentry-auth", "")) or _KEY.search(headers.get("authorization", ""))
    if match:
        return match[1]
    if "sentry_key" in query:
        return query["sentry_key"]
    return envelope.get("dsn", "").partition("://")[2].partition("@")[0] or None


def _refused(status: int, detail: str) -> Response:
    return JSONResponse({"detail": detail}, status, {**_CORS, "x-sentry-error": detail})
