"""Issues, comments and labels."""

from __future__ import annotations

from typing import Any

from rehearsal.github.accounts.render import author_association
from rehearsal.github.graphql.reader import Node, Reader, connection, time_or_none
from rehearsal.github.issues.state import Comment, Issue, Label
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import node_id, stamp


def issue(reader: Reader, repository: Repository, one: Issue) -> Node:
    return {
        "__typename": "Issue",
        **common(reader, repository, one),
        "id": node_id("Issue", one.id),
        "databaseId": one.id,
        "state": one.state.upper(),
        "stateReason": one.state_reason.upper() if one.state_reason else None,
        "isPinned": False,
    }


def common(reader: Reader, repository: Repository, one: Issue) -> Node:
    """What issues and pull requests have alike."""
    page = f"{reader.view.page(repository)}/{'pull' if one.is_pull else 'issues'}/{one.number}"
    known = [repository.labels[name] for name in one.labels if name in repository.labels]
    return {
        "number": one.number,
        "title": one.title,
        "body": one.body or "",
        "url": page,
        "author": reader.actor(one.user),
        "authorAssociation": author_association(repository, one.user),
        "createdAt": stamp(one.created_at),
        "updatedAt": stamp(one.updated_at),
        "closed": one.state == "closed",
        "closedAt": time_or_none(one.closed_at),
        "milestone": None,
        "assignees": connection(one.assignees, reader.actor),
        "labels": connection(known, label),
        "comments": connection(
            repository.comments_of(one.number), lambda found: comment(reader, repository, found, page)
        ),
        "projectCards": {"nodes": [], "totalCount": 0},
        "reactionGroups": [],
    }


def label(one: Label) -> Node:
    return {"id": node_id("Label", one.id), "name": one.name, "description": one.description, "color": one.color}


def comment(reader: Reader, repository: Repository, one: Comment, page: str) -> Node:
    return {
        "id": node_id("IssueComment", one.id),
        "databaseId": one.id,
        "author": reader.actor(one.user),
        "authorAssociation": author_association(repository, one.user),
        "body": one.body,
        "createdAt": stamp(one.created_at),
        "updatedAt": stamp(one.updated_at),
        "includesCreatedEdit": one.updated_at > one.created_at,
        "isMinimized": False,
        "minimizedReason": None,
        "url": f"{page}#issuecomment-{one.id}",
        "viewerDidAuthor": one.user == reader.identity.login,
        "reactionGroups": [],
    }


def listed(reader: Reader, repository: Repository, arguments: dict[str, Any]) -> list[Issue]:
    """Issues as `issues(states:, filterBy:, orderBy:)` asks for them; pull requests are none here."""
    wanted = arguments.get("filterBy") or {}
    states = [state.lower() for state in arguments.get("states") or wanted.get("states") or ["open", "closed"]]
    labels = arguments.get("labels") or wanted.get("labels") or []
    found = [
        one
        for one in repository.issues.values()
        if not one.is_pull
        and one.state in states
        and all(name in one.labels for name in labels)
        and wanted.get("createdBy") in (None, one.user)
        and (wanted.get("assignee") is None or wanted["assignee"] in one.assignees)
    ]
    return ordered(found, arguments.get("orderBy"))


def ordered(found: list[Issue], order: dict[str, str] | None) -> list[Issue]:
    """By creation, oldest first, unless asked otherwise."""
    by_update = order is not None and order["field"] == "UPDATED_AT"
    newest_first = order is not None and order["direction"] == "DESC"
    return sorted(
        found, key=lambda one: (one.updated_at if by_update else one.created_at, one.number), reverse=newest_first
    )
