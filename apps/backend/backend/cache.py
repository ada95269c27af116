"""Search results kept in Redis for half a minute, and dropped as soon as a note changes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from backend.logs import Log

_SECONDS = 30
_log = Log("backend.cache")


class SearchCache:
    """Without Redis every look-up is a miss and every write is dropped: slower, never wrong.

    The keys carry a generation that each change of a note raises. An answer computed from notes as they were is
    stored under the generation read before, so nobody reads it after the change.
    """

    def __init__(self, redis: Redis, *, namespace: str) -> None:
        self._redis = redis
        self._generation = f"{namespace}:notes:generation"
        self._prefix = f"{namespace}:search"

    async def key(self, query: str, limit: int) -> str | None:
        """Where the answer to this search is kept for now; None while Redis is away."""
        try:
            generation: Any = await self._redis.get(self._generation) or "0"
        except RedisError as error:
            _log.warn("cache is away", error=error)
            return None
        digest = hashlib.sha256(f"{limit}:{query}".encode()).hexdigest()
        return f"{self._prefix}:{generation}:{digest}"

    async def get(self, key: str | None) -> list[dict[str, object]] | None:
        """The kept answer, or None."""
        if key is None:
            return None
        try:
            kept: Any = await self._redis.get(key)
        except RedisError as error:
            _log.warn("cache is away", error=error)
            return None
        return None if kept is None else json.loads(kept)

    async def put(self, key: str | None, answer: list[dict[str, object]]) -> None:
        """Keep an answer."""
        if key is None:
            return
        try:
            await self._redis.set(key, json.dumps(answer), ex=_SECONDS)
        except RedisError as error:
            _log.warn("answer not kept", error=error)

    async def clear(self) -> None:
        """To be called after each change of a note."""
        try:
            await self._redis.incr(self._generation)
        except RedisError as error:
            # What is kept stays visible for at most _SECONDS.
            _log.warn("cache not cleared", error=error)
