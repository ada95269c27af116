"""The event log of a scenario: what users did, what was waited for, what was asserted. The report is made from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(kw_only=True)
class LoggedEvent:
    """One event; times are seconds since the epoch."""

    kind: str
    """action, wait, assertion, live, notification, traffic, faults, failure"""
    text: str
    user: str = ""
    started: float
    ended: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class EventLog:
    """The events of one story."""

    story: str
    events: list[LoggedEvent] = field(default_factory=list)
    listener: Callable[[LoggedEvent], None] = lambda event: None
    """Called when an event starts, and when it ends."""
    clock: Callable[[], float] = time.time

    @contextmanager
    def record(self, kind: str, text: str, *, user: str = "", **facts: Any) -> Iterator[LoggedEvent]:
        """An event that lasts as long as the block. An exception makes it a failure, and is raised again."""
        event = LoggedEvent(kind=kind, text=text, user=user, started=self.clock(), facts=facts)
        self.events.append(event)
        self.listener(event)
        try:
            yield event
        except BaseException as error:
            event.kind = "failure"
            event.facts["error"] = str(error)
            raise
        finally:
            event.ended = self.clock()
            self.listener(event)

    def add(self, kind: str, text: str, *, user: str = "", **facts: Any) -> LoggedEvent:
        """An event of one moment."""
        with self.record(kind, text, user=user, **facts) as event:
            return event

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(event) for event in self.events]
