"""What an account may still ask of GitHub, by GitHub's own headers, and what this process has asked.

A workflow's GITHUB_TOKEN may make 1,000 requests an hour for a repository, all jobs together; a 304 with authorization costs nothing.
Sources: docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api, …/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pipelines.errors import ProviderUnavailable
from pipelines.faults import Fault, Faulted, Meaning

KEPT_FOR_WRITES = 20
"""Of the hour's requests: what was started can be recorded and undone though nothing may be read any more."""
SCARCE = 0.1
"""A smaller part of the hour's requests than this is worth a warning."""
JOB_REQUESTS = "SHIPMATE_GITHUB_REQUESTS"
"""The environment variable in which the steps of a job hand on how many requests they made."""


@dataclass(kw_only=True)
class Budget:
    """The requests of one account. Safe for threads."""

    now: Callable[[], float] = time.time
    made: int = 0
    """Requests that this process sent, those that cost nothing too."""
    unchanged: int = 0
    """Of those, the ones that were answered 304."""
    limit: int | None = None
    remaining: int | None = None
    reset: float = 0.0
    """Epoch seconds at which the next hour begins."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def require(self, *, writes: bool, where: str, patience: float) -> None:
        """Before a request. When the hour's requests are used up: raises Faulted, which is waited for, when the next hour begins
        within `patience` seconds, else ProviderUnavailable."""
        with self._lock:
            limit, left, wait = self.limit, self.remaining, self.reset - self.now()
        least = 0 if writes else min(KEPT_FOR_WRITES, (limit or 0) // 10)
        if left is None or limit is None or left > least or wait <= 0:
            return
        what = f"{limit - left:,} of the {limit:,} requests an hour are used" + (
            f", and the last {least} are kept for what must be written" if least and left else ""
        )
        if wait <= patience:
            raise Faulted(Fault(meaning=Meaning.TRY_AGAIN, text=what, wait=wait))
        raise ProviderUnavailable(
            what,
            where=where,
            why="all jobs of a repository share the requests of its GITHUB_TOKEN; a person's token shares those of the person",
            next_step=f"run the same command again after {self.resets}: nothing is lost; look which other workflows run meanwhile",
        )

    def count(self, status: int, headers: Mapping[str, str]) -> None:
        """After an answer. `headers` must look names up case-insensitively."""
        with self._lock:
            self.made += 1
            self.unchanged += status == 304
            if headers.get("x-ratelimit-resource", "core") != "core":
                return
            limit, left, reset = (headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining", "reset"))
            if limit.isdigit() and left.isdigit() and reset.isdigit():
                self.limit, self.remaining, self.reset = int(limit), int(left), float(reset)

    @property
    def resets(self) -> str:
        """When the next hour begins, for people."""
        return time.strftime("%H:%M:%S UTC", time.gmtime(self.reset))

    @property
    def scarce(self) -> bool:
        return self.limit is not None and self.remaining is not None and self.remaining < self.limit * SCARCE

    @property
    def text(self) -> str:
        """In one line, for a log."""
        cost = f"{self.made} {'request' if self.made == 1 else 'requests'}"
        cost += f" ({self.unchanged} unchanged, which cost nothing)" if self.unchanged else ""
        if self.limit is None or self.remaining is None:
            return cost
        return f"{cost}; {self.remaining:,} of {self.limit:,} are left until {self.resets}"


_BUDGETS: dict[tuple[str, str], Budget] = {}


def of_account(api_url: str, token: str) -> Budget:
    """The budget of a token in this process, shared by all callers."""
    return _BUDGETS.setdefault((api_url, token), Budget())


def used() -> list[Budget]:
    """Of every account that this process asked something of."""
    return [budget for budget in _BUDGETS.values() if budget.made]


def forget() -> None:
    """Begin to count anew."""
    _BUDGETS.clear()
