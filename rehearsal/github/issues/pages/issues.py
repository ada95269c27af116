"""Issues: the list, one with its conversation, a new one."""

from __future__ import annotations

from starlette.responses import Response

from rehearsal.github.accounts.state import at_least
from rehearsal.github.issues import service as changes
from rehearsal.github.issues.pages import timeline as conversations
from rehearsal.github.issues.state import Issue
from rehearsal.github.pages.context import Visit
from rehearsal.github.pages.paging import part
from rehearsal.github.pages.serving import Pages
from rehearsal.github.problems import Problem, forbidden, not_found

pages = Pages()

LIVE = 2.0
_WRITE = ("issues:write", "pull_requests:write")


@pages.show("issues")
async def issue_list(visit: Visit) -> Response:
    issues = [issue for issue in visit.repository.issues.values() if not issue.is_pull]
    state = visit.query("state", "open")
    shown = [issue for issue in issues if state in ("all", issue.state)]
    return visit.page(
        "issues.html",
        live=LIVE,
        issues=part(visit.request, sorted(shown, key=lambda issue: issue.number, reverse=True)),
        state=state,
        counts={name: sum(issue.state == name for issue in issues) for name in ("open", "closed")},
        labels=visit.repository.labels,
        answers={issue.number: len(visit.repository.comments_of(issue.number)) for issue in shown},
        may_open=visit.may("issues:write", role="read"),
    )


@pages.show("issues/new")
async def new_issue(visit: Visit) -> Response:
    return visit.page("new_issue.html", may_open=visit.may("issues:write", role="read"))


@pages.take("issues/new", "issues:write", role="read", back="issues/new")
async def open_issue(visit: Visit) -> Response:
    title = visit.form.text("title").strip()
    if not title:
        raise Problem(422, "An issue needs a title.")
    issue = await changes.open_issue(
        visit.service,
        visit.repository,
        title=title,
        body=visit.form.text("body").strip() or None,
        labels=[],
        assignees=[],
        by=visit.identity,
    )
    return visit.go(f"{visit.home}/issues/{issue.number}")


@pages.show("issues/{number}")
async def issue_page(visit: Visit) -> Response:
    issue = find(visit)
    if issue.is_pull:
        return visit.go(f"{visit.home}/pull/{issue.number}")
    return visit.page(
        "issue.html",
        live=LIVE,
        issue=issue,
        talk=conversations.of_issue(visit.repository, issue),
        labels=visit.repository.labels,
        may_comment=visit.may(*_WRITE, role="read"),
        may_close=may_close(visit, issue),
        thread=f"{visit.home}/issues/{issue.number}",
    )


@pages.take("issues/{number}/comment", *_WRITE, role="read", back="issues/{number}")
async def comment(visit: Visit) -> Response:
    issue = find(visit)
    body = visit.form.text("body").strip()
    if not body:
        raise Problem(422, "A comment without words was not sent.")
    made = await changes.add_comment(visit.service, visit.repository, issue, body, visit.identity)
    return visit.go(f"{visit.home}/{'pull' if issue.is_pull else 'issues'}/{issue.number}#issuecomment-{made.id}")


@pages.take("issues/{number}/state", *_WRITE, role="read", back="issues/{number}")
async def change_state(visit: Visit) -> Response:
    """Close or open again; for authors and those who may triage."""
    issue = find(visit)
    state = visit.form.text("state")
    if not may_close(visit, issue):
        raise forbidden("Closing or opening this takes triage access, or being its author.")
    if state not in ("open", "closed"):
        raise Problem(422, "An issue is open or closed.")
    await changes.change_state(visit.service, visit.repository, issue, state, None, visit.identity)
    return visit.go(f"{visit.home}/{'pull' if issue.is_pull else 'issues'}/{issue.number}")


def find(visit: Visit) -> Issue:
    issue = visit.repository.issues.get(visit.number("number"))
    if issue is None:
        raise not_found()
    return issue


def may_close(visit: Visit, issue: Issue) -> bool:
    trusted = at_least(visit.repository.role_of(visit.identity.login), "triage")
    return visit.may(*_WRITE, role="read") and (trusted or issue.user == visit.identity.login)
