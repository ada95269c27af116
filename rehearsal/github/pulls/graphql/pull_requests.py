"""Pull requests."""

from __future__ import annotations

from typing import Any

from rehearsal.github.accounts.render import author_association
from rehearsal.github.checks import graphql as checks
from rehearsal.github.git import history
from rehearsal.github.graphql.reader import Node, Reader, connection, cut, time_or_none
from rehearsal.github.issues.graphql.issues import common, ordered
from rehearsal.github.pulls.rules import mergeable_state, review_decision
from rehearsal.github.pulls.state import PullRequest, PullRequestReview
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import node_id, stamp


def pull(reader: Reader, repository: Repository, one: PullRequest) -> Node:
    issue = repository.issues[one.number]
    return {
        "__typename": "PullRequest",
        **common(reader, repository, issue),
        **_merging(reader, repository, one),
        **_sides(reader, repository, one),
        **_contents(reader, repository, one),
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
