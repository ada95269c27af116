"""Misbehaviour on demand: what providers do to their clients on a bad day, aimed at chosen requests and counted."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, field, fields
from itertools import count
from typing import Any, Literal, get_args

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rehearsal.serving import cut

Kind = Literal["delay", "status", "cut", "throttle", "lose_answer"]

Who = Callable[[Scope], Collection[str]]
"""What a request says of who sends it: kinds of tokens and logins, in an emulator's own words. Empty when it says nothing."""

_FIRED_KEPT = 10_000


class BadFault(ValueError):
    """A fault that cannot be meant; the text names the field."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Which requests are hit, how, and how often."""

    kind: Kind
    """delay: answer after `seconds`. status: answer `status` without reaching the provider. cut: break the connection
    without an answer. throttle: 429 with Retry-After. lose_answer: the provider acts, then the connection breaks."""
    emulator: str | None = None
    """By name ("vercel"); None for any."""
    method: str | None = None
    """Regular expression of the whole method ("POST|PATCH"); None for any."""
    path: str = ".*"
    """Regular expression found in the path."""
    host: str | None = None
    """Host name asked for, without a port; None for any."""
    by: str | None = None
    """Who asks, as the emulator knows them: at GitHub "job", "person" or a login; None for anybody. Where an emulator cannot
    tell, such a fault hits nobody."""
    times: int | None = 1
    """How many requests are hit; None for every one."""
    after: int = 0
    """How many matching requests pass unharmed first."""
    seconds: float = 0.0
    """Of a delay; a lost answer waits this long after its effect, other kinds before theirs."""
    status: int = 503
    body: Any = None
    """JSON of a `status` answer; by default an error object all clients understand."""
    retry_after: int = 1
    """Seconds in the Retry-After header of a throttle."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise BadFault(f"kind: {self.kind!r} is not one of {', '.join(get_args(Kind))}")
        for name in ("after", "status", "retry_after", "seconds", "times"):
            value = getattr(self, name)
            if not isinstance(value, int | float) and not (name == "times" and value is None):
                raise BadFault(f"{name}: {value!r} is not a number")
        try:
            re.compile(self.path)
        except re.error as error:
            raise BadFault(f"path: {self.path!r} is not a regular expression ({error})") from None

    @classmethod
    def from_json(cls, data: Any) -> Fault:
        """A fault from a JSON object of its fields. Raises BadFault for an unknown field, kind or expression."""
        known = {f.name for f in fields(cls)}
        if not isinstance(data, dict) or not set(data) <= known:
            raise BadFault(f"a fault is an object of {', '.join(sorted(known))}; got {data!r}")
        if "kind" not in data:
            raise BadFault("kind: is missing")
        return cls(**data)

    def matches(self, emulator: str, scope: Scope, who: Who | None = None) -> bool:
        """True if the request is one this fault is aimed at."""
        return (
            self.emulator in (None, emulator)
            and (self.method is None or re.fullmatch(self.method, scope["method"]) is not None)
            and self.host in (None, _host(scope))
            and re.search(self.path, scope["path"]) is not None
            and (self.by is None or (who is not None and self.by in who(scope)))
        )


@dataclass(kw_only=True)
class Armed:
    """A fault in force, and how often it met a request."""

    number: int
    fault: Fault
    matched: int = 0
    fired: int = 0

    def hits(self) -> bool:
        """Count one matching request; True if it is to be hit."""
        self.matched += 1
        if self.matched <= self.fault.after or (self.fault.times is not None and self.fired >= self.fault.times):
            return False
        self.fired += 1
        return True


@dataclass(frozen=True, kw_only=True)
class Fired:
    """One request that was hit."""

    time: float
    """Seconds since the epoch."""
    number: int
    """Of the fault."""
    kind: Kind
    emulator: str
    method: str
    host: str
    path: str


@dataclass
class Faults:
    """Every fault in force, for all emulators, and what they did."""

    armed: list[Armed] = field(default_factory=list)
    fired: deque[Fired] = field(default_factory=lambda: deque(maxlen=_FIRED_KEPT))
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def add(self, fault: Fault) -> Armed:
        """Put a fault in force."""
        armed = Armed(number=next(self._numbers), fault=fault)
        self.armed.append(armed)
        return armed

    def remove(self, number: int) -> bool:
        """Take a fault back; False if there is none of that number."""
        before = len(self.armed)
        self.armed = [armed for armed in self.armed if armed.number != number]
        return len(self.armed) < before

    def clear(self) -> None:
        """Take all faults back. What fired stays listed."""
        self.armed.clear()

    def strike(self, emulator: str, scope: Scope, who: Who | None = None) -> Fault | None:
        """The fault that hits this request, if one does: the first in force. It is counted and listed."""
        for armed in self.armed:
            if armed.fault.matches(emulator, scope, who) and armed.hits():
                self.fired.append(
                    Fired(
                        time=time.time(),
                        number=armed.number,
                        kind=armed.fault.kind,
                        emulator=emulator,
                        method=scope["method"],
                        host=_host(scope),
                        path=scope["path"],
                    )
                )
                return armed.fault
        return None

    def as_json(self) -> dict[str, Any]:
        """What is in force with its counts, and what was hit, oldest first."""
        return {"armed": [asdict(armed) for armed in self.armed], "fired": [asdict(fired) for fired in self.fired]}


class Faulty:
    """ASGI middleware that lets the faults strike the requests of one emulator. It must run under rehearsal.serving."""

    def __init__(self, app: ASGIApp, emulator: str, faults: Faults, who: Who | None = None) -> None:
        self._app = app
        self._emulator = emulator
        self._faults = faults
        self._who = who

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._faults.strike(self._emulator, scope, self._who) if scope["type"] == "http" else None
        if fault is None:
            await self._app(scope, receive, send)
            return
        if fault.seconds and fault.kind != "lose_answer":
            await asyncio.sleep(fault.seconds)
        if fault.kind == "delay":
            await self._app(scope, receive, send)
        elif fault.kind == "cut":
            await cut(scope, receive)
        elif fault.kind == "lose_answer":
            await self._app(scope, receive, _nowhere)
            await asyncio.sleep(fault.seconds)
            await cut(scope, receive)
        else:
            await _answer(fault, receive, send)


async def _nowhere(message: Message) -> None:
    """Takes an answer that is lost on its way."""


async def _answer(fault: Fault, receive: Receive, send: Send) -> None:
    """The `status` and `throttle` answers. The request is read first: a client that still sends would see a reset."""
    while (await receive()).get("more_body"):
        continue
    status = 429 if fault.kind == "throttle" else fault.status
    text = "too many requests" if status == 429 else "the service is unavailable"
    content = fault.body if fault.body is not None else {"message": text, "error": {"code": status, "message": text}}
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if fault.kind == "throttle":
        headers.append((b"retry-after", str(fault.retry_after).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _host(scope: Scope) -> str:
    host: bytes = dict(scope["headers"]).get(b"host", b"")
    return host.decode("latin-1").rpartition(":")[0] or host.decode("latin-1")
