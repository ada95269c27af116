"""Headers that keep browsers and caches careful with every answer."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class SecurityHeaders:
    """ASGI middleware. `https_only` adds Strict-Transport-Security (RFC 6797) for a year."""

    def __init__(self, app: ASGIApp, *, https_only: bool) -> None:
        self._app = app
        self._headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        if https_only:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""

        async def careful(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, careful if scope["type"] == "http" else send)
