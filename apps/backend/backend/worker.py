"""Works the queue beside the web server, in processes that are configured for it (WORKERS=on)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from time import monotonic
from uuid import uuid4

from redis.exceptions import RedisError

from backend.cache import SearchCache
from backend.database import DatabaseUnavailableError
from backend.jobs import Job, JobQueue
from backend.logs import Log, log_context
from backend.notes import NoteStore
from backend.summary import summarise

SUMMARISE = "summarise"
EMBED_AGAIN = "embed-again"
_BATCH = 500
_LOOK_EVERY = 30.0
_log = Log("backend.worker")

Handler = Callable[[Job], Awaitable[None]]
Report = Callable[[BaseException], None]


class NoteJobs:
    """What can be done to a note in the background. Doing any of it twice changes nothing."""

    def __init__(self, notes: NoteStore, cache: SearchCache) -> None:
        self._notes, self._cache = notes, cache

    def handlers(self) -> dict[str, Handler]:
        """Kind of job -> what carries it out."""
        return {SUMMARISE: self._summarise, EMBED_AGAIN: self._embed_again}

    async def overdue(self) -> list[Job]:
        """Jobs for notes that the current model has not embedded yet, a batch at a time."""
        missing = await self._notes.without_vector(limit=_BATCH)
        return [Job(kind=EMBED_AGAIN, note=note) for note in missing]

    async def _summarise(self, job: Job) -> None:
        note = await self._notes.get(job.note)
        if note is not None:
            await self._notes.describe(note.id, summary=summarise(note.text))
            await self._cache.clear()

    async def _embed_again(self, job: Job) -> None:
        note = await self._notes.get(job.note)
        if note is not None:
            await self._notes.embed_again(note)
            await self._cache.clear()


class Worker:
    """One taker of jobs. `run` returns soon after `stop` is called, with nothing left in progress."""

    def __init__(
        self,
        queue: JobQueue,
        handlers: Mapping[str, Handler],
        *,
        overdue: Callable[[], Awaitable[list[Job]]],
        report: Report,
        pause: float = 1.0,
    ) -> None:
        self.name = uuid4().hex
        self._queue, self._handlers, self._overdue = queue, handlers, overdue
        self._report, self._pause = report, pause
        self._looked = -_LOOK_EVERY
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Finish the job in hand and take no other."""
        self._stopping.set()

    async def run(self) -> None:
        """Take and carry out jobs until asked to stop; survives an outage of Redis or PostgreSQL."""
        _log.info("worker started", worker=self.name)
        while not self._stopping.is_set():
            try:
                await self._turn()
            except RedisError as error:
                _log.warn("queue is away", error=error)
                await self._rest()
            except Exception as error:  # a bug, or a schema too old: neither may silence this process for good
                self._report(error)
                _log.error("unexpected error", error=error)
                await self._rest()
        with suppress(RedisError):
            await self._queue.put_back(self.name)
        _log.info("worker stopped", worker=self.name)

    async def _turn(self) -> None:
        await self._queue.beat(self.name)
        # Nothing is in hand now: whatever is on our list was handed over in an answer that got lost.
        await self._queue.put_back(self.name)
        recovered = await self._queue.recover()
        if recovered:
            _log.warn("took over jobs of a worker that fell silent", jobs=recovered)
        await self._look_for_work()
        taken = await self._next()
        if taken is not None:
            await self._carry_out(taken)

    async def _look_for_work(self) -> None:
        """See now and then, while nothing is pending, what should have been done already."""
        if monotonic() - self._looked < _LOOK_EVERY:
            return
        self._looked = monotonic()
        if (await self._queue.depth())["pending"]:
            return
        try:
            await self._queue.add(*await self._overdue())
        except DatabaseUnavailableError as error:
            _log.warn("database is away, no look for overdue work", error=error)

    async def _next(self) -> str | None:
        take = asyncio.ensure_future(self._queue.take(self.name, wait=1))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({take, stopping}, return_when=asyncio.FIRST_COMPLETED)
            # Should Redis hand over a job just as we give up waiting, it goes back with whatever we have in progress.
            return take.result() if take.done() else None
        finally:
            take.cancel()
            stopping.cancel()
            await asyncio.gather(take, stopping, return_exceptions=True)

    async def _carry_out(self, taken: str) -> None:
        try:
            job = Job.decode(taken)
        except ValueError as error:
            _log.error("put aside what is no job", error=error)
            await self._queue.bury(self.name, taken)
            return
        with log_context(job=job.kind, note=str(job.note), attempts=job.attempts):
            await self._attempt(taken, job)

    async def _attempt(self, taken: str, job: Job) -> None:
        try:
            await self._handler(job.kind)(job)
        except DatabaseUnavailableError as error:
            # No fault of the job: it goes back as it was, however long the outage takes.
            _log.warn("database is away, job put back", error=error)
            await self._queue.put_back(self.name)
            await self._rest()
        except Exception as error:
            self._report(error)
            again = await self._queue.failed(self.name, taken, job)
            _log.error("job failed", error=error, again=again)
            await self._rest()
        else:
            await self._queue.done(self.name, taken)
            _log.info("job done")

    def _handler(self, kind: str) -> Handler:
        handler = self._handlers.get(kind)
        if handler is None:
            # Perhaps put there by a newer version during a rollout: its workers get their chance at it.
            raise LookupError(f"no handler for jobs of kind {kind!r}")
        return handler

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), self._pause)
