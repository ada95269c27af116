"""The time the runner goes by: real, or set by a test or a story."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime: ...

    async def until(self, moment: datetime) -> None:
        """Return once it is `moment` or later."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def until(self, moment: datetime) -> None:
        while (left := (moment - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 - time passes, no event says so
            await asyncio.sleep(left)


class SetClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def move(self, delta: timedelta) -> None:
        """Forward; waiters whose moment is past now go on."""
        self._now += delta
        self._moved.set()
        self._moved = asyncio.Event()

    async def until(self, moment: datetime) -> None:
        while self._now < moment:
            await self._moved.wait()
