"""Workflows, runs, jobs, artifacts, approvals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rehearsal.github.accounts.render import simple_user
from rehearsal.github.environments import render as environments
from rehearsal.github.environments.rules import review_refusal
from rehearsal.github.environments.state import Environment
from rehearsal.github.git.objects import Commit
from rehearsal.github.pulls.render import pulls_of
from rehearsal.github.repositories.render.commits import simple_commit
from rehearsal.github.repositories.render.repositories import repository as render_repository
from rehearsal.github.repositories.state import Repository
from rehearsal.github.runs.rules import started_by
from rehearsal.github.runs.state import RunAttempt, Workflow
from rehearsal.github.view import View, maybe_stamp, node_id, quoted, stamp
from rehearsal.runner.model import Artifact, Job, PendingReview, Review, Run, Step


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What a run's answer needs beside the run."""

    workflow_id: int
    suite_id: int
    head: Commit | None
    """None when the commit is gone."""
    head_repository: Repository


def workflow(view: View, repository: Repository, one: Workflow) -> dict[str, Any]:
    return {
        "id": one.id,
        "node_id": node_id("Workflow", one.id),
        "name": one.name,
        "path": one.path,
        "state": one.state,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "url": f"{view.repo(repository)}/actions/workflows/{one.id}",
        "html_url": f"{view.page(repository)}/blob/{repository.default_branch}/{quoted(one.path)}",
        "badge_url": f"{view.page(repository)}/workflows/{quoted(one.name)}/badge.svg",
    }


def run(view: View, repository: Repository, one: Run, facts: RunFacts) -> dict[str, Any]:
    base = view.repo(repository)
    here = f"{base}/actions/runs/{one.id}"
    urls = {f"{name}_url": f"{here}/{name}" for name in ("jobs", "logs", "artifacts", "cancel", "rerun")}
    return {
        "id": one.id,
        "name": one.workflow_name,
        "node_id": node_id("WorkflowRun", one.id),
        "head_branch": one.head_branch,
        "head_sha": one.head_sha,
        "path": one.workflow_path,
        "display_title": one.title,
        "run_number": one.number,
        "event": one.event.name,
        "status": one.status,
        "conclusion": one.conclusion,
        "workflow_id": facts.workflow_id,
        "check_suite_id": facts.suite_id,
        "check_suite_node_id": node_id("CheckSuite", facts.suite_id),
        "url": here,
        "html_url": f"{view.page(repository)}/actions/runs/{one.id}",
        "pull_requests": pulls_of(view, repository, one.head_sha),
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "actor": simple_user(view, one.event.actor),
        "run_attempt": one.attempt,
        "referenced_workflows": [],
        "run_started_at": stamp(one.started_at or one.created_at),
        "triggering_actor": simple_user(view, one.triggering_actor or one.event.actor),
        **urls,
        "check_suite_url": f"{base}/check-suites/{facts.suite_id}",
        "previous_attempt_url": f"{here}/attempts/{one.attempt - 1}" if one.attempt > 1 else None,
        "workflow_url": f"{base}/actions/workflows/{facts.workflow_id}",
        "head_commit": None if facts.head is None else simple_commit(facts.head),
        "repository": render_repository(view, repository),
        "head_repository": render_repository(view, facts.head_repository),
    }


def attempt(view: View, repository: Repository, of: Run, one: RunAttempt) -> dict[str, Any]:
    """What an earlier attempt says otherwise than the run."""
    attempts = f"{view.repo(repository)}/actions/runs/{of.id}/attempts"
    return {
        "run_attempt": one.number,
        "status": one.status,
        "conclusion": one.conclusion,
        "triggering_actor": simple_user(view, one.triggering_actor),
        "run_started_at": stamp(one.started_at),
        "updated_at": stamp(one.updated_at),
        "previous_attempt_url": f"{attempts}/{one.number - 1}" if one.number > 1 else None,
    }


