"""Branch protection and rulesets, and what both together ask of a ref."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(kw_only=True)
class BranchProtection:
    """The classic protection of one branch (REST: branches/{branch}/protection)."""

    branch: str
    contexts: list[str] | None = None
    """Required checks by name; None when checks are not required."""
    strict: bool = False
    """The head must contain the tip of the base."""
    enforce_admins: bool = False
    reviews: int | None = None
    """Approvals wanted; None when no pull request is required."""
    dismiss_stale: bool = False
    code_owners: bool = False
    """Kept and shown; who owns which code is not looked at."""
    last_push_approval: bool = False
    linear_history: bool = False
    allow_force_pushes: bool = False
    allow_deletions: bool = False
    block_creations: bool = False
    conversation_resolution: bool = False
    """Holds by itself: reviews have no conversations here."""
    lock_branch: bool = False
    allow_fork_syncing: bool = False
    push_users: list[str] | None = None
    """Who may push at all; None for everyone with write access."""


@dataclass(kw_only=True)
class BypassActor:
    actor_id: int | None
    actor_type: str
    """RepositoryRole, OrganizationAdmin, Integration, User, Team or DeployKey"""
    mode: str = "always"


@dataclass(kw_only=True)
class Rule:
    type: str
    """Enforced are creation, update, deletion, non_fast_forward, required_linear_history, pull_request, required_status_checks
    and merge_queue; others are kept and shown."""
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Ruleset:
    id: int
    name: str
    target: str = "branch"
    """branch or tag"""
    enforcement: str = "active"
    """active, disabled or evaluate"""
    include: list[str] = field(default_factory=list)
    """Full ref patterns, ~DEFAULT_BRANCH or ~ALL."""
    exclude: list[str] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    bypass: list[BypassActor] = field(default_factory=list)
    created_at: datetime
    updated_at: datetime
