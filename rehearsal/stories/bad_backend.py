"""What the bad releases do instead of serving their users well, each chosen by its name. The story `bad-releases` puts this file into
the backend of its clone; it imports nothing of the rehearsal, and the platform's own backend does not have it."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

WEARS_OUT_AFTER = 60
"""Requests about notes."""
SLOW_SECONDS, VERY_SLOW_SECONDS = 0.3, 2.5


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request: `number` counts those about notes that this process had, `chance` is between 0 and 1."""

    method: str
    path: str
    number: int
    chance: float
    workers: bool
    """Whether this process has the workers, as what has traffic does."""

    @property
    def about_notes(self) -> bool:
        return self.path.startswith("/notes")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What comes instead of a good answer, after `seconds`; without an answer the good one."""

    answer: Response | None = None
    seconds: float = 0.0


BROKEN = Fault(answer=JSONResponse({"error": "it is broken"}, status_code=500))
AWAY = Fault(answer=JSONResponse({"error": "it is away"}, status_code=503))
SLOW, VERY_SLOW = Fault(seconds=SLOW_SECONDS), Fault(seconds=VERY_SLOW_SECONDS)


def dead(ask: Ask) -> Fault | None:
    return None if ask.path.startswith("/health") else AWAY


def empty(ask: Ask) -> Fault | None:
    nothing = JSONResponse({"notes": [], "next": None})
    return Fault(answer=nothing) if (ask.method, ask.path) == ("GET", "/notes") else None


def blind(ask: Ask) -> Fault | None:
    return BROKEN if ask.path == "/notes/search" else None


def finds_nothing(ask: Ask) -> Fault | None:
    nothing = JSONResponse({"query": "", "results": []})
    return Fault(answer=nothing) if ask.path == "/notes/search" else None


def forgetful(ask: Ask) -> Fault | None:
    kept = JSONResponse({"id": str(uuid.uuid4()), "text": ""}, status_code=201)
    return Fault(answer=kept) if ask.method == "POST" and ask.chance < 0.2 else None


def fails_a_fifth(ask: Ask) -> Fault | None:
    return BROKEN if ask.about_notes and ask.chance < 0.2 else None


def fails_a_tenth(ask: Ask) -> Fault | None:
    return BROKEN if ask.about_notes and ask.chance < 0.1 else None


def cannot_delete(ask: Ask) -> Fault | None:
    return BROKEN if ask.method == "DELETE" else None


def slow(ask: Ask) -> Fault | None:
    return SLOW if ask.about_notes else None


def sometimes_slow(ask: Ask) -> Fault | None:
    return VERY_SLOW if ask.about_notes and ask.chance < 0.1 else None


def wears_out(ask: Ask) -> Fault | None:
    return BROKEN if ask.about_notes and ask.number > WEARS_OUT_AFTER else None


def fails_with_traffic(ask: Ask) -> Fault | None:
    return BROKEN if ask.about_notes and ask.workers else None


def slow_with_traffic(ask: Ask) -> Fault | None:
    return SLOW if ask.about_notes and ask.workers else None


BEHAVIOURS: dict[str, Callable[[Ask], Fault | None]] = {
    f"bad-{behaviour.__name__.replace('_', '-')}": behaviour
    for behaviour in (
        dead,
        empty,
        blind,
        finds_nothing,
        forgetful,
        fails_a_fifth,
        fails_a_tenth,
        cannot_delete,
        slow,
        sometimes_slow,
        wears_out,
        fails_with_traffic,
        slow_with_traffic,
    )
}
"""Name of a release -> what it does."""


class Misbehaviour:
    """ASGI middleware. A release of another name is as good as without it."""

    def __init__(self, app: ASGIApp, *, release: str, workers: bool) -> None:
        self._app, self._workers = app, workers
        self._behaviour = BEHAVIOURS.get(release)
        self._chance = random.Random()  # noqa: S311 - which requests fail is no secret
        self._asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        fault = self._fault(scope) if scope["type"] == "http" else None
        if fault is not None:
            await asyncio.sleep(fault.seconds)
        await (self._app if fault is None or fault.answer is None else fault.answer)(scope, receive, send)

    def _fault(self, scope: Scope) -> Fault | None:
        if self._behaviour is None:
            return None
        self._asked += scope["path"].startswith("/notes")
        return self._behaviour(
            Ask(
                method=scope["method"],
                path=scope["path"],
                number=self._asked,
                chance=self._chance.random(),
                workers=self._workers,
            )
        )
