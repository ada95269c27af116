"""Statuses, check runs made through the API, and the check runs of workflow jobs."""

from __future__ import annotations

from rehearsal.github.accounts.state import ACTIONS_APP_ID
from rehearsal.github.checks import render
from rehearsal.github.checks.state import CheckAnnotation, CheckRun, CheckSuite, CommitStatus
from rehearsal.github.events import payloads
from rehearsal.github.events.delivery import deliver
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.repositories.render.commits import commit as render_commit
from rehearsal.github.repositories.state import Repository
from rehearsal.runner.model import Job, Run


async def add_status(
    instance: GitHubInstance,
    repository: Repository,
    sha: str,
    *,
    state: str,
    context: str,
    description: str | None,
    target_url: str | None,
    by: Identity,
) -> CommitStatus:
    status = CommitStatus(
        id=instance.database.next_id("status"),
        sha=sha,
        state=state,
        context=context,
        description=description,
        target_url=target_url,
        creator=by.login,
        created_at=instance.now(),
        app_id=by.app_id,
    )
    repository.statuses.append(status)
    view = instance.view()
    commit = render_commit(view, repository, await instance.git(repository).commit(sha))
    body = payloads.status(repository, render.status(view, repository, status), commit)
    ref = f"refs/heads/{repository.default_branch}"
    await deliver(instance, repository, "status", body, ref=ref, sha=sha, by=by)
    return status


def api_suite(
    instance: GitHubInstance, repository: Repository, sha: str, branch: str | None, app_id: int
) -> CheckSuite:
    """The suite that collects the check runs an app makes through the API on a commit.

    Nobody can choose it: GitHub takes the app's first suite of the commit. For a job's token that is the one of
    whichever workflow ran first there, not that of the run the job belongs to.
    """
    ours = [one for one in repository.check_suites.values() if (one.head_sha, one.app_id) == (sha, app_id)]
    first = min(ours, key=lambda one: one.id, default=None)
    return first or _new_suite(instance, repository, sha, branch, None, app_id)


def run_suite(instance: GitHubInstance, repository: Repository, run: Run) -> CheckSuite:
    """The suite of a workflow run."""
    found = next((one for one in repository.check_suites.values() if one.run_id == run.id), None)
    return found or _new_suite(instance, repository, run.head_sha, run.head_branch, run.id)


def _new_suite(
    instance: GitHubInstance,
    repository: Repository,
    sha: str,
    branch: str | None,
    run_id: int | None,
    app_id: int = ACTIONS_APP_ID,
) -> CheckSuite:
    now = instance.now()
    suite = CheckSuite(
        id=instance.database.next_id("check_suite"),
        head_sha=sha,
        head_branch=branch,
        run_id=run_id,
        created_at=now,
        updated_at=now,
        app_id=app_id,
    )
    number = suite.id
    repository.check_suites[number] = suite
    return suite


def add_check_run(instance: GitHubInstance, repository: Repository, name: str, suite: CheckSuite) -> CheckRun:
    """A new check run; the caller fills in how it stands."""
    number = instance.database.next_id("check_run")
    run = CheckRun(id=number, name=name, head_sha=suite.head_sha, suite_id=suite.id, app_id=suite.app_id)
    repository.check_runs[run.id] = run
    return run


def job_changed(instance: GitHubInstance, repository: Repository, run: Run, job: Job) -> None:
    """Keep the check run of a job as the job is. It has the job's `check_run_id`, as on GitHub."""
    suite = run_suite(instance, repository, run)
    suite.updated_at = instance.now()
    number = job.check_run_id or job.id
    job.check_run_id = number
    check = repository.check_runs.get(number)
    if check is None:
        check = CheckRun(id=number, name=job.name, head_sha=run.head_sha, suite_id=suite.id, job_id=job.id)
        repository.check_runs[number] = check
    check.name = job.name
    check.status, check.conclusion = job.status, job.conclusion
    check.started_at, check.completed_at = job.started_at or job.created_at, job.completed_at
    check.summary = job.summary() or None
    check.title = job.name if check.summary else None
    check.annotations = [
        CheckAnnotation(
            path=one.path or ".github",
            start_line=one.start_line or 1,
            end_line=one.end_line or one.start_line or 1,
            level=one.level,
            message=one.message,
            title=one.title or None,
        )
        for one in job.annotations
    ]
