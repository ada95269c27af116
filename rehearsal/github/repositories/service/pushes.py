"""What follows when refs have moved, by a push, a merge or the API."""

from __future__ import annotations

from typing import Any

from rehearsal.github.events import payloads
from rehearsal.github.events.delivery import deliver
from rehearsal.github.git.bare import ZERO
from rehearsal.github.git.history import Touched, between, is_ancestor, touched
from rehearsal.github.git.objects import Commit
from rehearsal.github.git.receiving import RefChange
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.pulls.service.pull_requests import base_moved, head_moved
from rehearsal.github.repositories.state import Repository

_TAGS_WITH_EVENTS = 3
"""Pushed at once, more tags than this make no events."""

_COMMITS_LISTED = 20


async def refs_moved(instance: GitHubInstance, repository: Repository, changes: list[RefChange], by: Identity) -> None:
    """Events, pull requests that follow their branches, pull requests that got merged."""
    repository.pushed_at = repository.updated_at = instance.now()
    tags = [change for change in changes if change.ref.startswith("refs/tags/")]
    for change in tags:
        if change.old == ZERO:
            repository.hidden_tags[change.ref.removeprefix("refs/tags/")] = instance.lag
        released = repository.release_tagged(change.ref.removeprefix("refs/tags/"))
        if change.new == ZERO and released is not None:
            repository.unpublish(
                released
            )  # as GitHub does when the tag of a release goes; rules keep an immutable one's
    for change in changes:
        if not change.ref.startswith(("refs/heads/", "refs/tags/")):
            continue
        if change not in tags or len(tags) <= _TAGS_WITH_EVENTS:
            await _deliver_event(instance, repository, change, by)
        if change.ref.startswith("refs/heads/"):
            branch = change.ref.removeprefix("refs/heads/")
            await head_moved(instance, repository, branch, change, by)
            await base_moved(instance, repository, branch, change, by)


async def _deliver_event(instance: GitHubInstance, repository: Repository, change: RefChange, by: Identity) -> None:
    git = instance.git(repository)
    default_tip = git.branch(repository.default_branch) or ZERO
    sha = await git.peel(change.new) if change.new != ZERO else default_tip
    if sha is None:
        return  # a tag of something that is no commit
    for name, happened in (("create", change.old == ZERO), ("delete", change.new == ZERO)):
        if happened:
            body = payloads.ref_event(repository, change.ref, created=name == "create")
            ref = change.ref if name == "create" else f"refs/heads/{repository.default_branch}"
            await deliver(instance, repository, name, body, ref=ref, sha=sha, by=by)
    body = await push_body(instance, repository, change, by)
    await deliver(instance, repository, "push", body, ref=change.ref, sha=sha, by=by)


async def push_body(
    instance: GitHubInstance, repository: Repository, change: RefChange, by: Identity
) -> dict[str, Any]:
    """What the event of a push says, without what every event says."""
    git = instance.git(repository)
    head_sha = await git.peel(change.new) if change.new != ZERO else None
    updates = change.old != ZERO and head_sha is not None
    forced = updates and not await is_ancestor(git, change.old, change.new)
    return payloads.push(
        instance.view(),
        repository,
        change,
        pusher=instance.view().user(by.login),
        forced=forced,
        head=await git.commit(head_sha) if head_sha is not None else None,
        commits=await _new_commits(instance, repository, change, head_sha),
    )


async def _new_commits(
    instance: GitHubInstance, repository: Repository, change: RefChange, head: str | None
) -> list[tuple[Commit, Touched]]:
    """The commits a branch gained, the newest twenty; those of a new branch are counted from the default one."""
    git = instance.git(repository)
    base = change.old if change.old != ZERO else git.branch(repository.default_branch)
    if head is None or change.ref.startswith("refs/tags/"):
        return []
    nothing_before = base is None or base == head
    commits = [await git.commit(head)] if nothing_before else await between(git, str(base), head)
    commits = commits[-_COMMITS_LISTED:]
    details = await touched(git, [commit.sha for commit in commits])
    return [(commit, details.get(commit.sha, Touched())) for commit in commits]
