"""Issues, comments, labels."""

from __future__ import annotations

import hashlib
from typing import Any

from rehearsal.github.events.delivery import deliver
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.issues import render
from rehearsal.github.issues.state import Comment, Issue, Label
from rehearsal.github.pulls.service.pull_requests import close, reopen, set_state
from rehearsal.github.repositories.state import Repository


async def open_issue(
    instance: GitHubInstance,
    repository: Repository,
    *,
    title: str,
    body: str | None,
    labels: list[str],
    assignees: list[str],
    by: Identity,
) -> Issue:
    now = instance.now()
    issue = Issue(
        id=instance.database.next_id("issue"),
        number=repository.next_number(),
        title=title,
        body=body,
        user=by.login,
        labels=labels,
        assignees=assignees,
        created_at=now,
        updated_at=now,
    )
    ensure_labels(instance, repository, labels)
    repository.issues[issue.number] = issue
    await deliver_event(instance, repository, issue, "opened", by)
    return issue


async def change_state(
    instance: GitHubInstance, repository: Repository, issue: Issue, state: str, reason: str | None, by: Identity
) -> None:
    """Open or close an issue or a pull request; nothing when it is so already."""
    if state == issue.state:
        return
    if issue.is_pull:
        pull = repository.pulls[issue.number]
        await (close if state == "closed" else reopen)(instance, repository, pull, by)
        return
    default = "completed" if state == "closed" else "reopened"
    set_state(instance, issue, state, by, reason or default)
    await deliver_event(instance, repository, issue, "closed" if state == "closed" else "reopened", by)


def ensure_labels(instance: GitHubInstance, repository: Repository, names: list[str]) -> None:
    """Labels come into being when they are first used."""
    for name in names:
        if name not in repository.labels:
            color = hashlib.sha256(name.encode()).hexdigest()[:6]
            repository.labels[name] = Label(id=instance.database.next_id("label"), name=name, color=color)


async def add_comment(
    instance: GitHubInstance, repository: Repository, issue: Issue, body: str, by: Identity
) -> Comment:
    now = instance.now()
    comment = Comment(
        id=instance.database.next_id("comment"),
        number=issue.number,
        user=by.login,
        body=body,
        created_at=now,
        updated_at=now,
        by_app=by.is_job,
    )
    repository.comments[comment.id] = comment
    issue.updated_at = now
    await deliver_comment_event(instance, repository, comment, "created", by)
    return comment


async def edit_comment(
    instance: GitHubInstance, repository: Repository, comment: Comment, body: str, by: Identity
) -> None:
    before = comment.body
    comment.body = body
    comment.updated_at = instance.now()
    await deliver_comment_event(instance, repository, comment, "edited", by, {"changes": {"body": {"from": before}}})


async def delete_comment(instance: GitHubInstance, repository: Repository, comment: Comment, by: Identity) -> None:
    await deliver_comment_event(instance, repository, comment, "deleted", by)
    del repository.comments[comment.id]


async def deliver_event(
    instance: GitHubInstance, repository: Repository, issue: Issue, action: str, by: Identity
) -> None:
    """An issues event; it runs on the default branch."""
    rendered = render.issue(instance.view(), repository, issue)
    await _on_default_branch(instance, repository, "issues", {"action": action, "issue": rendered}, by)


async def deliver_comment_event(
    instance: GitHubInstance,
    repository: Repository,
    comment: Comment,
    action: str,
    by: Identity,
    more: dict[str, Any] | None = None,
) -> None:
    view = instance.view()
    body = {
        "action": action,
        "issue": render.issue(view, repository, repository.issues[comment.number]),
        "comment": render.comment(view, repository, comment),
        **(more or {}),
    }
    await _on_default_branch(instance, repository, "issue_comment", body, by)


async def _on_default_branch(
    instance: GitHubInstance, repository: Repository, name: str, body: dict[str, Any], by: Identity
) -> None:
    tip = instance.git(repository).branch(repository.default_branch)
    if tip is not None:
        ref = f"refs/heads/{repository.default_branch}"
        await deliver(instance, repository, name, body, ref=ref, sha=tip, by=by)
