"""A limit of N requests in any stretch of a minute, per user.

The window moves with every request. Counting per calendar minute would admit nearly 2N around each full minute.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError

from backend.logs import Log

LIMIT = 100
PROBE_LIMIT = 6000
"""Of the probes of a delivery, which come from one place and ask many times a second."""
SECONDS = 60.0
_USERS = 10_000
_log = Log("backend.rate_limit")

# KEYS[1] the user's admitted requests, scored by time. ARGV: limit, window (µs), member, time (µs) or "" for the
# server's clock, which all instances share. Returns {1 or 0, requests left, µs until the next one is admitted}.
_ADMIT = """
local limit, window, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4])
if not now then
  local clock = redis.call('TIME')
  now = clock[1] * 1000000 + clock[2]
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local used = redis.call('ZCARD', KEYS[1])
if used >= limit then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return {0, 0, tonumber(oldest[2]) + window - now}
end
redis.call('ZADD', KEYS[1], now, ARGV[3])
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
return {1, limit - used - 1, 0}
"""


@dataclass(frozen=True)
class Verdict:
    """Whether a request may pass, how many more may, for how many seconds there will be none, and out of how many in all."""

    admitted: bool
    remaining: int
    wait: float = 0.0
    limit: int = LIMIT

    @property
    def retry_after(self) -> int:
        """Whole seconds for the Retry-After header (RFC 9110 §10.2.3), rounded up so that waiting it out suffices."""
        return max(1, math.ceil(self.wait))


class LocalWindow:
    """The window of one process. Forgets the user who was idle longest beyond 10,000 users, so it cannot grow."""

    def __init__(
        self, *, limit: int = LIMIT, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit, self._seconds, self._clock = limit, seconds, clock
        self._admitted: OrderedDict[str, deque[float]] = OrderedDict()

    def admit(self, user: str) -> Verdict:
        """Decide on a request of `user` made now. Refused requests do not count."""
        now = self._clock()
        times = self._admitted.setdefault(user, deque())
        self._admitted.move_to_end(user)
        if len(self._admitted) > _USERS:
            self._admitted.popitem(last=False)
        while times and times[0] <= now - self._seconds:
            times.popleft()
        if len(times) >= self._limit:
            return Verdict(False, 0, times[0] + self._seconds - now, self._limit)
        times.append(now)
        return Verdict(True, self._limit - len(times), limit=self._limit)


class SharedWindow:
    """The window that all instances share, in Redis. While Redis is away each instance counts for itself."""

    def __init__(self, redis: Redis, *, namespace: str, limit: int = LIMIT, seconds: float = SECONDS) -> None:
        self._prefix = f"{namespace}:rate"
        self._limit, self._window = limit, int(seconds * 1_000_000)
        self._script = redis.register_script(_ADMIT)
        self._local = LocalWindow(limit=limit, seconds=seconds)

    async def admit(self, user: str, *, at: int | None = None) -> Verdict:
        """Decide on a request of `user`, made now or `at` (µs since any fixed moment)."""
        key = f"{self._prefix}:{hashlib.sha256(user.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
        try:
            answer = await self._script(
                keys=[key], args=[self._limit, self._window, uuid4().hex, "" if at is None else at]
            )
        except RedisError as error:
            _log.warn("rate limit counts in this instance only", error=error)
            return self._local.admit(user)
        admitted, remaining, wait = (int(part) for part in answer)
        return Verdict(bool(admitted), remaining, wait / 1_000_000, self._limit)
