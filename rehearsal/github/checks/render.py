"""Statuses, check runs, check suites, annotations."""

from __future__ import annotations

from typing import Any

from rehearsal.github.accounts.render import app, simple_user
from rehearsal.github.checks.rules import combined_state, latest_statuses, suite_state
from rehearsal.github.checks.state import CheckAnnotation, CheckRun, CheckSuite, CommitStatus
from rehearsal.github.git.objects import Commit
from rehearsal.github.pulls.render import pulls_of
from rehearsal.github.repositories.render.commits import simple_commit
from rehearsal.github.repositories.render.repositories import repository as render_repository
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import View, maybe_stamp, node_id, stamp


def status(view: View, repository: Repository, one: CommitStatus) -> dict[str, Any]:
    return {**_simple_status(view, repository, one), "creator": simple_user(view, one.creator)}


def _simple_status(view: View, repository: Repository, one: CommitStatus) -> dict[str, Any]:
    return {
        "url": f"{view.repo(repository)}/statuses/{one.sha}",
        "avatar_url": f"{view.html}/_avatars/{view.user(one.creator).id}",
        "id": one.id,
        "node_id": node_id("StatusContext", one.id),
        "state": one.state,
        "description": one.description,
        "target_url": one.target_url,
        "context": one.context,
        "required": None,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.created_at),
    }


def combined_status(view: View, repository: Repository, sha: str, page: list[CommitStatus]) -> dict[str, Any]:
    """`page` are the statuses shown of the newest under each context."""
    here = f"{view.repo(repository)}/commits/{sha}"
    return {
        "state": combined_state(repository, sha),
        "statuses": [_simple_status(view, repository, one) for one in page],
        "sha": sha,
        "total_count": len(latest_statuses(repository, sha)),
        "repository": render_repository(view, repository),
        "commit_url": here,
        "url": f"{here}/status",
    }


def check_run(view: View, repository: Repository, one: CheckRun) -> dict[str, Any]:
    here = f"{view.repo(repository)}/check-runs/{one.id}"
    page = _check_page(view, repository, one)
    return {
        "id": one.id,
        "name": one.name,
        "node_id": node_id("CheckRun", one.id),
        "head_sha": one.head_sha,
        "external_id": one.external_id,
        "url": here,
        "html_url": page,
        "details_url": one.details_url or page,
        "status": one.status,
        "conclusion": one.conclusion,
        "started_at": maybe_stamp(one.started_at),
        "completed_at": maybe_stamp(one.completed_at),
        "output": {
            "title": one.title,
            "summary": one.summary,
            "text": one.text,
            "annotations_count": len(one.annotations),
            "annotations_url": f"{here}/annotations",
        },
        "check_suite": {"id": one.suite_id},
        "app": app(view, one.app_id),
        "pull_requests": pulls_of(view, repository, one.head_sha),
    }


def _check_page(view: View, repository: Repository, one: CheckRun) -> str:
    suite = repository.check_suites.get(one.suite_id)
    if one.job_id is not None and suite is not None and suite.run_id is not None:
        return f"{view.page(repository)}/actions/runs/{suite.run_id}/job/{one.job_id}"
    return f"{view.page(repository)}/runs/{one.id}"


def annotation(view: View, repository: Repository, run: CheckRun, one: CheckAnnotation) -> dict[str, Any]:
    return {
        "path": one.path,
        "blob_href": f"{view.page(repository)}/blob/{run.head_sha}/{one.path}",
        "start_line": one.start_line,
        "end_line": one.end_line,
        "start_column": one.start_column,
        "end_column": one.end_column,
        "annotation_level": one.level,
        "title": one.title or "",
        "message": one.message,
        "raw_details": one.raw_details or "",
    }


def check_suite(view: View, repository: Repository, one: CheckSuite, head: Commit) -> dict[str, Any]:
    here = f"{view.repo(repository)}/check-suites/{one.id}"
    newest = {run.name: run for run in repository.check_runs.values() if run.suite_id == one.id}
    status, conclusion = suite_state(list(newest.values()))
    return {
        "id": one.id,
        "node_id": node_id("CheckSuite", one.id),
        "head_branch": one.head_branch,
        "head_sha": one.head_sha,
        "status": status,
        "conclusion": conclusion,
        "url": here,
        "before": head.parents[0] if head.parents else None,
        "after": one.head_sha,
        "pull_requests": pulls_of(view, repository, one.head_sha),
        "app": app(view, one.app_id),
        "repository": render_repository(view, repository),
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "head_commit": simple_commit(head),
        "latest_check_runs_count": len(newest),
        "check_runs_url": f"{here}/check-runs",
        "rerequestable": True,
        "runs_rerequestable": True,
    }
