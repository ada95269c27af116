"""What `gh` does to pull requests through GraphQL."""

from __future__ import annotations

from rehearsal.github.graphql.reader import Input, Mutation, Node, Reader
from rehearsal.github.issues import service as issues
from rehearsal.github.problems import Problem, unprocessable
from rehearsal.github.pulls.graphql.pull_requests import pull as pull_node
from rehearsal.github.pulls.graphql.pull_requests import queue_entry
from rehearsal.github.pulls.graphql.pull_requests import review as review_node
from rehearsal.github.pulls.rules import role_to_edit
from rehearsal.github.pulls.service import merge_queue, pull_requests, reviews
from rehearsal.github.pulls.service.merge import MergeRequest, merge
from rehearsal.github.pulls.state import PullRequest
from rehearsal.github.repositories.state import Repository


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
    return {"pullRequest": pull_node(reader, repository, pull)}


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
    return {"pullRequest": pull_node(reader, repository, pull)}


async def _enable_auto_merge(reader: Reader, given: Input) -> Node:
    """What `gh pr merge` asks for where there is a queue. No repository here allows auto-merge, which is GitHub's default."""
    repository, _ = reader.pull_of_id(given["pullRequestId"])
    reader.allow(repository, "contents:write")
    raise unprocessable("Pull request Auto merge is not allowed for this repository")


async def _enqueue(reader: Reader, given: Input) -> Node:
    repository, pull = reader.pull_of_id(given["pullRequestId"])
    reader.allow(repository, "contents:write")
    entry = await merge_queue.enqueue(
        reader.instance, repository, pull, reader.identity, expected_head=given.get("expectedHeadOid")
    )
    return {"mergeQueueEntry": queue_entry(reader, repository, pull, entry)}


async def _dequeue(reader: Reader, given: Input) -> Node:
    repository, pull = reader.pull_of_id(given["id"])
    reader.allow(repository, "contents:write")
    entry = await merge_queue.dequeue(reader.instance, repository, pull, reader.identity)
    return {"mergeQueueEntry": queue_entry(reader, repository, pull, entry)}


async def _close_pull(reader: Reader, given: Input) -> Node:
    return await _pull_state(reader, given, "closed")


async def _reopen_pull(reader: Reader, given: Input) -> Node:
    return await _pull_state(reader, given, "open")


async def _pull_state(reader: Reader, given: Input, state: str) -> Node:
    repository, pull = _own_pull(reader, given)
    issue = repository.issues[pull.number]
    await issues.change_state(reader.instance, repository, issue, state, None, reader.identity)
    return {"pullRequest": pull_node(reader, repository, pull)}


async def _ready_pull(reader: Reader, given: Input) -> Node:
    repository, pull = _own_pull(reader, given)
    if pull.draft:
        pull.draft = False
        await pull_requests.deliver_event(reader.instance, repository, pull, "ready_for_review", reader.identity)
    return {"pullRequest": pull_node(reader, repository, pull)}


def _own_pull(reader: Reader, given: Input) -> tuple[Repository, PullRequest]:
    """A pull request of one's own, or any for who may write."""
    repository, pull = reader.pull_of_id(given["pullRequestId"])
    reader.allow(repository, "pull_requests:write", role=role_to_edit(reader.identity, repository, pull))
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
    return {"pullRequestReview": review_node(reader, repository, pull, review)}


MUTATIONS: dict[str, Mutation] = {
    "createPullRequest": _create_pull,
    "mergePullRequest": _merge_pull,
    "enablePullRequestAutoMerge": _enable_auto_merge,
    "enqueuePullRequest": _enqueue,
    "dequeuePullRequest": _dequeue,
    "closePullRequest": _close_pull,
    "reopenPullRequest": _reopen_pull,
    "markPullRequestReadyForReview": _ready_pull,
    "addPullRequestReview": _review,
}
