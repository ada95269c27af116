"""What was asked of the world and what it answered, without the secrets that went by."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import deque
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

REDACTED = "[redacted]"

_JSON_KEPT_BYTES = 64 * 1024
_SECRET_NAME = re.compile(
    r"token|secret|passw|authorization|credential|private_?key|api_?key|encrypted_value|(^|_)dsn$|bypass|signature|cookie",
    re.IGNORECASE,
)
# Anyone who knows the last part of an incoming-webhook address can post to it.
_SECRET_PATH = re.compile(r"^(/services/[^/]+/[^/]+/)[^/]+$")
_SECRET_TEXT = re.compile(
    r"gh[a-z]_\w{8,}|xox[a-z]-[\w-]+|eyJ[\w-]+\.[\w-]+\.[\w-]*|Bearer \S+|://[^/\s:@]*:[^/\s@]+@"
    r"|hooks\.slack\.com/services/\S+|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?"
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One request and how it was answered."""

    number: int
    """Counts from 1 and never repeats, so a reader can ask for what came later."""
    time: float
    """When the request arrived, seconds since the epoch."""
    emulator: str
    method: str
    host: str
    path: str
    query: str
    status: int | None
    """None when the connection ended without an answer."""
    seconds: float
    request_bytes: int
    request_sha256: str | None
    """Of the raw request body, None for an empty one."""
    request: Any
    """The JSON request body with its secrets taken out, None for other kinds of bodies."""
    answer_bytes: int

    @property
    def took_effect(self) -> bool:
        """Whether it was carried out: answered well, or its answer was lost."""
        return self.status is None or 200 <= self.status < 300


class Journal:
    """The newest `limit` entries of every emulator, oldest first."""

    def __init__(self, *, limit: int = 20_000) -> None:
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._numbers = count(1)

    def add(self, **fields: Any) -> Entry:
        """Keep an entry made of the fields of `Entry` except its number."""
        entry = Entry(number=next(self._numbers), **fields)
        self._entries.append(entry)
        return entry

    def entries(self, *, emulator: str | None = None, after: int = 0) -> list[Entry]:
        """Entries numbered above `after`, of one emulator or of all."""
        return [e for e in self._entries if e.number > after and emulator in (None, e.emulator)]

    def as_json(self, *, emulator: str | None = None, after: int = 0) -> list[dict[str, Any]]:
        """`entries`, JSON-ready."""
        return [asdict(entry) for entry in self.entries(emulator=emulator, after=after)]

    def clear(self) -> None:
        """Forget everything; numbers go on."""
        self._entries.clear()


class Journaled:
    """ASGI middleware that notes each request of `app` in a journal. Headers are not kept."""

    def __init__(self, app: ASGIApp, emulator: str, journal: Journal) -> None:
        self._app = app
        self._emulator = emulator
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        finally:
            self._journal.add(emulator=self._emulator, **exchange.fields())


class _Exchange:
    """Listens in on one request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._began, self._clock = time.time(), time.perf_counter()
        self._headers = dict(scope["headers"])
        self._hash = hashlib.sha256()
        self._is_json = b"json" in self._headers.get(b"content-type", b"")
        self._body = bytearray()
        self._request_bytes = self._answer_bytes = 0
        self._status: int | None = None

    async def receive(self) -> Message:
        message = await self._receive()
        chunk = message.get("body", b"")
        if chunk:
            self._hash.update(chunk)
            self._request_bytes += len(chunk)
            if self._is_json and self._request_bytes <= _JSON_KEPT_BYTES:
                self._body += chunk
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        self._answer_bytes += len(message.get("body", b""))
        await self._send(message)

    def fields(self) -> dict[str, Any]:
        return {
            "time": self._began,
            "method": self._scope["method"],
            "host": self._headers.get(b"host", b"").decode("latin-1"),
            "path": _SECRET_PATH.sub(rf"\1{REDACTED}", self._scope["path"]),
            "query": _query(self._scope["query_string"].decode("latin-1")),
            "status": self._status,
            "seconds": time.perf_counter() - self._clock,
            "request_bytes": self._request_bytes,
            "request_sha256": self._hash.hexdigest() if self._request_bytes else None,
            "request": self._json(),
            "answer_bytes": self._answer_bytes,
        }

    def _json(self) -> Any:
        if not self._body or self._request_bytes > _JSON_KEPT_BYTES:
            return None
        try:
            return redact(json.loads(self._body))
        except ValueError:
            return None


def redact(value: Any) -> Any:
    """A copy of JSON data without what looks like a secret, by the name of its key or by its form.

    Besides keys that speak for themselves, the `value` of an environment variable and any `data` (the payload of a
    secret's version, the content of a file) are taken out.
    """
    if isinstance(value, dict):
        return {name: REDACTED if _is_secret(name, item, value) else redact(item) for name, item in value.items()}
    if isinstance(value, list):
        return [redact(item) for item in value]
    if isinstance(value, str):
        return _SECRET_TEXT.sub(REDACTED, value)
    return value


def _is_secret(name: str, item: Any, siblings: dict[str, Any]) -> bool:
    if isinstance(item, dict | bool) or item is None:
        return False
    if isinstance(item, list):
        return bool(_SECRET_NAME.search(name)) and any(isinstance(element, str) for element in item)
    return bool(_SECRET_NAME.search(name)) or (name == "value" and _is_hidden_variable(siblings)) or name == "data"


def _is_hidden_variable(fields: dict[str, Any]) -> bool:
    """Vercel's variables (created with a `key`, edited by their `target`), EAS's that are not public, and others by their name."""
    named = fields.get("name")
    hidden = fields.get("visibility", "PUBLIC") != "PUBLIC"
    return hidden or not {"key", "target"}.isdisjoint(fields) or bool(_SECRET_NAME.search(str(named or "")))


def _query(raw: str) -> str:
    if not _SECRET_NAME.search(raw):
        return raw
    pairs = parse_qsl(raw, keep_blank_values=True)
    return urlencode([(name, REDACTED if _SECRET_NAME.search(name) else value) for name, value in pairs])
