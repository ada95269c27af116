"""How many requests a user or a repository's jobs may still make, and how many a run has made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(kw_only=True)
class Allowance:
    """The requests of a running hour. One user has one for all tokens, one repository one for all its jobs."""

    used: int = 0
    since: datetime | None = None
    """When the hour began; None before the first request."""


@dataclass(kw_only=True)
class RequestCount:
    """Requests that the tokens of a workflow run's jobs made, over all attempts."""

    counted: int = 0
    """Those that the limit knows."""
    not_modified: int = 0
    """Conditional ones answered 304, which cost nothing."""
    by_job: dict[int, dict[str, int]] = field(default_factory=dict)
    """Job -> route ("GET /repos/{owner}/{repo}/…") -> those that the limit knows."""

    def add(self, job: int, route: str, number: int) -> None:
        """Count requests of a job; -1 takes one back that cost nothing."""
        self.counted += number
        of_job = self.by_job.setdefault(job, {})
        of_job[route] = of_job.get(route, 0) + number
