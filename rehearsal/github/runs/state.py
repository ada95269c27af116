"""Workflow files as GitHub numbers them, and what it keeps beside the runner's own record of a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(kw_only=True)
class RunAttempt:
    """How one attempt of a run went; a later attempt changes nothing of it."""

    number: int
    triggering_actor: str
    status: str
    conclusion: str | None
    started_at: datetime
    updated_at: datetime


@dataclass(kw_only=True)
class Workflow:
    id: int
    path: str
    name: str
    state: str = "active"
    """active, disabled_manually or deleted"""
    created_at: datetime
    updated_at: datetime