def job(view: View, repository: Repository, of: Run, one: Job) -> dict[str, Any]:
    base = view.repo(repository)
    started = one.started_at or one.created_at
    return {
        "id": one.id,
        "run_id": of.id,
        "workflow_name": of.workflow_name,
        "head_branch": of.head_branch,
        "run_url": f"{base}/actions/runs/{of.id}",
        "run_attempt": one.attempt,
        "node_id": node_id("CheckRun", one.check_run_id or one.id),
        "head_sha": of.head_sha,
        "url": f"{base}/actions/jobs/{one.id}",
        "html_url": f"{view.page(repository)}/actions/runs/{of.id}/job/{one.id}",
        "status": one.status,
        "conclusion": one.conclusion,
        "created_at": stamp(one.created_at),
        "started_at": stamp(started),
        "completed_at": maybe_stamp(one.completed_at),
        "name": one.name,
        "steps": [_step(step) for step in one.steps],
        "check_run_url": f"{base}/check-runs/{one.check_run_id or one.id}",
        "labels": list(one.labels) or ["ubuntu-latest"],
        "runner_id": 1 if one.started_at is not None else None,
        "runner_name": "GitHub Actions 1" if one.started_at is not None else None,
        "runner_group_id": 2 if one.started_at is not None else None,
        "runner_group_name": "GitHub Actions" if one.started_at is not None else None,
    }


def _step(one: Step) -> dict[str, Any]:
    return {
        "name": one.name,
        "status": one.status,
        "conclusion": one.conclusion,
        "number": one.number,
        "started_at": maybe_stamp(one.started_at),
        "completed_at": maybe_stamp(one.completed_at),
    }


def usage(of: Run, now: datetime) -> dict[str, Any]:
    """How long a run took: the billable time per job, the run's own from start to its last change."""
    jobs = of.latest_jobs()
    durations = {job.id: _milliseconds(job.started_at, job.completed_at or now) for job in jobs if job.started_at}
    billed = {
        "total_ms": sum(durations.values()),
        "jobs": len(durations),
        "job_runs": [{"job_id": job_id, "duration_ms": took} for job_id, took in durations.items()],
    }
    ended = of.updated_at if of.status == "completed" else now
    return {"billable": {"UBUNTU": billed}, "run_duration_ms": _milliseconds(of.started_at or of.created_at, ended)}


def _milliseconds(start: datetime | None, end: datetime) -> int:
    if start is None:
        return 0
    return max(0, int((end.astimezone(UTC) - start.astimezone(UTC)).total_seconds() * 1000))


@dataclass(frozen=True, kw_only=True)
class ArtifactFacts:
    """What an artifact's answer needs beside the artifact."""

    run: Run
    head_repository: Repository
    expires_at: datetime
    now: datetime


def artifact(view: View, repository: Repository, one: Artifact, facts: ArtifactFacts) -> dict[str, Any]:
    of = facts.run
    here = f"{view.repo(repository)}/actions/artifacts/{one.id}"
    return {
        "id": one.id,
        "node_id": node_id("Artifact", one.id),
        "name": one.name,
        "size_in_bytes": one.size,
        "url": here,
        "archive_download_url": f"{here}/zip",
        "expired": facts.now >= facts.expires_at,
        "digest": one.digest if one.digest.startswith("sha256:") else f"sha256:{one.digest}",
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.created_at),
        "expires_at": stamp(facts.expires_at),
        "workflow_run": {
            "id": of.id,
            "repository_id": repository.id,
            "head_repository_id": facts.head_repository.id,
            "head_branch": of.head_branch,
            "head_sha": of.head_sha,
        },
    }


def pending(
    view: View, repository: Repository, run: Run, environment: Environment, one: PendingReview, reader: str
) -> dict[str, Any]:
    return {
        "environment": environments.reference(view, repository, environment),
        "wait_timer": one.wait_timer,
        "wait_timer_started_at": stamp(one.since),
        "current_user_can_approve": not review_refusal(environment, one.reviewers, started_by(run), reader),
        "reviewers": environments.reviewers(view, list(one.reviewers)),
    }


def approval(view: View, repository: Repository, one: Review, known: list[Environment]) -> dict[str, Any]:
    shown = [
        {
            **environments.reference(view, repository, environment),
            "created_at": stamp(environment.created_at),
            "updated_at": stamp(environment.updated_at),
        }
        for environment in known
        if environment.name in one.environments
    ]
    return {"environments": shown, "state": one.state, "user": simple_user(view, one.user), "comment": one.comment}
