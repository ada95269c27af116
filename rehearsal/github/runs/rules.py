"""What may be done with a workflow run, what starts one, and how long its artifacts are kept."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from rehearsal.github.problems import Problem, conflict, forbidden, unprocessable
from rehearsal.github.runs.state import Workflow
from rehearsal.runner.model import Artifact, Run

MOST_INPUTS = 25
RERUN_WITHIN = timedelta(days=30)
"""Of the first attempt, whatever was run again since."""
_DISPATCHES = frozenset({"workflow_dispatch", "repository_dispatch"})
"""The only events that start workflows when made with a job's token."""


def started_by(run: Run) -> str:
    """Who started the attempt that is under way."""
    return run.triggering_actor or run.event.actor


def starts_workflows(event: str, *, by_job: bool) -> bool:
    """Whether an event may start workflows: what a job's GITHUB_TOKEN does starts none, so that no workflow can start
    itself without end."""
    return not by_job or event in _DISPATCHES


def dispatchable(workflow: Workflow, events: Collection[str]) -> bool:
    """Whether a workflow can be started by hand; `events` are those of its file's `on:`."""
    return "workflow_dispatch" in events and workflow.state == "active"


def check_dispatch(workflow: Workflow, events: Collection[str]) -> None:
    """Raise Problem 422 for a workflow that cannot be started by hand."""
    if "workflow_dispatch" not in events:
        raise unprocessable("Workflow does not have 'workflow_dispatch' trigger")
    if not dispatchable(workflow, events):
        raise unprocessable("Cannot trigger a 'workflow_dispatch' on a disabled workflow")


def check_cancel(run: Run) -> None:
    """Raise Problem 409 for a run that is completed."""
    if run.status == "completed":
        raise conflict("Cannot cancel a workflow run that is completed.")


def too_old_to_rerun(run: Run, now: datetime) -> bool:
    """Whether a run began so long ago that it is not run again: GitHub keeps what that needs for 30 days."""
    return now > run.created_at + RERUN_WITHIN


def check_rerun(run: Run, now: datetime, *, failed_only: bool) -> None:
    """Raise Problem 403 for a run that is too old or not completed, or of which the failed jobs shall run and there are none."""
    if too_old_to_rerun(run, now):
        again = "retry" if failed_only else "re-run"
        raise forbidden(f"Unable to {again} this workflow run because it was created over a month ago")
    if run.status != "completed":
        raise forbidden("This workflow is already running")
    if failed_only and run.conclusion == "success":
        raise forbidden("This workflow run cannot be retried: it has no failed jobs")


def expires_at(artifact: Artifact) -> datetime:
    """When an artifact can no longer be downloaded; it stays listed."""
    return artifact.created_at + timedelta(days=artifact.retention_days)


def check_download(artifact: Artifact, now: datetime) -> None:
    """Raise Problem 410 for an artifact that has expired."""
    if now >= expires_at(artifact):
        raise Problem(410, "Artifact has expired")
