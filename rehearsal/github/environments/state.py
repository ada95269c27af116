"""Deployment environments: who reviews, how long they wait, which refs may deploy."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from rehearsal.github.secrets.state import Secret, Variable


@dataclass(kw_only=True)
class BranchPolicy:
    """A name pattern that may deploy."""

    id: int
    name: str
    type: str = "branch"
    """branch or tag"""


@dataclass(kw_only=True)
class Environment:
    id: int
    name: str
    reviewers: list[str] = field(default_factory=list)
    prevent_self_review: bool = False
    wait_minutes: int = 0
    admins_bypass: bool = True
    """Whether administrators may start what waits; GitHub's default. Only its pages can change it."""
    protected_branches: bool = False
    """Only protected branches may deploy."""
    custom_policies: bool = False
    """Only what `policies` names may deploy."""
    policies: list[BranchPolicy] = field(default_factory=list)
    secrets: dict[str, Secret] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    created_at: datetime
    updated_at: datetime
