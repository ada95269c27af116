"""Write a delivery into the ledger, for people. GitHub's trouble is reported once and then ignored: no delivery waits for it.

Nothing here refuses, and all that a job writes takes `LONGEST` seconds at most, whatever GitHub does: it may answer with errors, with a
limit, a byte at a time, or not at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

from pipelines.errors import ShipmateError
from pipelines.ledger import DEPLOY, Ledger
from pipelines.threads import within

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.ledger import Record, State
    from pipelines.runtime import Runtime

T = TypeVar("T")

RECENT = 15
LONGEST = 5.0
"""Seconds of a job that its ledger may take, in all. Real ones: GitHub does not answer faster in a rehearsal."""
LONGEST_READING = 20.0
"""Seconds that reading the records may take: people wait for them, no delivery does."""
_TROUBLE = (ShipmateError, OSError, LookupError, TypeError, ValueError, AttributeError)
"""GitHub does not answer in time, or with an error, or with something that is no answer: a page of a proxy, half a document."""


class Run(Protocol):
    """Who writes: a job of a workflow, or a terminal, that works at one environment."""

    @property
    def runtime(self) -> Runtime: ...
    @property
    def environment(self) -> str: ...
    @property
    def github(self) -> GitHub | None: ...


class History:
    """The ledger of one environment during one delivery or rollback."""

    def __init__(self, context: Run, task: str = DEPLOY) -> None:
        self._context = context
        self._task = task
        self._ledger = Ledger(context.github.brief()) if context.github else None
        self._records: list[Record] | None = None
        self._own: Record | None = None
        self._left = LONGEST

    def records(self) -> list[Record]:
        """The newest first, read once; none while GitHub does not answer."""
        if self._records is None:
            self._records = []
            ledger, environment = self._ledger, self._context.environment
            if ledger is not None:
                try:
                    self._records = within(LONGEST_READING, lambda: ledger.records(environment, limit=RECENT))
                except _TROUBLE as error:
                    self._give_up("the ledger cannot be read", error)
        return self._records

    def open(self, release: str, commit: str, artifacts: Mapping[str, str], *, plan: str = "") -> None:
        """The record of this run, made when there is none. `artifacts`: component -> digest."""
        runtime = self._context.runtime
        self._own = self._write(
            lambda ledger: ledger.open(
                environment=self._context.environment,
                release=release,
                commit=commit,
                artifacts=artifacts,
                run=runtime.run_url,
                run_id=runtime.run_id,
                by=runtime.actor,
                plan=plan,
                task=self._task,
            )
        )

    def note(self, state: State, text: str, *, live_url: str = "") -> None:
        """An event of our record; nothing when there is none."""
        if self._own is not None:
            self._note(self._own, state, text, live_url)

    def rolled_back(self, release: str, components: set[str]) -> None:
        """Write down that what went live after a release, in these components, or was on its way, is not live any more.

        By what ended well when: a run may be run again long after its record was opened.
        """
        records = self.records()
        own = self._own.id if self._own is not None else 0
        live = [event.id for record in records if record.task == DEPLOY and (event := record.stands)]
        there = [e.id for r in records if r.release == release and r.id != own and (e := r.ended_well)]
        # What the ledger does not know cannot be placed among the rest: then only what was live is not any more.
        since = max(there, default=max(live, default=0) - 1)
        for record in records:
            if record.task != DEPLOY or record.release == release or not set(record.artifacts) <= components:
                continue
            last = record.stands or (record.events[0] if record.state == "in_progress" else None)
            if last is not None and last.id > since:
                self._note(record, "inactive", f"rolled back to {release}")

    @contextmanager
    def failing(self, what: str) -> Iterator[None]:
        """Write a failure down on its way up."""
        try:
            yield
        except ShipmateError as error:
            self.note("failure", f"{what}: {error.what}")
            raise

    def _note(self, record: Record, state: State, text: str, live_url: str = "") -> None:
        url = self._context.runtime.run_url
        self._write(lambda ledger: ledger.note(record, state, text, url=url, live_url=live_url))

    def _write(self, write: Callable[[Ledger], T]) -> T | None:
        """None when the ledger did not take it, or takes nothing any more."""
        ledger, began = self._ledger, time.monotonic()
        if ledger is None:
            return None
        try:
            return within(self._left, lambda: write(ledger))
        except _TROUBLE as error:
            self._give_up("the ledger could not be updated", error)
            return None
        finally:
            self._left -= time.monotonic() - began

    def _give_up(self, what: str, error: Exception) -> None:
        self._ledger = None
        why = error.what if isinstance(error, ShipmateError) else f"GitHub: {type(error).__name__}: {error}"[:200]
        self._context.runtime.annotate("warning", f"{what} ({why})", title="Ledger")
