"""The test merge of a pull request: refs/pull/N/head and refs/pull/N/merge."""

from __future__ import annotations

from rehearsal.github.git.bare import ZERO
from rehearsal.github.git.history import is_ancestor
from rehearsal.github.git.merging import Conflict, merge
from rehearsal.github.git.objects import Signature
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.pulls.state import PullRequest
from rehearsal.github.repositories.state import Repository


def github_signature(instance: GitHubInstance) -> Signature:
    """Who commits what is done on github.com."""
    return Signature(name="GitHub", email="noreply@github.com", at=instance.now())


async def refresh(instance: GitHubInstance, repository: Repository, pull: PullRequest) -> None:
    """Merge head into the base as it is now; the outcome says whether the pull request can be merged."""
    git = instance.git(repository)
    base = git.branch(pull.base_ref)
    head_ref, merge_ref = f"refs/pull/{pull.number}/head", f"refs/pull/{pull.number}/merge"
    await git.update_ref(head_ref, pull.head_sha)
    if base is None:
        pull.mergeable, pull.merge_sha = False, None
        return
    pull.base_sha = base
    pull.behind = not await is_ancestor(git, base, pull.head_sha)
    message = f"Merge {pull.head_sha} into {base}"
    github = github_signature(instance)
    merged = await merge(git, base, pull.head_sha, message=message, author=github, by=github)
    if isinstance(merged, Conflict):
        pull.mergeable, pull.merge_sha = False, None
        if merge_ref in git.refs:
            await git.update_ref(merge_ref, ZERO)
        return
    pull.mergeable, pull.merge_sha = True, merged
    await git.update_ref(merge_ref, merged)
