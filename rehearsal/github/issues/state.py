"""Issues, their comments and labels. A pull request is an issue with a `PullRequest` under the same number."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(kw_only=True)
class Label:
    id: int
    name: str
    color: str = "ededed"
    description: str = ""


@dataclass(kw_only=True)
class Comment:
    id: int
    number: int
    """The issue or pull request it stands under."""
    user: str
    body: str
    created_at: datetime
    updated_at: datetime
    by_app: bool = False
    """Written with a job's token."""


@dataclass(kw_only=True)
class Issue:
    id: int
    number: int
    title: str
    body: str | None
    user: str
    state: str = "open"
    """open or closed"""
    state_reason: str | None = None
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    locked: bool = False
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None
    is_pull: bool = False
