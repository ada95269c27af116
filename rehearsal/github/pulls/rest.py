"""Pull requests, their reviews, and merging."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

from rehearsal.github.accounts.rules import check
from rehearsal.github.git import history
from rehearsal.github.issues.service import change_state
from rehearsal.github.problems import Problem, invalid, not_found, unprocessable
from rehearsal.github.pulls import render
from rehearsal.github.pulls.rules import MERGE_METHODS, check_reviewer, role_to_edit
from rehearsal.github.pulls.service import pull_requests, reviews
from rehearsal.github.pulls.service.merge import MergeRequest, merge
from rehearsal.github.pulls.service.mergeability import refresh
from rehearsal.github.pulls.state import PullRequest, PullRequestReview
from rehearsal.github.repositories.render import commits as render_commits
from rehearsal.github.rest.answers import Answer, created, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints

endpoints = Endpoints()


async def _full(call: Call, pull: PullRequest) -> dict[str, object]:
    size = await pull_requests.pull_size(call.instance, call.repository, pull)
    return render.full_pull(call.view, call.repository, pull, size)


@endpoints.add("GET", "pulls", "pull_requests:read")
async def list_pulls(call: Call) -> Answer:
    state, base, head = call.query("state", "open"), call.query("base"), call.query("head")
    issues = call.repository.issues
    found = [
        pull
        for pull in call.repository.pulls.values()
        if state in ("all", issues[pull.number].state)
        and (not base or pull.base_ref == base)
        and (not head or head in (f"{pull.head_repository.partition('/')[0]}:{pull.head_ref}", pull.head_ref))
    ]
    by_update = call.query("sort") == "updated"
    found.sort(key=lambda pull: issues[pull.number].updated_at if by_update else issues[pull.number].created_at)
    if call.query("direction", "desc" if call.query("sort", "created") == "created" else "asc") == "desc":
        found.reverse()
    page = call.page(found)
    return page.answer([render.simple_pull(call.view, call.repository, pull) for pull in page.items])


@endpoints.add("POST", "pulls", "pull_requests:write", role="read")
async def create_pull(call: Call) -> Answer:
    fields = call.fields
    pull = await pull_requests.open_pull(
        call.instance,
        call.repository,
        title=fields.required_text("title"),
        body=fields.maybe_text("body"),
        head=fields.required_text("head"),
        base=fields.required_text("base"),
        draft=fields.flag("draft", False),
        by=call.identity,
    )
    body = await _full(call, pull)
    return created(body, str(body["url"]))


@endpoints.add("GET", "pulls/{number}", "pull_requests:read")
async def get_pull(call: Call) -> Answer | Response:
    """`Accept: …diff` gives the diff instead."""
    pull = call.pull()
    if call.wants("diff"):
        base = await history.merge_base(call.git, pull.base_sha, pull.head_sha)
        return PlainTextResponse(await history.diff(call.git, base, pull.head_sha))
    return ok(await _full(call, pull))


@endpoints.add("PATCH", "pulls/{number}", "pull_requests:write", role="read")
async def update_pull(call: Call) -> Answer:
    pull, fields = call.pull(), call.fields
    issue = call.repository.issues[pull.number]
    check(call.identity, call.repository, ("pull_requests:write",), role_to_edit(call.identity, call.repository, pull))
    base = fields.maybe_text("base")
    if base is not None and call.git.branch(base) is None:
        raise invalid("PullRequest", "base")
    issue.title = fields.text("title", issue.title)
    issue.body = fields.text("body") if "body" in fields else issue.body
    issue.updated_at = call.instance.now()
    if "state" in fields:
        state = fields.choice("state", ("open", "closed"))
        await change_state(call.instance, call.repository, issue, state, None, call.identity)
    if base is not None and base != pull.base_ref:
        before, pull.base_ref = {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}, base
        await refresh(call.instance, call.repository, pull)
        edited = {"changes": {"base": before}}
        await pull_requests.deliver_event(call.instance, call.repository, pull, "edited", call.identity, edited)
    return ok(await _full(call, pull))


@endpoints.add("GET", "pulls/{number}/commits", "pull_requests:read")
async def list_commits(call: Call) -> Answer:
    pull = call.pull()
    page = call.page(await history.between(call.git, pull.base_sha, pull.head_sha))
    return page.answer([render_commits.commit(call.view, call.repository, one) for one in page.items])


@endpoints.add("GET", "pulls/{number}/files", "pull_requests:read")
async def list_files(call: Call) -> Answer:
    pull = call.pull()
    base = await history.merge_base(call.git, pull.base_sha, pull.head_sha)
    page = call.page(await history.changes(call.git, base, pull.head_sha))
    return page.answer(
        [render_commits.diff_entry(call.view, call.repository, pull.head_sha, one) for one in page.items]
    )


@endpoints.add("GET", "pulls/{number}/merge", "pull_requests:read")
async def is_merged(call: Call) -> Answer:
    if call.pull().merged_at is None:
        raise not_found()
    return Answer(status=204)


@endpoints.add("PUT", "pulls/{number}/merge", "contents:write")
async def merge_pull(call: Call) -> Answer:
    fields = call.fields
    wanted = MergeRequest(
        method=fields.choice("merge_method", tuple(MERGE_METHODS), "merge"),
        title=fields.maybe_text("commit_title"),
        message=fields.maybe_text("commit_message"),
        sha=fields.maybe_text("sha"),
    )
    sha = await merge(call.instance, call.repository, call.pull(), wanted, call.identity)
    return ok({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


@endpoints.add("GET", "pulls/{number}/reviews", "pull_requests:read")
async def list_reviews(call: Call) -> Answer:
    pull = call.pull()
    page = call.page(pull.reviews)
    return page.answer([render.review(call.view, call.repository, pull, one) for one in page.items])


@endpoints.add("POST", "pulls/{number}/reviews", "pull_requests:write", role="read")
async def create_review(call: Call) -> Answer:
    pull, fields = call.pull(), call.fields
    if fields.objects("comments"):
        raise unprocessable("Reviews have no comments on lines here: put the text into the body.")
    kind = fields.choice("event", tuple(reviews.STATES), "COMMENT")
    commit = fields.text("commit_id", pull.head_sha)
    if await call.git.resolve(commit) is None:
        raise unprocessable("commit_id does not belong to this pull request")
    review = await reviews.submit(
        call.instance, call.repository, pull, kind=kind, body=fields.text("body"), commit=commit, by=call.identity
    )
    return ok(render.review(call.view, call.repository, pull, review))


@endpoints.add("GET", "pulls/{number}/reviews/{review}", "pull_requests:read")
async def get_review(call: Call) -> Answer:
    pull = call.pull()
    return ok(render.review(call.view, call.repository, pull, _review(call, pull)))


@endpoints.add("PUT", "pulls/{number}/reviews/{review}/dismissals", "pull_requests:write")
async def dismiss_review(call: Call) -> Answer:
    pull = call.pull()
    review = _review(call, pull)
    message = call.fields.required_text("message")
    await reviews.dismiss(call.instance, call.repository, pull, review, message, call.identity)
    return ok(render.review(call.view, call.repository, pull, review))


@endpoints.add("POST", "pulls/{number}/requested_reviewers", "pull_requests:write")
async def request_reviewers(call: Call) -> Answer:
    pull = call.pull()
    for login in call.fields.texts("reviewers"):
        if login not in call.instance.database.users:
            raise Problem(422, "Reviews may only be requested from collaborators.")
        check_reviewer(call.repository, pull, login)
        pull.requested_reviewers = list(dict.fromkeys([*pull.requested_reviewers, login]))
    return created(render.simple_pull(call.view, call.repository, pull))


def _review(call: Call, pull: PullRequest) -> PullRequestReview:
    wanted = call.number("review")
    found = next((one for one in pull.reviews if one.id == wanted), None)
    if found is None:
        raise not_found()
    return found
