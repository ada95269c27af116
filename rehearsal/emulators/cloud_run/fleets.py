"""The running revisions of all services."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from rehearsal.emulators.cloud_run.fleet import Fleet
from rehearsal.emulators.cloud_run.instance import Instance
from rehearsal.emulators.cloud_run.launching import Launcher
from rehearsal.emulators.cloud_run.logs import LogBook, LogLine
from rehearsal.emulators.cloud_run.names import ServiceName
from rehearsal.emulators.cloud_run.resources import Revision


class Fleets:
    """One fleet per revision that runs or has run.

    `retire_after`: seconds a revision without traffic and tag stays up, so that a rollback is short.
    `most`: processes per revision, whatever minimum its template asks for.
    """

    def __init__(self, launcher: Launcher, *, most: int, retire_after: float, drain: float) -> None:
        self._launcher = launcher
        self._most = most
        self._retire_after = retire_after
        self._drain = drain
        self._fleets: dict[str, Fleet] = {}
        self._logs: dict[str, LogBook] = {}
        self._retiring: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def start(self, revision: Revision, *, least: int) -> None:
        """Have it running, `least` instances strong as far as `most` allows. Raises StartFailed."""
        self._keep(revision)
        await self._fleet(revision, least).start()

    @contextlib.asynccontextmanager
    async def lease(self, revision: Revision, *, least: int, wait: float) -> AsyncIterator[Instance]:
        """An instance for one request. Raises NoInstance."""
        async with self._fleet(revision, least).lease(wait) as instance:
            yield instance

    def retire(self, revision: Revision) -> None:
        """Stop it after the grace period, unless it is started again meanwhile."""
        key = _key(revision)
        if key in self._fleets and key not in self._retiring:
            self._retiring[key] = asyncio.create_task(self._retire(key), name=f"retire {key}")

    async def stop(self, revision: Revision) -> None:
        """End its processes now, after its requests."""
        self._keep(revision)
        fleet = self._fleets.get(_key(revision))
        if fleet is not None:
            await fleet.stop()

    async def stop_all(self) -> None:
        """End every process."""
        for task in self._retiring.values():
            task.cancel()
        await asyncio.gather(*self._retiring.values(), return_exceptions=True)
        self._retiring.clear()
        await asyncio.gather(*self._ending, *(fleet.stop() for fleet in self._fleets.values()))
        self._fleets.clear()
        self._logs.clear()

    def logs(self, revision: Revision) -> list[LogLine]:
        """What it has printed, as far as it is kept."""
        book = self._logs.get(_key(revision))
        return book.lines() if book is not None else []

    def pids(self, revision: Revision) -> list[int]:
        """Its processes."""
        fleet = self._fleets.get(_key(revision))
        return fleet.pids if fleet is not None else []

    def running(self, revision: Revision) -> bool:
        """Whether it has been started and not stopped."""
        fleet = self._fleets.get(_key(revision))
        return fleet is not None and fleet.running

    def _fleet(self, revision: Revision, least: int) -> Fleet:
        key = _key(revision)
        if key not in self._fleets or self._fleets[key].stopped:
            self._fleets[key] = Fleet(
                revision.name,
                lambda: self._launcher.prepare(revision),
                size=min(self._most, max(1, least)),
                home=self._launcher.home(revision),
                drain=self._drain,
                logs=self._logs.setdefault(key, LogBook()),
            )
        return self._fleets[key]

    def _keep(self, revision: Revision) -> None:
        task = self._retiring.pop(_key(revision), None)
        if task is not None:
            task.cancel()

    async def _retire(self, key: str) -> None:
        await asyncio.sleep(self._retire_after)
        # From here on it is not taken back: a later request for the revision starts it anew.
        task = self._retiring.pop(key)
        self._ending.add(task)
        try:
            await self._fleets[key].stop()
        finally:
            self._ending.discard(task)


def _key(revision: Revision) -> str:
    return ServiceName.parse(revision.service).revision(revision.name)
