"""Issues: the list, one with its conversation, a new one."""

from __future__ import annotations

from starlette.responses import Response

from rehearsal.github.issues import service
from rehearsal.github.issues.pages import timeline
from rehearsal.github.issues.rules import check_may_edit, may_edit
from rehearsal.github.issues.state import Issue
from rehearsal.github.pages.context import PageContext
from rehearsal.github.pages.paging import part
from rehearsal.github.pages.serving import Pages
from rehearsal.github.problems import Problem, not_found

pages = Pages()

LIVE = 2.0
_WRITE = ("issues:write", "pull_requests:write")


@pages.show("issues")
async def issue_list(context: PageContext) -> Response:
    issues = [issue for issue in context.repository.issues.values() if not issue.is_pull]
    state = context.query("state", "open")
    shown = [issue for issue in issues if state in ("all", issue.state)]
    return context.page(
        "issues.html",
        live=LIVE,
        issues=part(context.request, sorted(shown, key=lambda issue: issue.number, reverse=True)),
        state=state,
        counts={name: sum(issue.state == name for issue in issues) for name in ("open", "closed")},
        labels=context.repository.labels,
        answers={issue.number: len(context.repository.comments_of(issue.number)) for issue in shown},
        may_open=context.may("issues:write", role="read"),
    )


@pages.show("issues/new")
async def new_issue(context: PageContext) -> Response:
    return context.page("new_issue.html", may_open=context.may("issues:write", role="read"))


@pages.take("issues/new", "issues:write", role="read", back="issues/new")
async def open_issue(context: PageContext) -> Response:
    title = context.form.text("title").strip()
    if not title:
        raise Problem(422, "An issue needs a title.")
    issue = await service.open_issue(
        context.instance,
        context.repository,
        title=title,
        body=context.form.text("body").strip() or None,
        labels=[],
        assignees=[],
        by=context.identity,
    )
    return context.go(f"{context.home}/issues/{issue.number}")


@pages.show("issues/{number}")
async def issue_page(context: PageContext) -> Response:
    issue = find(context)
    if issue.is_pull:
        return context.go(f"{context.home}/pull/{issue.number}")
    return context.page(
        "issue.html",
        live=LIVE,
        issue=issue,
        timeline=timeline.of_issue(context.repository, issue),
        labels=context.repository.labels,
        may_comment=context.may(*_WRITE, role="read"),
        may_close=may_close(context, issue),
        thread=f"{context.home}/issues/{issue.number}",
    )


@pages.take("issues/{number}/comment", *_WRITE, role="read", back="issues/{number}")
async def comment(context: PageContext) -> Response:
    issue = find(context)
    body = context.form.text("body").strip()
    if not body:
        raise Problem(422, "A comment without words was not sent.")
    made = await service.add_comment(context.instance, context.repository, issue, body, context.identity)
    return context.go(f"{context.home}/{'pull' if issue.is_pull else 'issues'}/{issue.number}#issuecomment-{made.id}")


@pages.take("issues/{number}/state", *_WRITE, role="read", back="issues/{number}")
async def change_state(context: PageContext) -> Response:
    """Close or open again; for authors and those who may triage."""
    issue = find(context)
    state = context.form.text("state")
    check_may_edit(context.identity, context.repository, issue)
    if state not in ("open", "closed"):
        raise Problem(422, "An issue is open or closed.")
    await service.change_state(context.instance, context.repository, issue, state, None, context.identity)
    return context.go(f"{context.home}/{'pull' if issue.is_pull else 'issues'}/{issue.number}")


def find(context: PageContext) -> Issue:
    issue = context.repository.issues.get(context.number("number"))
    if issue is None:
        raise not_found()
    return issue


def may_close(context: PageContext, issue: Issue) -> bool:
    return context.may(*_WRITE, role="read") and may_edit(context.identity, context.repository, issue)
