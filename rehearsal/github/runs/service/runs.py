"""What GitHub keeps of a workflow run beside the runner's record: its attempts; and what goes when it is deleted."""

from __future__ import annotations

from rehearsal.github.instance import GitHubInstance
from rehearsal.github.problems import Problem
from rehearsal.github.repositories.state import Repository
from rehearsal.github.runs.state import RunAttempt
from rehearsal.runner.hub import NotAllowed, Runner
from rehearsal.runner.model import Job, Run


def run_changed(instance: GitHubInstance, repository: Repository, run: Run) -> None:
    """Keep the record of the attempt that is under way, or has just ended."""
    attempts = repository.attempts.setdefault(run.id, [])
    now = instance.now()
    if not attempts or attempts[-1].number != run.attempt:
        attempts.append(
            RunAttempt(
                number=run.attempt,
                triggering_actor=run.triggering_actor or run.event.actor,
                status=run.status,
                conclusion=run.conclusion,
                started_at=now if attempts else run.started_at or run.created_at,
                updated_at=now,
            )
        )
    attempt = attempts[-1]
    attempt.status, attempt.conclusion, attempt.updated_at = run.status, run.conclusion, now


def delete(instance: GitHubInstance, runner: Runner, repository: Repository, run: Run) -> None:
    """A run with its logs, artifacts and checks. Raises Problem 403 while it is not completed."""
    try:
        runner.delete(run.id)
    except NotAllowed as error:
        raise Problem(403, "Could not delete the workflow run") from error
    gone = {number for number, suite in repository.check_suites.items() if suite.run_id == run.id}
    repository.check_runs = {key: one for key, one in repository.check_runs.items() if one.suite_id not in gone}
    repository.check_suites = {key: one for key, one in repository.check_suites.items() if key not in gone}
    repository.attempts.pop(run.id, None)
    instance.notify()


def jobs_of_attempt(run: Run, attempt: int) -> list[Job]:
    """What counted in an attempt: its own jobs, and those kept from earlier ones."""
    newest: dict[str, Job] = {}
    for job in run.jobs:
        if job.attempt <= attempt:
            newest[job.name] = job
    return list(newest.values()) if 1 <= attempt <= run.attempt else []
