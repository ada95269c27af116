"""What the statuses and check runs of a commit add up to."""

from __future__ import annotations

from typing import Literal

from rehearsal.github.state.checks import CheckRun, CommitStatus
from rehearsal.github.state.repositories import Repository

State = Literal["passed", "failed", "pending"]

_STATUS_STATES: dict[str, State] = {"success": "passed", "pending": "pending"}


def latest_check_runs(repository: Repository, sha: str) -> list[CheckRun]:
    """The newest check run under each name."""
    newest: dict[str, CheckRun] = {}
    for run in sorted(repository.check_runs_of(sha), key=lambda run: (run.started_at or repository.created_at, run.id)):
        newest[run.name] = run
    return list(newest.values())


def latest_statuses(repository: Repository, sha: str) -> list[CommitStatus]:
    """The newest status under each context."""
    newest: dict[str, CommitStatus] = {}
    for status in repository.statuses_of(sha):
        newest.setdefault(status.context, status)
    return list(newest.values())


def states(repository: Repository, sha: str) -> dict[str, State]:
    """How each named check of a commit stands. A skipped check has passed, as on GitHub."""
    found: dict[str, State] = {}
    for status in latest_statuses(repository, sha):
        found[status.context] = _STATUS_STATES.get(status.state, "failed")
    for run in latest_check_runs(repository, sha):
        found[run.name] = "passed" if run.passed else "failed" if run.status == "completed" else "pending"
    return found


def combined_state(repository: Repository, sha: str) -> str:
    """What `GET commits/{ref}/status` says: statuses only, and pending when there is none."""
    given = [status.state for status in latest_statuses(repository, sha)]
    if any(state in ("failure", "error") for state in given):
        return "failure"
    return "success" if given and all(state == "success" for state in given) else "pending"
