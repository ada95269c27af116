"""Write a delivery into the ledger, for people. GitHub's trouble is said once and then left alone: no delivery waits for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.delivery.ledger import DEPLOY, Ledger
from pipelines.errors import ShipmateError

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.delivery.ledger import Record, State

RECENT = 15


class History:
    """The ledger of one environment during one delivery or rollback."""

    def __init__(self, context: Context, task: str = DEPLOY) -> None:
        self._context = context
        self._task = task
        self._ledger = Ledger(context.github.brief()) if context.github else None
        self._records: list[Record] | None = None
        self._own: Record | None = None

    def records(self) -> list[Record]:
        """The newest first, read once; none while GitHub does not answer."""
        if self._records is None:
            self._records = []
            if self._ledger is not None:
                try:
                    self._records = self._ledger.records(self._context.environment, limit=RECENT)
                except ShipmateError as error:
                    self._give_up("the ledger cannot be read", error)
        return self._records

    def open(self, release: str, commit: str, artifacts: Mapping[str, str], *, plan: str = "") -> None:
        """The record of this run, made when there is none. `artifacts`: component -> digest."""
        if self._ledger is None:
            return
        runtime = self._context.runtime
        try:
            self._own = self._ledger.open(
                environment=self._context.environment,
                release=release,
                commit=commit,
                artifacts=artifacts,
                run=runtime.run_url,
                run_id=runtime.environ.get("GITHUB_RUN_ID", ""),
                by=runtime.actor,
                plan=plan,
                task=self._task,
            )
        except ShipmateError as error:
            self._give_up("the ledger could not be told", error)

    def note(self, state: State, text: str, *, live_url: str = "") -> None:
        """An event of our record; nothing when there is none."""
        if self._own is not None:
            self._note(self._own, state, text, live_url)

    def took_back(self, release: str, components: set[str]) -> None:
        """Write down that what was deployed after a release, in these components, is not live any more."""
        for record in self.records():
            if record.task != DEPLOY:
                continue
            if record.release == release:
                return
            if record.state in ("success", "in_progress") and set(record.artifacts) <= components:
                self._note(record, "inactive", f"taken back to {release}")

    @contextmanager
    def failing(self, what: str) -> Iterator[None]:
        """Write a failure down on its way up."""
        try:
            yield
        except ShipmateError as error:
            self.note("failure", f"{what}: {error.what}")
            raise

    def _note(self, record: Record, state: State, text: str, live_url: str = "") -> None:
        if self._ledger is None:
            return
        try:
            self._ledger.note(record, state, text, url=self._context.runtime.run_url, live_url=live_url)
        except ShipmateError as error:
            self._give_up("the ledger could not be told", error)

    def _give_up(self, what: str, error: ShipmateError) -> None:
        self._ledger = None
        self._context.runtime.annotate("warning", f"{what} ({error.what})", title="Ledger")
