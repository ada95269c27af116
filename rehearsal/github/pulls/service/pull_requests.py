"""Pull requests: opened, following their branches, closed, merged by a push."""

from __future__ import annotations

from typing import Any

from rehearsal.github.events.delivery import deliver
from rehearsal.github.git.bare import ZERO, BareRepository
from rehearsal.github.git.history import Size, ahead_behind, between, is_ancestor, size
from rehearsal.github.git.receiving import RefChange
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.issues.state import Issue
from rehearsal.github.problems import custom, invalid
from rehearsal.github.pulls.render import full_pull
from rehearsal.github.pulls.rules import check_open, stale_approvals
from rehearsal.github.pulls.service.mergeability import refresh
from rehearsal.github.pulls.state import PullRequest
from rehearsal.github.repositories.state import Repository


async def open_pull(
    instance: GitHubInstance,
    repository: Repository,
    *,
    title: str,
    body: str | None,
    head: str,
    base: str,
    draft: bool,
    by: Identity,
) -> PullRequest:
    """`head` is a branch, or `owner:branch` for a fork's. Raises Problem 422 or 403 as GitHub does."""
    check_open(by, repository)
    source, branch = _source(instance, repository, head)
    base_sha, head_sha = instance.git(repository).branch(base), instance.git(source).branch(branch)
    if base_sha is None:
        raise invalid("PullRequest", "base")
    if head_sha is None:
        raise invalid("PullRequest", "head")
    if any(
        (one.head_repository, one.head_ref, one.base_ref) == (source.full_name, branch, base)
        for one in repository.open_pulls()
    ):
        raise custom("PullRequest", f"A pull request already exists for {source.owner}:{branch}.")
    await _bring_objects(instance, repository, source, branch)
    ahead, _ = await ahead_behind(instance.git(repository), base_sha, head_sha)
    if ahead == 0:
        raise custom("PullRequest", f"No commits between {base} and {branch}")
    pull = _recorded(instance, repository, title=title, body=body, by=by)
    pull.base_ref, pull.base_sha, pull.draft = base, base_sha, draft
    pull.head_repository, pull.head_ref, pull.head_sha = source.full_name, branch, head_sha
    pull.last_pusher = by.login
    repository.pulls[pull.number] = pull
    await refresh(instance, repository, pull)
    await deliver_event(instance, repository, pull, "opened", by)
    return pull


async def deliver_event(
    instance: GitHubInstance,
    repository: Repository,
    pull: PullRequest,
    action: str,
    by: Identity,
    more: dict[str, Any] | None = None,
) -> None:
    """A pull_request event. One that conflicts with its base starts nothing, as on GitHub: it has no test merge.

    `more` is what the payload of this action has beside the others.
    """
    if not pull.mergeable and pull.merged_at is None:
        return
    rendered = full_pull(instance.view(), repository, pull, await pull_size(instance, repository, pull))
    merged = pull.merged_at is not None
    ref = f"refs/heads/{pull.base_ref}" if merged else f"refs/pull/{pull.number}/merge"
    await deliver(
        instance,
        repository,
        "pull_request",
        {"action": action, "number": pull.number, "pull_request": rendered, **(more or {})},
        ref=ref,
        sha=pull.merge_sha or pull.head_sha,
        by=by,
        from_fork=pull.head_repository != repository.full_name,
    )


async def pull_size(instance: GitHubInstance, repository: Repository, pull: PullRequest) -> Size:
    return await size(instance.git(repository), pull.base_sha, pull.head_sha)


async def head_moved(
    instance: GitHubInstance, source: Repository, branch: str, change: RefChange, by: Identity
) -> None:
    """The branch of pull requests got new commits, or is gone (then they close)."""
    for repository in list(instance.database.repositories.values()):
        for pull in repository.open_pulls():
            if (pull.head_repository, pull.head_ref) != (source.full_name, branch):
                continue
            if change.new == ZERO:
                await close(instance, repository, pull, by)
            else:
                await _synchronize(instance, repository, source, pull, change, by)


async def _synchronize(
    instance: GitHubInstance,
    repository: Repository,
    source: Repository,
    pull: PullRequest,
    change: RefChange,
    by: Identity,
) -> None:
    pull.head_sha, pull.last_pusher = change.new, by.login
    repository.issues[pull.number].updated_at = instance.now()
    await _bring_objects(instance, repository, source, pull.head_ref)
    for review in stale_approvals(repository, pull):
        review.state = "DISMISSED"
    await refresh(instance, repository, pull)
    await deliver_event(instance, repository, pull, "synchronize", by, {"before": change.old, "after": change.new})


