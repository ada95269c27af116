"""Release notes as GitHub generates them: merged pull requests, new contributors, a compare link."""

from __future__ import annotations

from dataclasses import dataclass

from rehearsal.github.git.bare import BareRepository
from rehearsal.github.git.history import is_ancestor
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.problems import invalid
from rehearsal.github.pulls.state import PullRequest
from rehearsal.github.releases.rules import precedence
from rehearsal.github.repositories.state import Repository


@dataclass(frozen=True, kw_only=True)
class ReleaseNotes:
    name: str
    body: str


async def generate(
    instance: GitHubInstance, repository: Repository, tag: str, target: str | None, previous: str | None
) -> ReleaseNotes:
    """Notes for a tag that may not be there yet. Raises Problem 422 for a target or previous tag that is not."""
    git = instance.git(repository)
    head = await git.resolve(f"refs/tags/{tag}") or await git.resolve(target or repository.default_branch)
    if head is None:
        raise invalid("Release", "target_commitish")
    if previous is not None and f"refs/tags/{previous}" not in git.refs:
        raise invalid("Release", "previous_tag_name")
    previous = previous or await _previous(git, tag, head)
    base = await git.resolve(f"refs/tags/{previous}") if previous is not None else None
    pulls = [pull for pull in repository.pulls.values() if await _within(git, pull, base, head)]
    lines = ["## What's Changed", *(_line(instance, repository, pull) for pull in pulls)] if pulls else []
    lines += _newcomers(instance, repository, pulls)
    lines += ["", "", f"**Full Changelog**: {_link(instance, repository, previous, tag)}"]
    return ReleaseNotes(name=tag, body="\n".join(lines).lstrip("\n"))


async def _previous(git: BareRepository, tag: str, head: str) -> str | None:
    """The highest lower version that the head contains."""
    lower = sorted((name for name in git.tags() if precedence(name) < precedence(tag)), key=precedence, reverse=True)
    for name in lower:
        sha = await git.resolve(f"refs/tags/{name}")
        if name != tag and sha is not None and await is_ancestor(git, sha, head):
            return name
    return None


async def _within(git: BareRepository, pull: PullRequest, base: str | None, head: str) -> bool:
    if pull.merged_at is None or pull.merge_sha is None:
        return False
    if not await is_ancestor(git, pull.merge_sha, head):
        return False
    return base is None or not await is_ancestor(git, pull.merge_sha, base)


def _line(instance: GitHubInstance, repository: Repository, pull: PullRequest) -> str:
    issue = repository.issues[pull.number]
    return f"* {issue.title} by @{issue.user} in {_pull_page(instance, repository, pull)}"


def _newcomers(instance: GitHubInstance, repository: Repository, pulls: list[PullRequest]) -> list[str]:
    """People whose first merged pull request is among these."""
    listed = {pull.number for pull in pulls}
    first: dict[str, PullRequest] = {}
    merged = [(pull.merged_at, pull) for pull in repository.pulls.values() if pull.merged_at is not None]
    for _, pull in sorted(merged, key=lambda pair: pair[0]):
        first.setdefault(repository.issues[pull.number].user, pull)
    new = {login: pull for login, pull in first.items() if pull.number in listed}
    if not new:
        return []
    lines = [
        f"* @{login} made their first contribution in {_pull_page(instance, repository, pull)}"
        for login, pull in new.items()
    ]
    return ["", "## New Contributors", *lines]


def _pull_page(instance: GitHubInstance, repository: Repository, pull: PullRequest) -> str:
    return f"{instance.view().page(repository)}/pull/{pull.number}"


def _link(instance: GitHubInstance, repository: Repository, previous: str | None, tag: str) -> str:
    page = instance.view().page(repository)
    return f"{page}/commits/{tag}" if previous is None else f"{page}/compare/{previous}...{tag}"
