"""The queue of jobs in Redis. A job is delivered at least once: it is moved, never just popped.

`LMOVE` takes a job from the pending list to the taker's own list in one step (Redis documentation, "Pattern: Reliable
queue"). It leaves that list when it is done; jobs of a worker whose heartbeat stopped go back to pending.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, cast
from uuid import UUID

from redis.asyncio import Redis

ATTEMPTS = 5
_SILENCE = 30.0
_KEPT_DEAD = 1000


@dataclass(frozen=True, kw_only=True)
class Job:
    """Work on one note. `attempts` counts the failures so far."""

    kind: str
    note: UUID
    attempts: int = 0

    def encode(self) -> str:
        """The job as it is stored: JSON with sorted keys, so that equal jobs are equal strings."""
        return json.dumps({**asdict(self), "note": str(self.note)}, sort_keys=True)

    @classmethod
    def decode(cls, text: str) -> Job:
        """The job in `text`. Raises ValueError for anything that `encode` did not make."""
        try:
            raw = json.loads(text)
            return cls(kind=str(raw["kind"]), note=UUID(raw["note"]), attempts=int(raw["attempts"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a job: {text[:200]!r}") from error


class JobQueue:
    """Jobs pending, in progress per worker, and dead. Methods raise redis.RedisError when Redis is away."""

    def __init__(self, redis: Redis, *, namespace: str, clock: Callable[[], float] = time.time) -> None:
        # One hash tag for all keys: they must share a slot where Redis is a cluster.
        base = f"{namespace}:{{jobs}}"
        self._redis, self._clock = redis, clock
        self._pending, self._dead, self._workers = f"{base}:pending", f"{base}:dead", f"{base}:workers"
        self._in_progress = f"{base}:in-progress:"

    async def add(self, *jobs: Job) -> None:
        """Append jobs."""
        if jobs:
            await _answer(self._redis.lpush(self._pending, *[job.encode() for job in jobs]))

    async def take(self, worker: str, *, wait: int) -> str | None:
        """The oldest pending job, now in progress; None after `wait` seconds without one."""
        mine = self._in_progress + worker
        return cast("str | None", await _answer(self._redis.blmove(self._pending, mine, wait, "RIGHT", "LEFT")))

    async def done(self, worker: str, taken: str) -> None:
        """The job has been carried out, or cannot ever be."""
        await _answer(self._redis.lrem(self._in_progress + worker, 1, taken))

    async def failed(self, worker: str, taken: str, job: Job) -> bool:
        """Put a failed job back, or, after `ATTEMPTS`, among the dead. True while it will be tried again."""
        again = replace(job, attempts=job.attempts + 1)
        alive = again.attempts < ATTEMPTS
        async with self._redis.pipeline(transaction=True) as steps:
            steps.lrem(self._in_progress + worker, 1, taken)
            steps.lpush(self._pending if alive else self._dead, again.encode())
            steps.ltrim(self._dead, 0, _KEPT_DEAD - 1)
            await steps.execute()
        return alive

    async def bury(self, worker: str, taken: str) -> None:
        """Put aside what is no job at all, for a person to look at."""
        async with self._redis.pipeline(transaction=True) as steps:
            steps.lrem(self._in_progress + worker, 1, taken)
            steps.lpush(self._dead, taken)
            steps.ltrim(self._dead, 0, _KEPT_DEAD - 1)
            await steps.execute()

    async def beat(self, worker: str) -> None:
        """Say that the worker lives; it counts as gone 30 s after its last beat."""
        await _answer(self._redis.zadd(self._workers, {worker: self._clock()}))

    async def recover(self) -> int:
        """Put back the jobs of workers that fell silent; the number of jobs."""
        silent = await _answer(self._redis.zrangebyscore(self._workers, "-inf", self._clock() - _SILENCE))
        recovered = 0
        for worker in cast("list[str]", silent):
            recovered += await self.put_back(worker)
            await _answer(self._redis.zrem(self._workers, worker))
        return recovered

    async def depth(self) -> dict[str, int]:
        """How many jobs are pending and dead."""
        pending = await _answer(self._redis.llen(self._pending))
        dead = await _answer(self._redis.llen(self._dead))
        return {"pending": int(pending), "dead": int(dead)}

    async def put_back(self, worker: str) -> int:
        """Make pending again what the worker has in progress; the number of jobs."""
        mine = self._in_progress + worker
        count = int(await _answer(self._redis.llen(mine)))
        for _ in range(count):
            # To the end that is taken from next: it has waited longest.
            await _answer(self._redis.lmove(mine, self._pending, "RIGHT", "RIGHT"))
        return count


async def _answer(reply: Awaitable[Any] | Any) -> Any:
    # redis-py types its commands for the blocking and the asyncio client at once.
    return await reply
