"""Refs changed through the API, under the same rules as a push."""

from __future__ import annotations

from rehearsal.github.git.bare import ZERO
from rehearsal.github.git.history import is_ancestor
from rehearsal.github.git.receiving import RefChange
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.problems import unprocessable
from rehearsal.github.repositories.rules import Push, refusals
from rehearsal.github.repositories.service.pushes import refs_moved
from rehearsal.github.repositories.state import Repository


async def create(instance: GitHubInstance, repository: Repository, ref: str, sha: str, by: Identity) -> None:
    """Raises Problem 422 when it exists, is no valid name, or rules forbid it."""
    if ref in instance.git(repository).refs:
        raise unprocessable("Reference already exists")
    await _move(instance, repository, RefChange(ref=ref, old=ZERO, new=sha), by)


async def update(
    instance: GitHubInstance, repository: Repository, ref: str, sha: str, by: Identity, *, force: bool
) -> None:
    """Raises Problem 422 when it is not there, would not be a fast-forward, or rules forbid it."""
    git = instance.git(repository)
    old = git.refs.get(ref)
    if old is None:
        raise unprocessable("Reference does not exist")
    if old == sha:
        return
    if not force and not await is_ancestor(git, old, sha):
        raise unprocessable("Update is not a fast forward")
    await _move(instance, repository, RefChange(ref=ref, old=old, new=sha), by)


async def delete(instance: GitHubInstance, repository: Repository, ref: str, by: Identity) -> None:
    """Raises Problem 422 when it is not there or rules forbid it."""
    old = instance.git(repository).refs.get(ref)
    if old is None:
        raise unprocessable("Reference does not exist")
    await _move(instance, repository, RefChange(ref=ref, old=old, new=ZERO), by)


async def _move(instance: GitHubInstance, repository: Repository, change: RefChange, by: Identity) -> None:
    git = instance.git(repository)
    push = Push(repository=repository, git=git, identity=by, change=change)
    reasons = await refusals(push)
    if reasons:
        lines = "\n".join(reasons)
        raise unprocessable(f"Repository rule violations found\n\n{lines}\n\n")
    if not await git.update_ref(change.ref, change.new, change.old):
        # Someone else was faster, or git does not accept the name.
        taken = change.old == ZERO and change.ref in git.refs
        raise unprocessable("Reference already exists" if taken else "Reference cannot be updated")
    await refs_moved(instance, repository, [change], by)
