"""Pull requests: opened, following their branches, closed, merged by somebody else's push."""

from __future__ import annotations

from typing import Any

from rehearsal.github.events.delivery import announce
from rehearsal.github.git.bare import ZERO, BareRepository
from rehearsal.github.git.history import Size, ahead_behind, between, is_ancestor, size
from rehearsal.github.git.receiving import RefChange
from rehearsal.github.identity import Identity
from rehearsal.github.instance import Service
from rehearsal.github.issues.state import Issue
from rehearsal.github.problems import custom, forbidden, invalid
from rehearsal.github.protection.rules import rules_for
from rehearsal.github.pulls.render import full_pull
from rehearsal.github.pulls.service.mergeability import refresh
from rehearsal.github.pulls.state import PullRequest
from rehearsal.github.repositories.state import Repository


async def open_pull(
    service: Service,
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
    if by.is_job and not repository.settings.actions_may_review:
        raise forbidden("GitHub Actions is not permitted to create or approve pull requests.")
    source, branch = _source(service, repository, head)
    base_sha, head_sha = service.git(repository).branch(base), service.git(source).branch(branch)
    if base_sha is None:
        raise invalid("PullRequest", "base")
    if head_sha is None:
        raise invalid("PullRequest", "head")
    if any(
        (one.head_repository, one.head_ref, one.base_ref) == (source.full_name, branch, base)
        for one in repository.open_pulls()
    ):
        raise custom("PullRequest", f"A pull request already exists for {source.owner}:{branch}.")
    await _bring_objects(service, repository, source, branch)
    ahead, _ = await ahead_behind(service.git(repository), base_sha, head_sha)
    if ahead == 0:
        raise custom("PullRequest", f"No commits between {base} and {branch}")
    pull = _recorded(service, repository, title=title, body=body, by=by)
    pull.base_ref, pull.base_sha, pull.draft = base, base_sha, draft
    pull.head_repository, pull.head_ref, pull.head_sha = source.full_name, branch, head_sha
    pull.last_pusher = by.login
    repository.pulls[pull.number] = pull
    await refresh(service, repository, pull)
    await tell(service, repository, pull, "opened", by)
    return pull


async def tell(
    service: Service,
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
    rendered = full_pull(service.view(), repository, pull, await pull_size(service, repository, pull))
    merged = pull.merged_at is not None
    ref = f"refs/heads/{pull.base_ref}" if merged else f"refs/pull/{pull.number}/merge"
    await announce(
        service,
        repository,
        "pull_request",
        {"action": action, "number": pull.number, "pull_request": rendered, **(more or {})},
        ref=ref,
        sha=pull.merge_sha or pull.head_sha,
        by=by,
        from_fork=pull.head_repository != repository.full_name,
    )


async def pull_size(service: Service, repository: Repository, pull: PullRequest) -> Size:
    return await size(service.git(repository), pull.base_sha, pull.head_sha)


async def head_moved(service: Service, source: Repository, branch: str, change: RefChange, by: Identity) -> None:
    """The branch of pull requests got new commits, or is gone (then they close)."""
    for repository in list(service.database.repositories.values()):
        for pull in repository.open_pulls():
            if (pull.head_repository, pull.head_ref) != (source.full_name, branch):
                continue
            if change.new == ZERO:
                await close(service, repository, pull, by)
            else:
                await _synchronize(service, repository, source, pull, change, by)


async def _synchronize(
    service: Service, repository: Repository, source: Repository, pull: PullRequest, change: RefChange, by: Identity
) -> None:
    pull.head_sha, pull.last_pusher = change.new, by.login
    repository.issues[pull.number].updated_at = service.now()
    await _bring_objects(service, repository, source, pull.head_ref)
    if rules_for(repository, f"refs/heads/{pull.base_ref}").dismiss_stale:
        for review in pull.reviews:
            if review.state == "APPROVED" and review.commit_id != pull.head_sha:
                review.state = "DISMISSED"
    await refresh(service, repository, pull)
    await tell(service, repository, pull, "synchronize", by, {"before": change.old, "after": change.new})


async def base_moved(service: Service, repository: Repository, branch: str, change: RefChange, by: Identity) -> None:
    """Pull requests into a branch that moved: those it now contains are merged, the others get a new test merge."""
    if change.new == ZERO:
        return
    git = service.git(repository)
    for pull in repository.open_pulls():
        if pull.base_ref != branch:
            continue
        if change.old != ZERO and await is_ancestor(git, pull.head_sha, change.new):
            await mark_merged(service, repository, pull, await _merged_as(git, pull, change), by)
        else:
            await refresh(service, repository, pull)


async def _merged_as(git: BareRepository, pull: PullRequest, change: RefChange) -> str:
    """The commit that brought a head into its base: the merge of it, or the head itself after a fast-forward."""
    commits = await between(git, change.old, change.new)
    return next((one.sha for one in commits if pull.head_sha in one.parents[1:]), pull.head_sha)


async def mark_merged(service: Service, repository: Repository, pull: PullRequest, sha: str, by: Identity) -> None:
    """Show a pull request as merged by `sha`, and tell of it."""
    record_merge(service, repository, pull, sha, by)
    await tell(service, repository, pull, "closed", by)


def record_merge(service: Service, repository: Repository, pull: PullRequest, sha: str, by: Identity) -> None:
    pull.merge_sha = sha
    pull.merged_at = service.now()
    pull.merged_by = by.login
    set_state(service, repository.issues[pull.number], "closed", by)


async def close(service: Service, repository: Repository, pull: PullRequest, by: Identity) -> None:
    set_state(service, repository.issues[pull.number], "closed", by)
    await tell(service, repository, pull, "closed", by)


async def reopen(service: Service, repository: Repository, pull: PullRequest, by: Identity) -> None:
    """Raises Problem 422 when the branch is gone or it was merged."""
    source = service.database.repository(pull.head_repository)
    head = service.git(source).branch(pull.head_ref) if source is not None else None
    if pull.merged_at is not None or head is None:
        raise custom("PullRequest", "state cannot be changed. The pull request cannot be reopened.")
    pull.head_sha = head
    set_state(service, repository.issues[pull.number], "open", by)
    await refresh(service, repository, pull)
    await tell(service, repository, pull, "reopened", by)


def set_state(service: Service, issue: Issue, state: str, by: Identity, reason: str | None = None) -> None:
    """Open or close an issue or pull request."""
    issue.state = state
    issue.updated_at = service.now()
    issue.closed_at = service.now() if state == "closed" else None
    issue.closed_by = by.login if state == "closed" else None
    issue.state_reason = reason


def _source(service: Service, repository: Repository, head: str) -> tuple[Repository, str]:
    owner, colon, branch = head.rpartition(":")
    if not colon or owner == repository.owner:
        return repository, branch
    for fork in service.database.forks_of(repository.full_name):
        if fork.owner == owner:
            return fork, branch
    raise invalid("PullRequest", "head")


async def _bring_objects(service: Service, repository: Repository, source: Repository, branch: str) -> None:
    """A fork's commits have to be here before they can be compared."""
    if source is not repository:
        path = str(service.git_path(source))
        await service.git(repository).git("fetch", "-q", "--no-write-fetch-head", path, f"refs/heads/{branch}")


def _recorded(service: Service, repository: Repository, *, title: str, body: str | None, by: Identity) -> PullRequest:
    number = repository.next_number()
    now = service.now()
    repository.issues[number] = Issue(
        id=service.database.next_id("issue"),
        number=number,
        title=title,
        body=body,
        user=by.login,
        created_at=now,
        updated_at=now,
        is_pull=True,
    )
    return PullRequest(
        id=service.database.next_id("pull"),
        number=number,
        base_ref="",
        base_sha="",
        head_repository="",
        head_ref="",
        head_sha="",
    )
