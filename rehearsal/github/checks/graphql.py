"""Commits and what was checked of them."""

from __future__ import annotations

from typing import Any

from rehearsal.github.checks.render import check_run as render_check_run
from rehearsal.github.checks.rules import latest_check_runs, latest_statuses, overall_state
from rehearsal.github.checks.state import CheckRun, CommitStatus
from rehearsal.github.git.objects import Commit
from rehearsal.github.graphql.reader import Node, Reader, connection, time_or_none
from rehearsal.github.protection.rules import rules_for
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import node_id, stamp

_ROLLUP = {"failed": "FAILURE", "pending": "PENDING", "passed": "SUCCESS"}


def commit(reader: Reader, repository: Repository, one: Commit) -> Node:
    headline, _, body = one.message.partition("\n")
    return {
        "__typename": "Commit",
        "id": node_id("Commit", one.sha),
        "oid": one.sha,
        "message": one.message,
        "messageHeadline": headline,
        "messageBody": body.strip("\n"),
        "committedDate": stamp(one.committer.at),
        "authoredDate": stamp(one.author.at),
        "authors": lambda _, **__: _authors(reader, one),
        "statusCheckRollup": lambda _: rollup(reader, repository, one.sha),
    }


def reference(sha: str | None) -> Node | None:
    """A commit of which only the id is known."""
    return None if sha is None else {"__typename": "Commit", "id": node_id("Commit", sha), "oid": sha}


def _authors(reader: Reader, one: Commit) -> Node:
    user = reader.instance.database.user_by_email(one.author.email)
    actor = reader.actor(user.login) if user is not None and user.type == "User" else None
    return {"nodes": [{"name": one.author.name, "email": one.author.email, "user": actor}], "totalCount": 1}


def rollup(reader: Reader, repository: Repository, sha: str) -> Node | None:
    """All checks of a commit as one; None when there is none."""
    overall = overall_state(repository, sha)
    if overall is None:
        return None
    contexts: list[CheckRun | CommitStatus] = [
        *latest_check_runs(repository, sha),
        *latest_statuses(repository, sha),
    ]
    return {"state": _ROLLUP[overall], "contexts": connection(contexts, lambda one: _context(reader, repository, one))}


def _context(reader: Reader, repository: Repository, one: CheckRun | CommitStatus) -> Node:
    name = one.context if isinstance(one, CommitStatus) else one.name
    return {
        **_own_fields(reader, repository, one),
        "isRequired": lambda _, **arguments: _is_required(reader, repository, name, arguments),
    }


def _is_required(reader: Reader, repository: Repository, name: str, arguments: dict[str, Any]) -> bool:
    """Whether the base of a pull request, or the default branch, requires a check."""
    pull = repository.pulls.get(arguments.get("pullRequestNumber") or 0)
    if arguments.get("pullRequestId"):
        _, pull = reader.pull_of_id(arguments["pullRequestId"])
    branch = pull.base_ref if pull is not None else repository.default_branch
    return name in rules_for(repository, f"refs/heads/{branch}").contexts


def _own_fields(reader: Reader, repository: Repository, one: CheckRun | CommitStatus) -> Node:
    if isinstance(one, CommitStatus):
        return {
            "__typename": "StatusContext",
            "id": node_id("StatusContext", one.id),
            "context": one.context,
            "state": one.state.upper(),
            "description": one.description,
            "targetUrl": one.target_url,
            "createdAt": stamp(one.created_at),
        }
    return {
        "__typename": "CheckRun",
        "id": node_id("CheckRun", one.id),
        "name": one.name,
        "status": one.status.upper(),
        "conclusion": one.conclusion.upper() if one.conclusion else None,
        "startedAt": time_or_none(one.started_at),
        "completedAt": time_or_none(one.completed_at),
        "detailsUrl": render_check_run(reader.view, repository, one)["details_url"],
        "checkSuite": {"workflowRun": _workflow_run(reader, repository, one)},
    }


def _workflow_run(reader: Reader, repository: Repository, one: CheckRun) -> Node | None:
    suite = repository.check_suites.get(one.suite_id)
    run = next((run for run in reader.instance.runs(repository) if suite is not None and run.id == suite.run_id), None)
    if run is None:
        return None
    url = f"{reader.view.page(repository)}/actions/runs/{run.id}"
    return {"workflow": {"name": run.workflow_name}, "event": run.event.name, "url": url}
