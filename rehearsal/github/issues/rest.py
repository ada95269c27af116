"""Issues, comments (of pull requests too), labels."""

from __future__ import annotations

from datetime import datetime

from rehearsal.github.issues import render, service
from rehearsal.github.issues.rules import check_may_edit, check_may_edit_comment
from rehearsal.github.issues.state import Comment, Issue
from rehearsal.github.problems import Problem, not_found
from rehearsal.github.rest.answers import Answer, created, no_content, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints

endpoints = Endpoints()

_READ = ("issues:read", "pull_requests:read")
_WRITE = ("issues:write", "pull_requests:write")
_REASONS = ("completed", "not_planned", "reopened", "duplicate")


@endpoints.add("GET", "issues", "issues:read")
async def list_issues(call: Call) -> Answer:
    """Issues and pull requests, newest first."""
    state, creator = call.query("state", "open"), call.query("creator")
    labels = [name for name in call.query("labels").split(",") if name]
    found = [
        issue
        for issue in call.repository.issues.values()
        if state in ("all", issue.state)
        and (not creator or issue.user == creator)
        and all(name in issue.labels for name in labels)
        and issue.updated_at >= _since(call, issue)
    ]
    by_update = call.query("sort") == "updated"
    newest = call.query("direction", "desc") == "desc"
    found.sort(key=lambda one: (one.updated_at if by_update else one.created_at, one.number), reverse=newest)
    page = call.page(found)
    return page.answer([render.issue(call.view, call.repository, one) for one in page.items])


@endpoints.add("POST", "issues", "issues:write", role="read")
async def create_issue(call: Call) -> Answer:
    fields = call.fields
    title = fields.values.get("title")
    issue = await service.open_issue(
        call.instance,
        call.repository,
        title=str(title) if isinstance(title, int) else fields.required_text("title"),
        body=fields.maybe_text("body"),
        labels=_labels(call),
        assignees=fields.texts("assignees"),
        by=call.identity,
    )
    body = render.issue(call.view, call.repository, issue)
    return created(body, body["url"])


@endpoints.add("GET", "issues/comments", *_READ)
async def list_all_comments(call: Call) -> Answer:
    page = call.page(list(call.repository.comments.values()))
    return page.answer([render.comment(call.view, call.repository, one) for one in page.items])


@endpoints.add("GET", "issues/comments/{comment}", *_READ)
async def get_comment(call: Call) -> Answer:
    return ok(render.comment(call.view, call.repository, _comment(call)))


@endpoints.add("PATCH", "issues/comments/{comment}", *_WRITE, role="read")
async def update_comment(call: Call) -> Answer:
    comment = _own_comment(call)
    body = call.fields.required_text("body")
    await service.edit_comment(call.instance, call.repository, comment, body, call.identity)
    return ok(render.comment(call.view, call.repository, comment))


@endpoints.add("DELETE", "issues/comments/{comment}", *_WRITE, role="read")
async def delete_comment(call: Call) -> Answer:
    await service.delete_comment(call.instance, call.repository, _own_comment(call), call.identity)
    return no_content()


@endpoints.add("GET", "issues/{number}", *_READ)
async def get_issue(call: Call) -> Answer:
    return ok(render.issue(call.view, call.repository, call.issue()))


@endpoints.add("PATCH", "issues/{number}", *_WRITE, role="read")
async def update_issue(call: Call) -> Answer:
    issue, fields = call.issue(), call.fields
    check_may_edit(call.identity, call.repository, issue)
    issue.title = fields.text("title", issue.title)
    issue.body = fields.maybe_text("body") if "body" in fields else issue.body
    issue.labels = _labels(call) if "labels" in fields else issue.labels
    issue.assignees = fields.texts("assignees") if "assignees" in fields else issue.assignees
    issue.updated_at = call.instance.now()
    if "state" in fields:
        reason = fields.choice("state_reason", _REASONS) if fields.values.get("state_reason") else None
        state = fields.choice("state", ("open", "closed"))
        await service.change_state(call.instance, call.repository, issue, state, reason, call.identity)
    return ok(render.issue(call.view, call.repository, issue))


@endpoints.add("GET", "issues/{number}/comments", *_READ)
async def list_comments(call: Call) -> Answer:
    issue = call.issue()
    page = call.page(call.repository.comments_of(issue.number))
    return page.answer([render.comment(call.view, call.repository, one) for one in page.items])


@endpoints.add("POST", "issues/{number}/comments", *_WRITE, role="read")
async def create_comment(call: Call) -> Answer:
    issue, text = call.issue(), call.fields.required_text("body")
    if not text.strip():
        raise Problem(422, "Validation Failed", errors=[{"resource": "IssueComment", "code": "missing_field"}])
    comment = await service.add_comment(call.instance, call.repository, issue, text, call.identity)
    body = render.comment(call.view, call.repository, comment)
    return created(body, body["url"])


@endpoints.add("GET", "issues/{number}/labels", *_READ)
async def list_issue_labels(call: Call) -> Answer:
    page = call.page(render.labels_of(call.view, call.repository, call.issue()))
    return page.answer(page.items)


@endpoints.add("POST", "issues/{number}/labels", *_WRITE, role="triage")
async def add_labels(call: Call) -> Answer:
    issue = call.issue()
    issue.labels = list(dict.fromkeys([*issue.labels, *_labels(call)]))
    return ok(render.labels_of(call.view, call.repository, issue))


@endpoints.add("DELETE", "issues/{number}/labels/{name:path}", *_WRITE, role="triage")
async def remove_label(call: Call) -> Answer:
    issue, name = call.issue(), call.path("name")
    if name not in issue.labels:
        raise Problem(404, "Label does not exist")
    issue.labels.remove(name)
    return ok(render.labels_of(call.view, call.repository, issue))


@endpoints.add("GET", "labels", *_READ)
async def list_labels(call: Call) -> Answer:
    page = call.page(list(call.repository.labels.values()))
    return page.answer([render.label(call.view, call.repository, one) for one in page.items])


@endpoints.add("POST", "labels", *_WRITE, role="triage")
async def create_label(call: Call) -> Answer:
    name = call.fields.required_text("name")
    if name in call.repository.labels:
        raise Problem(
            422, "Validation Failed", errors=[{"resource": "Label", "code": "already_exists", "field": "name"}]
        )
    service.ensure_labels(call.instance, call.repository, [name])
    label = call.repository.labels[name]
    label.color = call.fields.text("color", label.color)
    label.description = call.fields.text("description")
    return created(render.label(call.view, call.repository, label))


def _labels(call: Call) -> list[str]:
    """Labels are given as names or as objects with a name."""
    given = call.fields.values.get("labels") or []
    names = [str(one["name"]) if isinstance(one, dict) else str(one) for one in given]
    service.ensure_labels(call.instance, call.repository, names)
    return names


def _since(call: Call, issue: Issue) -> datetime:
    text = call.query("since")
    return datetime.fromisoformat(text) if text else issue.updated_at


def _comment(call: Call) -> Comment:
    found = call.repository.comments.get(call.number("comment"))
    if found is None:
        raise not_found()
    return found


def _own_comment(call: Call) -> Comment:
    comment = _comment(call)
    check_may_edit_comment(call.identity, call.repository, comment)
    return comment
