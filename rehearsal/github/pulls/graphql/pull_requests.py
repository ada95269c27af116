"""Pull requests."""

from __future__ import annotations

from typing import Any

from rehearsal.github.accounts.render import author_association
from rehearsal.github.checks import graphql as checks
from rehearsal.github.git import history
from rehearsal.github.graphql.reader import Node, Reader, connection, cut, time_or_none
from rehearsal.github.issues.graphql.issues import common, ordered
from rehearsal.github.protection.rules import rules_for
from rehearsal.github.pulls.rules import group_state, mergeable_state, queue_of, review_decision
from rehearsal.github.pulls.service import merge_queue
from rehearsal.github.pulls.state import MergeQueueEntry, PullRequest, PullRequestReview
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import node_id, stamp

_QUEUE_STATES = {"pending": "AWAITING_CHECKS", "passed": "MERGEABLE", "failed": "UNMERGEABLE"}


def pull(reader: Reader, repository: Repository, one: PullRequest) -> Node:
    issue = repository.issues[one.number]
    return {
        "__typename": "PullRequest",
        **common(reader, repository, issue),
        **_merging(reader, repository, one),
        **_sides(reader, repository, one),
        **_contents(reader, repository, one),
        **_queueing(reader, repository, one),
        "id": node_id("PullRequest", one.id),
        "databaseId": one.id,
        "isDraft": one.draft,
        "maintainerCanModify": False,
        "viewerDidAuthor": issue.user == reader.identity.login,
        "autoMergeRequest": None,
        "reviewDecision": lambda _: review_decision(repository, one),
        "reviews": connection(one.reviews, lambda found: review(reader, repository, one, found)),
        "latestReviews": connection(one.standing_reviews(), lambda found: review(reader, repository, one, found)),
        "reviewRequests": connection(one.requested_reviewers, lambda login: {"requestedReviewer": reader.actor(login)}),
    }


def _merging(reader: Reader, repository: Repository, one: PullRequest) -> Node:
    opened = repository.issues[one.number].state == "open"
    merged = one.merged_at is not None
    return {
        "state": "MERGED" if merged else "OPEN" if opened else "CLOSED",
        "merged": merged,
        "mergedAt": time_or_none(one.merged_at),
        "mergedBy": reader.actor(one.merged_by),
        "mergeCommit": checks.reference(one.merge_sha) if merged else None,
        "potentialMergeCommit": None if merged else checks.reference(one.merge_sha),
        "mergeable": "UNKNOWN" if not opened else "MERGEABLE" if one.mergeable else "CONFLICTING",
        "mergeStateStatus": lambda _: mergeable_state(repository, one).upper(),
    }


def _queueing(reader: Reader, repository: Repository, one: PullRequest) -> Node:
    """Reading it moves the queue on first: what waited too long for its checks is out of it."""

    async def entry(_: Any = None) -> Node | None:
        await merge_queue.advance(reader.instance, repository, one.base_ref)
        return None if one.queue_entry is None else queue_entry(reader, repository, one, one.queue_entry)

    async def is_queued(_: Any) -> bool:
        return await entry() is not None

    return {
        "isMergeQueueEnabled": has_merge_queue(repository, one.base_ref),
        "isInMergeQueue": is_queued,
        "mergeQueue": lambda _: queue(reader, repository, one.base_ref),
        "mergeQueueEntry": entry,
    }


def has_merge_queue(repository: Repository, branch: str) -> bool:
    return rules_for(repository, f"refs/heads/{branch}").queue is not None


def queue(reader: Reader, repository: Repository, branch: str) -> Node | None:
    """The merge queue of a branch; None where it has none."""
    if not has_merge_queue(repository, branch):
        return None

    async def entries(_: Any, first: int | None = None, after: str | None = None, last: int | None = None) -> Node:
        await merge_queue.advance(reader.instance, repository, branch)
        waiting = queue_of(repository, branch)
        return cut(waiting, lambda one: queue_entry(reader, repository, *one), first=first, after=after, last=last)

    return {
        "id": node_id("MergeQueue", f"{repository.id}/{branch}"),
        "url": f"{reader.view.page(repository)}/queue/{branch}",
        "repository": {"__typename": "Repository", "id": node_id("Repository", repository.id), "name": repository.name},
        "entries": entries,
    }


