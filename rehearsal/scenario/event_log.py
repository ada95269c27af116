"""What happened in a story, as it happened: people's acts, what was waited for, what was proved. The report is made from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(kw_only=True)
class Entry:
    """One line of a diary; times are seconds since the epoch."""

    kind: str
    """act, wait, proof, live, message, failure"""
    text: str
    who: str = ""
    started: float
    ended: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Diary:
    """The entries of one story."""

    story: str
    entries: list[Entry] = field(default_factory=list)
    listener: Callable[[Entry], None] = lambda entry: None
    clock: Callable[[], float] = time.time

    @contextmanager
    def during(self, kind: str, text: str, *, who: str = "", **facts: Any) -> Iterator[Entry]:
        """An entry that lasts as long as the block; a failure in it is written down and goes on up."""
        entry = Entry(kind=kind, text=text, who=who, started=self.clock(), facts=facts)
        self.entries.append(entry)
        self.listener(entry)
        try:
            yield entry
        except BaseException as error:
            entry.kind = "failure"
            entry.facts["error"] = str(error)
            raise
        finally:
            entry.ended = self.clock()
            self.listener(entry)

    def note(self, kind: str, text: str, *, who: str = "", **facts: Any) -> Entry:
        """An entry of one moment."""
        with self.during(kind, text, who=who, **facts) as entry:
            return entry

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(entry) for entry in self.entries]
