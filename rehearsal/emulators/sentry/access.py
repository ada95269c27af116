"""Who may use the API, and refusals in its form."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rehearsal.emulators.sentry.state import Organization


class Refused(Exception):
    """A refusal with its JSON."""

    def __init__(self, status: int, content: dict[str, Any]) -> None:
        super().__init__(str(content))
        self.status = status
        self.content = content


async def answer_refusal(_request: Request, error: Exception) -> Response:
    """Starlette's handler for Refused."""
    if not isinstance(error, Refused):
        raise error
    return JSONResponse(error.content, error.status)


class Access:
    """The auth tokens of one organization."""

    def __init__(self, organization: Organization, tokens: frozenset[str]) -> None:
        self._organization = organization
        self._tokens = tokens

    def require(self, request: Request) -> None:
        """Raises Refused: 401 without a valid token, 404 for another organization or an unknown project."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            raise Refused(401, {"detail": "Authentication credentials were not provided."})
        if scheme.lower() != "bearer" or token not in self._tokens:
            raise Refused(401, {"detail": "Invalid token"})
        if request.path_params.get("organization") != self._organization.slug:
            raise Refused(404, {"detail": "The requested resource does not exist"})
        project = request.path_params.get("project")
        if project is not None and project not in self._organization.projects:
            raise Refused(404, {"detail": "The requested resource does not exist"})

    async def json(self, request: Request) -> dict[str, Any]:
        """The request's JSON object. Raises Refused (400)."""
        try:
            body = await request.json()
        except ValueError as error:
            raise Refused(400, {"detail": f"JSON parse error - {error}"}) from None
        if not isinstance(body, dict):
            raise Refused(400, {"detail": "Invalid data: an object was expected"})
        return body
