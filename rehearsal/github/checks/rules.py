"""What the statuses and check runs of a commit add up to, and who may report them."""

from __future__ import annotations

from typing import Literal

from rehearsal.github.checks.state import CheckRun, CommitStatus
from rehearsal.github.identity import Identity
from rehearsal.github.problems import forbidden
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


_WORST_FIRST = ("failure", "timed_out", "cancelled", "action_required", "neutral", "success", "skipped")


def suite_state(runs: list[CheckRun]) -> tuple[str, str | None]:
    """Status and conclusion of a suite from its newest run under each name."""
    if not runs:
        return "queued", None
    if all(run.status == "completed" for run in runs):
        concluded = {run.conclusion for run in runs}
        return "completed", next((word for word in _WORST_FIRST if word in concluded), "success")
    return ("in_progress" if any(run.status == "in_progress" for run in runs) else "queued"), None


def overall_state(repository: Repository, sha: str) -> State | None:
    """What all checks of a commit come to: failed when one has, pending while one is; None without any."""
    found = set(states(repository, sha).values())
    order: tuple[State, ...] = ("failed", "pending", "passed")
    return next((state for state in order if state in found), None)


def check_may_report(identity: Identity) -> int:
    """The app that reports a check run. Raises Problem 403 for users, whatever their token is allowed."""
    if identity.app_id is None:
        raise forbidden("You must authenticate via a GitHub App.")
    return identity.app_id


def check_may_update(identity: Identity, run: CheckRun) -> None:
    """Raise Problem 403 for a check run of another app, or one that belongs to a workflow job."""
    app_id = check_may_report(identity)
    if run.app_id != app_id:
        raise forbidden(
            f"Invalid app_id `{app_id}` - check run can only be modified by the GitHub App that created it."
        )
    if run.job_id is not None:
        raise forbidden("Invalid app_id: the check run of a workflow job cannot be changed.")
