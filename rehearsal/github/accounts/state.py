"""Users, organizations and bots, and the roles they have."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from rehearsal.github.accounts.rate_limit import Allowance

ROLES = ("none", "read", "triage", "write", "maintain", "admin")
"""Repository roles, weakest first."""

ACTIONS_BOT = "github-actions[bot]"
"""Who a job's GITHUB_TOKEN acts as."""

MERGE_QUEUE_BOT = "github-merge-queue[bot]"
"""Who merges what a merge queue let through."""

ACTIONS_APP_ID = 15368
"""The id of the GitHub Actions app on github.com."""


@dataclass(kw_only=True)
class User:
    """An account: a user, an organization or a bot."""

    id: int
    login: str
    name: str
    email: str
    type: str = "User"
    """User, Organization or Bot."""
    created_at: datetime
    allowance: Allowance = field(default_factory=Allowance)


@dataclass(kw_only=True)
class App:
    """A GitHub App beside GitHub Actions; it acts as the bot `slug[bot]`."""

    id: int
    slug: str
    name: str
    created_at: datetime


def at_least(role: str, wanted: str) -> bool:
    """Whether `role` includes everything `wanted` may do."""
    return ROLES.index(role) >= ROLES.index(wanted)
