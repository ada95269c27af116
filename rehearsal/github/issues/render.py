"""Issues, comments, labels."""

from __future__ import annotations

from typing import Any

from rehearsal.github.accounts.render import author_association, maybe_app, maybe_user, simple_user
from rehearsal.github.issues.state import Comment, Issue, Label
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import View, maybe_stamp, node_id, stamp


def label(view: View, repository: Repository, one: Label) -> dict[str, Any]:
    return {
        "id": one.id,
        "node_id": node_id("Label", one.id),
        "url": f"{view.repo(repository)}/labels/{one.name}",
        "name": one.name,
        "description": one.description,
        "color": one.color,
        "default": False,
    }


def labels_of(view: View, repository: Repository, one: Issue) -> list[dict[str, Any]]:
    known = [repository.labels[name] for name in one.labels if name in repository.labels]
    return [label(view, repository, found) for found in known]


def issue(view: View, repository: Repository, one: Issue) -> dict[str, Any]:
    here = f"{view.repo(repository)}/issues/{one.number}"
    body = {
        "id": one.id,
        "node_id": node_id("Issue", one.id),
        "url": here,
        "repository_url": view.repo(repository),
        "labels_url": f"{here}/labels{{/name}}",
        "comments_url": f"{here}/comments",
        "events_url": f"{here}/events",
        "timeline_url": f"{here}/timeline",
        "html_url": _page(view, repository, one),
        "number": one.number,
        "title": one.title,
        "body": one.body,
        "user": simple_user(view, one.user),
        "author_association": author_association(repository, one.user),
        "state": one.state,
        "state_reason": one.state_reason,
        "labels": labels_of(view, repository, one),
        "assignee": maybe_user(view, one.assignees[0] if one.assignees else None),
        "assignees": [simple_user(view, login) for login in one.assignees],
        "milestone": None,
        "locked": one.locked,
        "active_lock_reason": None,
        "comments": len(repository.comments_of(one.number)),
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "closed_at": maybe_stamp(one.closed_at),
        "closed_by": maybe_user(view, one.closed_by),
        "performed_via_github_app": None,
        "reactions": _reactions(here),
    }
    return {**body, **_pull_part(view, repository, one)} if one.is_pull else body


def _pull_part(view: View, repository: Repository, one: Issue) -> dict[str, Any]:
    pull = repository.pulls[one.number]
    page = _page(view, repository, one)
    links = {
        "url": f"{view.repo(repository)}/pulls/{one.number}",
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "merged_at": maybe_stamp(pull.merged_at),
    }
    return {"draft": pull.draft, "pull_request": links}


def comment(view: View, repository: Repository, one: Comment) -> dict[str, Any]:
    here = f"{view.repo(repository)}/issues/comments/{one.id}"
    under = repository.issues[one.number]
    return {
        "id": one.id,
        "node_id": node_id("IssueComment", one.id),
        "url": here,
        "html_url": f"{_page(view, repository, under)}#issuecomment-{one.id}",
        "issue_url": f"{view.repo(repository)}/issues/{one.number}",
        "body": one.body,
        "user": simple_user(view, one.user),
        "author_association": author_association(repository, one.user),
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "performed_via_github_app": maybe_app(view, one.by_app),
        "reactions": _reactions(here),
    }


def _page(view: View, repository: Repository, one: Issue) -> str:
    return f"{view.page(repository)}/{'pull' if one.is_pull else 'issues'}/{one.number}"


def _reactions(here: str) -> dict[str, Any]:
    names = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"url": f"{here}/reactions", "total_count": 0, **dict.fromkeys(names, 0)}
