"""How many requests a user or a repository's jobs may still make, and how many a run has made."""

from __future__ import annotations

from dataclasses import dataclass
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