def queue_entry(reader: Reader, repository: Repository, of: PullRequest, one: MergeQueueEntry) -> Node:
    """An entry as it is now; of one that has left the queue, as it was."""
    ahead = [entry for _, entry in queue_of(repository, of.base_ref) if entry.id < one.id]
    return {
        "id": node_id("MergeQueueEntry", one.id),
        "position": len(ahead) + 1,
        "state": "QUEUED" if one.group is None else _QUEUE_STATES[group_state(repository, of, one.group)],
        "enqueuedAt": stamp(one.enqueued_at),
        "enqueuer": reader.actor(one.enqueuer),
        "jump": False,
        "solo": False,
        "estimatedTimeToMerge": None,
        "baseCommit": checks.reference(one.group.base_sha if one.group else None),
        "headCommit": checks.reference(one.group.head_sha if one.group else None),
        "pullRequest": lambda _: pull(reader, repository, of),
        "mergeQueue": lambda _: queue(reader, repository, of.base_ref),
    }


def _sides(reader: Reader, repository: Repository, one: PullRequest) -> Node:
    source = reader.instance.database.repository(one.head_repository)
    head = None
    if source is not None:
        head = {"__typename": "Repository", "id": node_id("Repository", source.id), "name": source.name}
    return {
        "isCrossRepository": one.head_repository != repository.full_name,
        "baseRefName": one.base_ref,
        "baseRefOid": one.base_sha,
        "headRefName": one.head_ref,
        "headRefOid": one.head_sha,
        "headRepository": head,
        "headRepositoryOwner": reader.actor(one.head_repository.partition("/")[0]),
    }


def _contents(reader: Reader, repository: Repository, one: PullRequest) -> Node:
    git = reader.git(repository)

    async def size() -> history.Size:
        return await history.size(git, one.base_sha, one.head_sha)

    async def additions(_: Any) -> int:
        return (await size()).additions

    async def deletions(_: Any) -> int:
        return (await size()).deletions

    async def changed_files(_: Any) -> int:
        return (await size()).files

    async def files(_: Any, first: int | None = None, after: str | None = None) -> Node:
        base = await history.merge_base(git, one.base_sha, one.head_sha)
        found = await history.changes(git, base, one.head_sha)
        return cut(found, _file, first=first, after=after, last=None)

    async def commits(_: Any, first: int | None = None, after: str | None = None, last: int | None = None) -> Node:
        found = await history.between(git, one.base_sha, one.head_sha)
        return cut(
            found, lambda made: {"commit": checks.commit(reader, repository, made)}, first=first, after=after, last=last
        )

    return {
        "additions": additions,
        "deletions": deletions,
        "changedFiles": changed_files,
        "files": files,
        "commits": commits,
    }


def _file(change: history.FileChange) -> Node:
    return {"path": change.path, "additions": change.additions, "deletions": change.deletions}


def review(reader: Reader, repository: Repository, of: PullRequest, one: PullRequestReview) -> Node:
    return {
        "id": node_id("PullRequestReview", one.id),
        "author": reader.actor(one.user),
        "authorAssociation": author_association(repository, one.user),
        "body": one.body,
        "state": one.state,
        "submittedAt": stamp(one.submitted_at),
        "commit": checks.reference(one.commit_id),
        "url": f"{reader.view.page(repository)}/pull/{of.number}#pullrequestreview-{one.id}",
        "reactionGroups": [],
    }


def listed(repository: Repository, arguments: dict[str, Any]) -> list[PullRequest]:
    """Pull requests as `pullRequests(states:, baseRefName:, …)` asks for them."""
    states = arguments.get("states") or ["OPEN", "CLOSED", "MERGED"]
    found = []
    for one in repository.pulls.values():
        issue = repository.issues[one.number]
        state = "MERGED" if one.merged_at is not None else issue.state.upper()
        base, head = arguments.get("baseRefName"), arguments.get("headRefName")
        labels = arguments.get("labels") or []
        if state in states and base in (None, one.base_ref) and head in (None, one.head_ref):
            found += [issue] if all(name in issue.labels for name in labels) else []
    return [repository.pulls[issue.number] for issue in ordered(found, arguments.get("orderBy"))]
