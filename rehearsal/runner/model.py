"""The words of GitHub Actions as data: what the runner fills in, the REST API renders and the pages show."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened in a repository and may start workflows."""

    name: str
    """push, pull_request, workflow_dispatch, release, ..."""
    repository: str
    """owner/name"""
    payload: dict[str, Any]
    """The webhook body, verbatim what jobs see as github.event."""
    ref: str
    """Full ref: refs/heads/main, refs/tags/v1.0.0, refs/pull/7/merge."""
    sha: str
    actor: str
    from_fork: bool = False
    """A fork's pull request: read-only token, no secrets."""
    by_workflow_token: bool = False
    """Made with GITHUB_TOKEN: starts nothing, except workflow_dispatch and repository_dispatch."""


@dataclass(kw_only=True)
class Annotation:
    level: str
    """notice, warning or failure"""
    message: str
    title: str = ""
    path: str = ""
    start_line: int = 0
    end_line: int = 0


@dataclass(kw_only=True)
class Step:
    number: int
    name: str
    status: str = "queued"
    """queued, in_progress, completed"""
    conclusion: str | None = None
    """success, failure, skipped, cancelled"""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    busy: float = 0.0
    """Seconds of processor time of the processes that it started and that ended with it, those of `nested_busy` left out."""
    nested_busy: float = 0.0
    """The same of the actions that its own action uses: stand-ins of actions from outside."""
    log: list[str] = field(default_factory=list)
    """Lines, masked, each with its timestamp in front as on GitHub."""
    summary: str = ""


@dataclass(kw_only=True)
class Job:
    id: int
    run_id: int
    attempt: int
    key: str
    """Its name in the file: deploy-backend."""
    name: str
    needs: list[str] = field(default_factory=list)
    status: str = "queued"
    """queued, waiting (for review or a timer), pending (for a concurrency group), in_progress, completed"""
    conclusion: str | None = None
    """success, failure, cancelled, skipped, timed_out"""
    environment: str | None = None
    environment_url: str = ""
    makes_deployment: bool = True
    """False for `environment: {deployment: false}`: GitHub then records no deployment for the job."""
    outputs: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    check_run_id: int = 0
    """Also the id of the check run of this job: on GitHub they are the same number."""
    matrix: dict[str, Any] = field(default_factory=dict)
    """Its values of the matrix; empty for a job without a matrix."""
    labels: list[str] = field(default_factory=list)
    """`runs-on`, evaluated."""
    waiting_since: datetime | None = None
    """When it began to wait for its environment's reviewers or timer."""
    tolerated: bool = False
    """`continue-on-error`: a failure counts as success for the run and for the jobs that need this one."""
    superseded: bool = False
    """A later attempt took its place; `Run.latest_jobs` leaves it out."""

    def log_text(self) -> str:
        return "".join(line + "\n" for step in self.steps for line in step.log)

    def summary(self) -> str:
        return "\n".join(step.summary for step in self.steps if step.summary)


@dataclass(kw_only=True)
class Review:
    """One answer to *Review deployments*."""

    environments: list[str]
    state: str
    """approved or rejected; skipped when an administrator bypassed the rules"""
    user: str
    comment: str
    at: datetime


@dataclass(kw_only=True)
class Artifact:
    """What `upload-artifact` kept of a run."""

    id: int
    name: str
    size: int
    """Bytes, uncompressed."""
    digest: str
    """sha256 of the archive it is downloaded as."""
    created_at: datetime
    path: str
    """Folder on this machine that holds the files."""
    job_id: int
    retention_days: int = 90


@dataclass(kw_only=True)
class Run:
    id: int
    number: int
    repository: str
    workflow_path: str
    """.github/workflows/ci.yml"""
    workflow_name: str
    title: str
    event: Event
    head_branch: str
    head_sha: str
    attempt: int = 1
    status: str = "queued"
    """queued, waiting, pending, in_progress, completed"""
    conclusion: str | None = None
    jobs: list[Job] = field(default_factory=list)
    """Of every attempt; see `latest_jobs`."""
    reviews: list[Review] = field(default_factory=list)
    created_at: datetime
    started_at: datetime | None = None
    updated_at: datetime
    triggering_actor: str = ""
    """Who started this attempt; `event.actor` started the first."""
    artifacts: list[Artifact] = field(default_factory=list)
    error: str = ""
    """Why the run could not start (the workflow file is not valid) or was cancelled."""

    def latest_jobs(self) -> list[Job]:
        """The jobs that count: a re-run of failed jobs keeps the others of the earlier attempt."""
        return [job for job in self.jobs if not job.superseded]


@dataclass(frozen=True, kw_only=True)
class PendingReview:
    """One environment a run waits for, as pending_deployments lists it."""

    environment: str
    reviewers: list[str]
    since: datetime
    wait_timer: int
    """Minutes."""
