"""Deployments and their statuses. What a deployment was made with never changes; later facts are statuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(kw_only=True)
class DeploymentStatus:
    id: int
    state: str
    """error, failure, inactive, in_progress, pending, queued, success or waiting"""
    creator: str
    description: str
    environment: str
    environment_url: str
    log_url: str
    created_at: datetime
    by_app: bool = False


@dataclass(kw_only=True)
class Deployment:
    id: int
    sha: str
    ref: str
    """As asked for: a branch, a tag or a SHA."""
    task: str
    payload: Any
    """A JSON object or a string, verbatim."""
    original_environment: str
    description: str | None
    creator: str
    created_at: datetime
    transient: bool = False
    production: bool = False
    statuses: list[DeploymentStatus] = field(default_factory=list)
    """Oldest first."""
    by_app: bool = False
    job_id: int | None = None
    """The job whose `environment:` made it, None for one made through the API."""
    hidden_reads: int = 0
    """Reads of lists that shall not see it yet."""

    @property
    def environment(self) -> str:
        """A status may move the deployment to another environment."""
        return self.statuses[-1].environment if self.statuses else self.original_environment

    @property
    def state(self) -> str | None:
        return self.statuses[-1].state if self.statuses else None

    @property
    def updated_at(self) -> datetime:
        return self.statuses[-1].created_at if self.statuses else self.created_at
