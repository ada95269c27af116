"""What the statuses and check runs of a commit add up to."""

from __future__ import annotations

from typing import Literal

from rehearsal.github.checks.state import CheckRun, CommitStatus
from rehearsal.github.repositories.state import Repository

State = Literal["passed", "failed", "pending"]

_STATUS_STATES: dict[str, State] = {"success": "passed", "pending": "pending"}


def latest_check_runs(repository: Repository, sha: str, app_id: int | None = None) -> list[CheckRun]:
    """The newest check run under each name, of all apps or of one."""
    newest: dict[str, CheckRun] = {}
    found = [run for run in repository.check_runs_of(sha) if app_id in (None, run.app_id)]
    for run in sorted(found, key=lambda run: (run.started_at or repository.created_at, run.id)):
        newest[run.name] = run
    return list(newest.values())


def latest_statuses(repository: Repository, sha: str, app_id: int | None = None) -> list[CommitStatus]:
    """The newest status under each context, of everybody or of one app."""
    newest: dict[str, CommitStatus] = {}
    for status in repository.statuses_of(sha):
        if app_id not in (None, status.app_id):
            continue
        newest.setdefault(status.context, status)
    return list(newest.values())


def states(repository: Repository, sha: str, app_id: int | None = None) -> dict[str, State]:
    """How each named check of a commit stands, by all that report or by one app. A skipped check has passed."""
    found: dict[str, State] = {}
    for status in latest_statuses(repository, sha, app_id):
        found[status.context] = _STATUS_STATES.get(status.state, "failed")
    for run in latest_check_runs(repository, sha, app_id):
        found[run.name] = "passed" if run.passed else "failed" if run.status == "completed" else "pending"
    return found


def combined_state(repository: Repository, sha: str) -> str:
    """What `GET commits/{ref}/status` says: statuses only, and pending when there is none."""
    given = [status.state for status in latest_statuses(repository, sha)]
    if any(state in ("failure", "error") for state in given):
        return "failure"
    return "success" if given and all(state == "success" for state in given) else "pending"
