"""What gh changes through GraphQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from rehearsal.github.graphql.reader import Node, Reader
from rehearsal.github.issues import service as issue_changes
from rehearsal.github.issues.graphql import issues
from rehearsal.github.problems import Problem
from rehearsal.github.pulls import graphql as pulls
from rehearsal.github.pulls.service import pull_requests, reviews
from rehearsal.github.pulls.service.merge import MergeRequest, merge
from rehearsal.github.pulls.state import PullRequest
from rehearsal.github.repositories.state import Repository

Input = dict[str, Any]
Mutation = Callable[[Reader, Input], Awaitable[Node]]


def root(reader: Reader) -> Node:
    """The fields of `mutation`."""

    def field(mutation: Mutation) -> Callable[..., Awaitable[Node]]:
        async def resolve(_: Any, input: Input) -> Node:
            if reader.identity.user is None:
                raise Problem(401, "Requires authentication")
            return {**await mutation(reader, input), "clientMutationId": input.get("clientMutationId")}

        return resolve

    return {name: field(mutation) for name, mutation in _MUTATIONS.items()}


async def _create_pull(reader: Reader, given: Input) -> Node:
    repository = reader.repository_of_id(given["repositoryId"])
    reader.allow(repository, "pull_requests:write", role="read")
    pull = await pull_requests.open_pull(
        reader.instance,
        repository,
        title=given["title"],
        body=given.get("body"),
        head=given["headRefName"],
        base=given["baseRefName"],
        draft=bool(given.get("draft")),
        by=reader.identity,
    )
    return {"pullRequest": pulls.pull(reader, repository, pull)}


async def _merge_pull(reader: Reader, given: Input) -> Node:
    repository, pull = reader.pull_of_id(given["pullRequestId"])
    reader.allow(repository, "contents:write")
    wanted = MergeRequest(
        method=str(given.get("mergeMethod") or "MERGE").lower(),
        title=given.get("commitHeadline"),
        message=given.get("commitBody"),
        sha=given.get("expectedHeadOid"),
    )
    await merge(reader.instance, repository, pull, wanted, reader.identity)
    return {"pullRequest": pulls.pull(reader, repository, pull)}


async def _close_pull(reader: Reader, given: Input) -> Node:
    return await _pull_state(reader, given, "closed")


async def _reopen_pull(reader: Reader, given: Input) -> Node:
    return await _pull_state(reader, given, "open")


async def _pull_state(reader: Reader, given: Input, state: str) -> Node:
    repository, pull = _own_pull(reader, given)
    issue = repository.issues[pull.number]
    await issue_changes.change_state(reader.instance, repository, issue, state, None, reader.identity)
    return {"pullRequest": pulls.pull(reader, repository, pull)}


async def _ready_pull(reader: Reader, given: Input) -> Node:
    repository, pull = _own_pull(reader, given)
    if pull.draft:
        pull.draft = False
        await pull_requests.tell(reader.instance, repository, pull, "ready_for_review", reader.identity)
    return {"pullRequest": pulls.pull(reader, repository, pull)}


def _own_pull(reader: Reader, given: Input) -> tuple[Repository, PullRequest]:
    """A pull request of one's own, or any for who may write."""
    repository, pull = reader.pull_of_id(given["pullRequestId"])
    own = repository.issues[pull.number].user == reader.identity.login
    reader.allow(repository, "pull_requests:write", role="read" if own else "write")
    return repository, pull


async def _review(reader: Reader, given: Input) -> Node:
    repository, pull = reader.pull_of_id(given["pullRequestId"])
    reader.allow(repository, "pull_requests:write", role="read")
    kind = str(given.get("event") or "COMMENT")
    if kind not in reviews.STATES:
        raise Problem(422, f"A new review cannot {kind}")
    review = await reviews.submit(
        reader.instance,
        repository,
        pull,
        kind=kind,
        body=given.get("body") or "",
        commit=given.get("commitOID") or pull.head_sha,
        by=reader.identity,
    )
    return {"pullRequestReview": pulls.review(reader, repository, pull, review)}


async def _comment(reader: Reader, given: Input) -> Node:
    repository, number = reader.issue_of_id(given["subjectId"])
    reader.allow(repository, "issues:write", "pull_requests:write", role="read")
    issue = repository.issues[number]
    made = await issue_changes.add_comment(reader.instance, repository, issue, given["body"], reader.identity)
    page = f"{reader.view.page(repository)}/{'pull' if issue.is_pull else 'issues'}/{number}"
    return {"commentEdge": {"node": issues.comment(reader, repository, made, page), "cursor": str(made.id)}}


async def _create_issue(reader: Reader, given: Input) -> Node:
    repository = reader.repository_of_id(given["repositoryId"])
    reader.allow(repository, "issues:write", role="read")
    issue = await issue_changes.open_issue(
        reader.instance,
        repository,
        title=given["title"],
        body=given.get("body"),
        labels=[],
        assignees=[],
        by=reader.identity,
    )
    return {"issue": issues.issue(reader, repository, issue)}


async def _close_issue(reader: Reader, given: Input) -> Node:
    return await _issue_state(reader, given, "closed")


async def _reopen_issue(reader: Reader, given: Input) -> Node:
    return await _issue_state(reader, given, "open")


async def _issue_state(reader: Reader, given: Input, state: str) -> Node:
    repository, number = reader.issue_of_id(given["issueId"])
    issue = repository.issues[number]
    own = issue.user == reader.identity.login
    reader.allow(repository, "issues:write", role="read" if own else "triage")
    reason = given.get("stateReason")
    by = reader.identity
    await issue_changes.change_state(reader.instance, repository, issue, state, reason and reason.lower(), by)
    return {"issue": issues.issue(reader, repository, issue)}


_MUTATIONS: dict[str, Mutation] = {
    "createPullRequest": _create_pull,
    "mergePullRequest": _merge_pull,
    "closePullRequest": _close_pull,
    "reopenPullRequest": _reopen_pull,
    "markPullRequestReadyForReview": _ready_pull,
    "addPullRequestReview": _review,
    "addComment": _comment,
    "createIssue": _create_issue,
    "closeIssue": _close_issue,
    "reopenIssue": _reopen_issue,
}