async def base_moved(
    instance: GitHubInstance, repository: Repository, branch: str, change: RefChange, by: Identity
) -> None:
    """Pull requests into a branch that moved: those it now contains are merged, the others get a new test merge."""
    if change.new == ZERO:
        return
    git = instance.git(repository)
    for pull in repository.open_pulls():
        if pull.base_ref != branch:
            continue
        if change.old != ZERO and await is_ancestor(git, pull.head_sha, change.new):
            await mark_merged(instance, repository, pull, await _merged_as(git, pull, change), by)
        else:
            await refresh(instance, repository, pull)


async def _merged_as(git: BareRepository, pull: PullRequest, change: RefChange) -> str:
    """The commit that brought a head into its base: the merge of it, or the head itself after a fast-forward."""
    commits = await between(git, change.old, change.new)
    return next((one.sha for one in commits if pull.head_sha in one.parents[1:]), pull.head_sha)


async def mark_merged(
    instance: GitHubInstance, repository: Repository, pull: PullRequest, sha: str, by: Identity
) -> None:
    """Record a pull request as merged by `sha`, and deliver the event."""
    record_merge(instance, repository, pull, sha, by)
    await deliver_event(instance, repository, pull, "closed", by)


def record_merge(instance: GitHubInstance, repository: Repository, pull: PullRequest, sha: str, by: Identity) -> None:
    pull.merge_sha = sha
    pull.merged_at = instance.now()
    pull.merged_by = by.login
    set_state(instance, repository.issues[pull.number], "closed", by)


async def close(instance: GitHubInstance, repository: Repository, pull: PullRequest, by: Identity) -> None:
    set_state(instance, repository.issues[pull.number], "closed", by)
    await deliver_event(instance, repository, pull, "closed", by)


async def reopen(instance: GitHubInstance, repository: Repository, pull: PullRequest, by: Identity) -> None:
    """Raises Problem 422 when the branch is gone or it was merged."""
    source = instance.database.repository(pull.head_repository)
    head = instance.git(source).branch(pull.head_ref) if source is not None else None
    if pull.merged_at is not None or head is None:
        raise custom("PullRequest", "state cannot be changed. The pull request cannot be reopened.")
    pull.head_sha = head
    set_state(instance, repository.issues[pull.number], "open", by)
    await refresh(instance, repository, pull)
    await deliver_event(instance, repository, pull, "reopened", by)


def set_state(instance: GitHubInstance, issue: Issue, state: str, by: Identity, reason: str | None = None) -> None:
    """Open or close an issue or pull request."""
    issue.state = state
    issue.updated_at = instance.now()
    issue.closed_at = instance.now() if state == "closed" else None
    issue.closed_by = by.login if state == "closed" else None
    issue.state_reason = reason


def _source(instance: GitHubInstance, repository: Repository, head: str) -> tuple[Repository, str]:
    owner, colon, branch = head.rpartition(":")
    if not colon or owner == repository.owner:
        return repository, branch
    for fork in instance.database.forks_of(repository.full_name):
        if fork.owner == owner:
            return fork, branch
    raise invalid("PullRequest", "head")


async def _bring_objects(instance: GitHubInstance, repository: Repository, source: Repository, branch: str) -> None:
    """A fork's commits have to be here before they can be compared."""
    if source is not repository:
        path = str(instance.git_path(source))
        await instance.git(repository).git("fetch", "-q", "--no-write-fetch-head", path, f"refs/heads/{branch}")


def _recorded(
    instance: GitHubInstance, repository: Repository, *, title: str, body: str | None, by: Identity
) -> PullRequest:
    number = repository.next_number()
    now = instance.now()
    repository.issues[number] = Issue(
        id=instance.database.next_id("issue"),
        number=number,
        title=title,
        body=body,
        user=by.login,
        created_at=now,
        updated_at=now,
        is_pull=True,
    )
    return PullRequest(
        id=instance.database.next_id("pull"),
        number=number,
        base_ref="",
        base_sha="",
        head_repository="",
        head_ref="",
        head_sha="",
    )
