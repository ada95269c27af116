"""HTTP of both sides: what SDKs send, and what is asked of it with a token."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.emulators.sentry import events
from rehearsal.emulators.sentry.access import Access
from rehearsal.emulators.sentry.errors import ApiError, answer_api_error, answer_http_error, not_found
from rehearsal.emulators.sentry.intake import Intake
from rehearsal.emulators.sentry.state import Organization


def app(organization: Organization, access: Access) -> Starlette:
    """All of one organization."""
    intake, api = Intake(organization), _Api(organization, access)
    return Starlette(
        routes=[
            Route("/api/0/organizations/{organization}/events/", api.events, methods=["GET"]),
            Route("/api/{project:int}/envelope/", intake.envelope, methods=["POST", "OPTIONS"]),
            Route("/api/{project:int}/store/", intake.store, methods=["POST", "OPTIONS"]),
        ],
        exception_handlers={ApiError: answer_api_error, HTTPException: answer_http_error},
    )


class _Api:
    """https://docs.sentry.io/api/"""

    def __init__(self, organization: Organization, access: Access) -> None:
        self._organization = organization
        self._access = access

    async def events(self, request: Request) -> Response:
        """GET /api/0/organizations/{organization}/events/"""
        token = self._access.token(request)
        headers, refused = self._access.counted(token)
        try:
            if refused is not None:
                raise refused
            if request.path_params["organization"] != self._organization.slug:
                raise not_found()
            self._access.require_reading(token)
            page = events.answer(self._organization, request.query_params, str(request.url.replace(query="")))
        except ApiError as error:
            return JSONResponse({"detail": error.detail}, error.status, headers)
        return JSONResponse(page.body, headers={**headers, "Link": page.link})
