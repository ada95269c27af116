"""Turns whatever goes wrong while a request is handled into an answer in our form."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.answers import problem
from backend.database import DatabaseUnavailableError
from backend.logs import Log
from backend.telemetry import Report

_log = Log("backend.failures")


class Failures:
    """ASGI middleware: 503 while the database is away, 500 for a bug, which is also reported.

    It sits inside the CORS middleware, so that a browser may read these answers too.
    """

    def __init__(self, app: ASGIApp, *, report: Report) -> None:
        self._app, self._report = app, report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except DatabaseUnavailableError as error:
            _log.error("database is away", error=error)
            if started or scope["type"] != "http":
                raise
            text = "The notes cannot be reached right now. Try again in a moment."
            answer = problem(503, "database_unavailable", text, headers={"Retry-After": "5"})
            await answer(scope, receive, send)
        except Exception as error:
            self._report(error)
            _log.error("unexpected error", error=error)
            if started or scope["type"] != "http":
                raise
            await problem(500, "internal", "Something went wrong on our side.")(scope, receive, send)
