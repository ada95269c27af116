"""Holds every request and every answer of an emulator against the provider's description, while it runs."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rehearsal.contracts.contract import Contract
from rehearsal.contracts.exceptions import is_exempt
from rehearsal.contracts.operation import Operation


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One request or answer that the provider's description does not allow."""

    time: float
    contract: str
    kind: str
    """"request" or "answer"."""
    method: str
    path: str
    status: int | None
    """Of the answer; None for a request."""
    problems: tuple[str, ...]

    @property
    def text(self) -> str:
        """One line for people."""
        answer = f" answered {self.status}" if self.kind == "answer" else ""
        return f"{self.contract}: {self.kind} {self.method} {self.path}{answer}: {'; '.join(self.problems)}"


class Checked:
    """ASGI middleware around an emulator's app. Violations are appended to `record`.

    Strict (the default), a wrong request is answered 400 and does not reach the emulator, and a wrong answer becomes
    a 500; both name what is wrong. Otherwise they are only recorded. JSON bodies are read, others stream through.
    """

    def __init__(self, app: ASGIApp, contract: Contract, record: list[Violation], *, strict: bool = True) -> None:
        self._app = app
        self._contract = contract
        self._record = record
        self._strict = strict

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("raw_path", b"").decode("latin-1")
        if scope["type"] != "http" or scope["method"] == "OPTIONS" or not self._contract.covers(path):
            await self._app(scope, receive, send)
            return
        operation = self._contract.operation(scope["method"], path)
        body = _Body(scope)
        if body.is_json:
            await body.read(receive)
        problems = self._request_problems(operation, scope, path, body)
        if problems and self._note("request", scope, path, None, problems):
            await _refuse(send, 400, self._record[-1].text)
            return
        await self._answer(operation, scope, path, body.replay(receive), send)

    async def _answer(self, operation: Operation | None, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        if operation is None:
            await self._app(scope, receive, send)
            return
        held = _HeldAnswer(send)
        await self._app(scope, receive, held.send)
        if not held.complete:
            return
        # An answer to HEAD has the headers of its body, and no body.
        problems = [] if scope["method"] == "HEAD" else held.problems(operation)
        if problems and self._note("answer", scope, path, held.status, problems):
            await _refuse(send, 500, self._record[-1].text)
            return
        await held.release()

    def _request_problems(self, operation: Operation | None, scope: Scope, path: str, body: _Body) -> list[str]:
        if operation is None:
            problem = f"the description of {self._contract.name} has no such operation"
            return [] if is_exempt(self._contract.name, "request", scope["method"], path, problem) else [problem]
        problems = operation.check_request(parse_qs(scope["query_string"].decode("latin-1"), True), body.json)
        if body.problem and not operation.described.takes_bytes:
            name = self._contract.name
            exempt = is_exempt(name, "request", operation.method, operation.path, body.problem)
            problems = [] if exempt else [body.problem]
        return problems

    def _note(self, kind: str, scope: Scope, path: str, status: int | None, problems: list[str]) -> bool:
        """Record a violation; True when the client is to be informed."""
        self._record.append(
            Violation(
                time=time.time(),
                contract=self._contract.name,
                kind=kind,
                method=scope["method"],
                path=path,
                status=status,
                problems=tuple(problems),
            )
        )
        return self._strict


class _Body:
    """The request's body: read and parsed when it is JSON, and given to the app all the same."""

    def __init__(self, scope: Scope) -> None:
        headers = dict(scope["headers"])
        kind = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip()
        length = headers.get(b"content-length", b"0")
        self.json: Any = None
        self.problem: str | None = None
        self.is_json = kind.endswith("json")
        if not self.is_json and (length != b"0" or b"transfer-encoding" in headers):
            self.problem = f"body: is not JSON but {kind or 'of no type'}"
        self._messages: list[Message] = []

    async def read(self, receive: Receive) -> None:
        """Take the whole body in."""
        more = True
        while more:
            message = await receive()
            self._messages.append(message)
            more = message["type"] == "http.request" and message.get("more_body", False)
        raw = b"".join(message.get("body", b"") for message in self._messages)
        try:
            self.json = json.loads(raw) if raw else None
        except ValueError as error:
            self.problem = f"body: is not JSON ({error})"

    def replay(self, receive: Receive) -> Receive:
        """`receive` for the app: what was read first, then the connection itself."""
        waiting = iter(self._messages)

        async def replayed() -> Message:
            message = next(waiting, None)
            return await receive() if message is None else message

        return replayed


class _HeldAnswer:
    """Keeps a JSON answer back until it is whole; lets every other kind through as it comes."""

    def __init__(self, send: Send) -> None:
        self.status = 0
        self.complete = False
        self._send = send
        self._streams = False
        self._messages: list[Message] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = dict(message.get("headers", ()))
            kind = headers.get(b"content-type", b"").partition(b";")[0].strip()
            # Without a body there is nothing to wait for, but the status still has to be allowed.
            empty = headers.get(b"content-length") == b"0" or not kind
            self._streams = not kind.endswith(b"json") and not empty
        if self._streams:
            await self._send(message)
            return
        self._messages.append(message)
        self.complete = message["type"] == "http.response.body" and not message.get("more_body", False)

    def problems(self, operation: Operation) -> list[str]:
        raw = b"".join(message.get("body", b"") for message in self._messages)
        try:
            body = json.loads(raw) if raw.strip() else None
        except ValueError as error:
            return [f"body: is not JSON ({error})"]
        return operation.check_answer(self.status, body)

    async def release(self) -> None:
        """Send on what was held."""
        for message in self._messages:
            await self._send(message)


async def _refuse(send: Send, status: int, text: str) -> None:
    """An answer whose text every provider's client shows: `message` (GitHub) and `error.message` (Google, Vercel)."""
    content = {"message": text, "error": {"code": "contract_violation", "message": text}}
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
