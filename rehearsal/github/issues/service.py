"""Issues, comments, labels."""

from __future__ import annotations

import hashlib
from typing import Any

from rehearsal.github.events.delivery import announce
from rehearsal.github.identity import Identity
from rehearsal.github.instance import Service
from rehearsal.github.issues import render
from rehearsal.github.issues.state import Comment, Issue, Label
from rehearsal.github.pulls.service.pull_requests import close, reopen, set_state
from rehearsal.github.repositories.state import Repository


async def open_issue(
    service: Service,
    repository: Repository,
    *,
    title: str,
    body: str | None,
    labels: list[str],
    assignees: list[str],
    by: Identity,
) -> Issue:
    now = service.now()
    issue = Issue(
        id=service.database.next_id("issue"),
        number=repository.next_number(),
        title=title,
        body=body,
        user=by.login,
        labels=labels,
        assignees=assignees,
        created_at=now,
        updated_at=now,
    )
    ensure_labels(service, repository, labels)
    repository.issues[issue.number] = issue
    await tell(service, repository, issue, "opened", by)
    return issue


async def change_state(
    service: Service, repository: Repository, issue: Issue, state: str, reason: str | None, by: Identity
) -> None:
    """Open or close an issue or a pull request; nothing when it is so already."""
    if state == issue.state:
        return
    if issue.is_pull:
        pull = repository.pulls[issue.number]
        await (close if state == "closed" else reopen)(service, repository, pull, by)
        return
    default = "completed" if state == "closed" else "reopened"
    set_state(service, issue, state, by, reason or default)
    await tell(service, repository, issue, "closed" if state == "closed" else "reopened", by)


def ensure_labels(service: Service, repository: Repository, names: list[str]) -> None:
    """Labels come into being when they are first used."""
    for name in names:
        if name not in repository.labels:
            color = hashlib.sha256(name.encode()).hexdigest()[:6]
            repository.labels[name] = Label(id=service.database.next_id("label"), name=name, color=color)


async def add_comment(service: Service, repository: Repository, issue: Issue, body: str, by: Identity) -> Comment:
    now = service.now()
    comment = Comment(
        id=service.database.next_id("comment"),
        number=issue.number,
        user=by.login,
        body=body,
        created_at=now,
        updated_at=now,
        by_app=by.is_job,
    )
    repository.comments[comment.id] = comment
    issue.updated_at = now
    await tell_comment(service, repository, comment, "created", by)
    return comment


async def edit_comment(service: Service, repository: Repository, comment: Comment, body: str, by: Identity) -> None:
    before = comment.body
    comment.body = body
    comment.updated_at = service.now()
    await tell_comment(service, repository, comment, "edited", by, {"changes": {"body": {"from": before}}})


async def delete_comment(service: Service, repository: Repository, comment: Comment, by: Identity) -> None:
    await tell_comment(service, repository, comment, "deleted", by)
    del repository.comments[comment.id]


async def tell(service: Service, repository: Repository, issue: Issue, action: str, by: Identity) -> None:
    """An issues event; it runs on the default branch."""
    rendered = render.issue(service.view(), repository, issue)
    await _on_default_branch(service, repository, "issues", {"action": action, "issue": rendered}, by)


async def tell_comment(
    service: Service,
    repository: Repository,
    comment: Comment,
    action: str,
    by: Identity,
    more: dict[str, Any] | None = None,
) -> None:
    view = service.view()
    body = {
        "action": action,
        "issue": render.issue(view, repository, repository.issues[comment.number]),
        "comment": render.comment(view, repository, comment),
        **(more or {}),
    }
    await _on_default_branch(service, repository, "issue_comment", body, by)


async def _on_default_branch(
    service: Service, repository: Repository, name: str, body: dict[str, Any], by: Identity
) -> None:
    tip = service.git(repository).branch(repository.default_branch)
    if tip is not None:
        ref = f"refs/heads/{repository.default_branch}"
        await announce(service, repository, name, body, ref=ref, sha=tip, by=by)
