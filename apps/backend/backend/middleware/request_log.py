"""Gives every request an id and logs how it went."""

from __future__ import annotations

import re
import time
from typing import Any
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.logs import Log, log_context

HEADER = "X-Request-ID"
# RFC 9562 §4. Nothing else is taken over from a caller: it goes into logs and headers.
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_log = Log("backend.requests")


def request_id(given: str | None) -> str:
    """`given` in lower case when it is a UUID, otherwise a new random UUID."""
    return given.lower() if given is not None and _UUID.fullmatch(given) else str(uuid4())


class RequestLog:
    """ASGI middleware: `X-Request-ID` in and out, one debug line at the start, one line at the end.

    Probes ask all day: their lines are written at debug level unless they fail.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier = request_id(Headers(scope=scope).get(HEADER))
        scope.setdefault("state", {})["request_id"] = identifier
        with log_context(request_id=identifier):
            await _Exchange(scope, send, identifier).run(self._app, receive)


class _Exchange:
    """One request and its response."""

    def __init__(self, scope: Scope, send: Send, identifier: str) -> None:
        self._scope, self._send, self._identifier = scope, send, identifier
        self._status, self._bytes = 0, 0
        self._started = time.perf_counter()

    async def run(self, app: ASGIApp, receive: Receive) -> None:
        method, path = self._scope["method"], self._scope["path"]
        _log.debug("request received", method=method, path=path)
        try:
            await app(self._scope, receive, self._watched)
        finally:
            self._report(method, path)

    async def _watched(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            MutableHeaders(scope=message)[HEADER] = self._identifier
        elif message["type"] == "http.response.body":
            self._bytes += len(message.get("body", b""))
        await self._send(message)

    def _report(self, method: str, path: str) -> None:
        figures: dict[str, Any] = {
            "method": method,
            "path": path,
            "status": self._status,
            "duration_ms": round((time.perf_counter() - self._started) * 1000, 2),
            "response_bytes": self._bytes,
        }
        if self._status >= 500 or not self._status:
            _log.error("request failed", **figures)
        elif self._status == 429:
            _log.warn("request refused", **figures)
        elif path.startswith("/health"):
            _log.debug("request completed", **figures)
        else:
            _log.info("request completed", **figures)
