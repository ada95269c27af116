"""Merging a pull request on GitHub."""

from __future__ import annotations

from dataclasses import dataclass

from rehearsal.github.git import merging
from rehearsal.github.git.bare import ZERO, BareRepository
from rehearsal.github.git.history import between
from rehearsal.github.git.merging import Conflict
from rehearsal.github.git.objects import Signature
from rehearsal.github.git.receiving import RefChange
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.problems import conflict, not_allowed
from rehearsal.github.pulls.rules import check_merge, deletes_head
from rehearsal.github.pulls.service.mergeability import github_signature
from rehearsal.github.pulls.service.pull_requests import deliver_event, record_merge
from rehearsal.github.pulls.state import PullRequest
from rehearsal.github.repositories.service.pushes import refs_moved
from rehearsal.github.repositories.state import Repository


@dataclass(frozen=True, kw_only=True)
class MergeRequest:
    """How a pull request shall be merged."""

    method: str = "merge"
    """merge, squash or rebase"""
    title: str | None = None
    message: str | None = None
    sha: str | None = None
    """The head it was decided on; the merge is refused when the head is another one."""


async def merge(
    instance: GitHubInstance, repository: Repository, pull: PullRequest, wanted: MergeRequest, by: Identity
) -> str:
    """Merge, and return the commit. Raises Problem 405 with the reasons, 409 when head or base moved."""
    check_merge(by, repository, pull, method=wanted.method, expected_head=wanted.sha)
    base = pull.base_sha
    commit = await merged_commit(instance, repository, pull, wanted, by, base=base)
    if isinstance(commit, Conflict):
        raise not_allowed("Merge conflict")
    # Git took a moment: what was decided has to hold still.
    check_merge(by, repository, pull, method=wanted.method, expected_head=wanted.sha)
    ref = f"refs/heads/{pull.base_ref}"
    git = instance.git(repository)
    if not await git.update_ref(ref, commit, base):
        raise conflict("Base branch was modified. Review and try the merge again.")
    record_merge(instance, repository, pull, commit, by)
    await refs_moved(instance, repository, [RefChange(ref=ref, old=base, new=commit)], by)
    await deliver_event(instance, repository, pull, "closed", by)
    if deletes_head(repository, pull):
        await delete_head(instance, repository, pull, by)
    return commit


async def merged_commit(
    instance: GitHubInstance,
    repository: Repository,
    pull: PullRequest,
    wanted: MergeRequest,
    by: Identity,
    *,
    base: str,
) -> str | Conflict:
    """The commit that a pull request becomes on top of `base`; no branch has it yet."""
    git = instance.git(repository)
    author = signature(instance, by)
    if wanted.method == "rebase":
        made = await merging.rebase(git, base, pull.head_sha, by=author)
    elif wanted.method == "squash":
        text = await _squash_text(git, repository, pull, wanted)
        author = _author(instance, repository.issues[pull.number].user)
        made = await merging.squash(
            git, base, pull.head_sha, message=text, author=author, by=github_signature(instance)
        )
    else:
        text = _merge_text(repository, pull, wanted)
        made = await merging.merge(git, base, pull.head_sha, message=text, author=author, by=github_signature(instance))
    if wanted.method != "rebase" and not isinstance(made, Conflict):
        repository.signed.append(made)
    return made


def signature(instance: GitHubInstance, by: Identity) -> Signature:
    """The user as an author of commits."""
    return _author(instance, by.login)


def _author(instance: GitHubInstance, login: str) -> Signature:
    user = instance.view().user(login)
    return Signature(name=user.name, email=user.email, at=instance.now())


def _merge_text(repository: Repository, pull: PullRequest, wanted: MergeRequest) -> str:
    owner = pull.head_repository.partition("/")[0]
    title = wanted.title or f"Merge pull request #{pull.number} from {owner}/{pull.head_ref}"
    body = wanted.message if wanted.message is not None else repository.issues[pull.number].title
    return f"{title}\n\n{body}\n" if body else f"{title}\n"


async def _squash_text(git: BareRepository, repository: Repository, pull: PullRequest, wanted: MergeRequest) -> str:
    """The commit's own message when there is one, otherwise the title with a list of the messages."""
    commits = await between(git, pull.base_sha, pull.head_sha)
    if len(commits) == 1:
        title, _, body = commits[0].message.partition("\n")
        title, body = f"{title} (#{pull.number})", body.strip()
    else:
        title = f"{repository.issues[pull.number].title} (#{pull.number})"
        body = "\n\n".join(f"* {commit.message}" for commit in commits)
    title = wanted.title or title
    body = wanted.message if wanted.message is not None else body
    return f"{title}\n\n{body}\n" if body else f"{title}\n"


async def delete_head(instance: GitHubInstance, repository: Repository, pull: PullRequest, by: Identity) -> None:
    """Delete the branch of a pull request, unless someone pushed to it meanwhile."""
    ref = f"refs/heads/{pull.head_ref}"
    if await instance.git(repository).update_ref(ref, ZERO, pull.head_sha):
        await refs_moved(instance, repository, [RefChange(ref=ref, old=pull.head_sha, new=ZERO)], by)
