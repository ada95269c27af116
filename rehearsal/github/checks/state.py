"""What is known of a commit: statuses, check suites, check runs and their annotations."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from rehearsal.github.accounts.state import ACTIONS_APP_ID

PASSING = frozenset({"success", "neutral", "skipped"})
"""Conclusions that satisfy a required check: on GitHub a skipped one does."""


@dataclass(kw_only=True)
class CommitStatus:
    id: int
    sha: str
    state: str
    """error, failure, pending or success"""
    context: str
    description: str | None
    target_url: str | None
    creator: str
    created_at: datetime
    app_id: int | None = None
    """The app that reported it; None for a user."""


@dataclass(kw_only=True)
class CheckSuite:
    id: int
    head_sha: str
    head_branch: str | None
    run_id: int | None = None
    """The workflow run it belongs to; None for suites of check runs made through the API."""
    created_at: datetime
    updated_at: datetime
    app_id: int = ACTIONS_APP_ID


@dataclass(kw_only=True)
class CheckAnnotation:
    path: str
    start_line: int
    end_line: int
    level: str
    """notice, warning or failure"""
    message: str
    title: str | None = None
    raw_details: str | None = None
    start_column: int | None = None
    end_column: int | None = None


@dataclass(kw_only=True)
class CheckRun:
    id: int
    name: str
    head_sha: str
    suite_id: int
    status: str = "queued"
    """queued, in_progress, completed, waiting, requested or pending"""
    conclusion: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[CheckAnnotation] = field(default_factory=list)
    details_url: str | None = None
    external_id: str = ""
    job_id: int | None = None
    """The job of a workflow run that reports here; None when made through the API."""
    app_id: int = ACTIONS_APP_ID

    @property
    def passed(self) -> bool:
        return self.status == "completed" and self.conclusion in PASSING
