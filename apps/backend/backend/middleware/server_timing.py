"""Tells the users of a load test how long their request waited for the database."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.database import query_time
from backend.middleware.tokens import takes_token

LOAD_HEADER = "X-Shipmate-Load"
IS_LOAD = "backend.load"
"""The key of a scope whose request came with the token; no header can set it."""


class ServerTiming:
    """ASGI middleware: `Server-Timing: db;dur=MILLISECONDS` (W3C Server Timing) for who sends `token`, and for nobody else.

    Anyone who sends it is limited like any other user, by the name it gives itself.
    """

    def __init__(self, app: ASGIApp, *, token: str | None) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] != "http" or not takes_token(scope, LOAD_HEADER, self._token):
            await self._app(scope, receive, send)
            return
        scope[IS_LOAD] = True
        with query_time() as waited:

            async def timed(message: Message) -> None:
                if message["type"] == "http.response.start":
                    figure = f'db;dur={waited.seconds * 1000:.3f};desc="{waited.round_trips} round trips"'
                    MutableHeaders(scope=message)["Server-Timing"] = figure
                await send(message)

            await self._app(scope, receive, timed)
