"""From a tag to the commit it names. Resolved once; the commit is carried from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelines.errors import InputError, RefusedError

if TYPE_CHECKING:
    from pipelines.github import GitHub


def commit_of(github: GitHub, version: str) -> str:
    """The commit a tag names, annotated tags peeled. Raises InputError naming the newest tags there are."""
    reference = github.find_json(f"/repos/{github.name}/git/ref/tags/{quote(version, safe='/')}")
    if reference is None:
        raise InputError(
            f"there is no tag {version!r}",
            where=github.name,
            why=_known(github),
            next_step=f"git tag {version} && git push origin {version}, or dispatch with a tag that exists",
        )
    target: dict[str, Any] = reference["object"]
    while target["type"] == "tag":
        target = github.json("GET", f"/repos/{github.name}/git/tags/{target['sha']}")["object"]
    return str(target["sha"])


def require_unmoved(github: GitHub, version: str, commit: str) -> None:
    """Compare the tag again before something final. Raises RefusedError."""
    now = commit_of(github, version)
    if now != commit:
        raise RefusedError(
            f"the tag {version} was moved from {commit[:7]} to {now[:7]}",
            where=github.name,
            why="what was planned and approved is not what the tag names now",
            next_step="never move a published tag: make a new version; a tag ruleset prevents this",
        )


def _known(github: GitHub) -> str:
    tags = github.json("GET", f"/repos/{github.name}/tags?per_page=5")
    return "newest tags: " + (", ".join(tag["name"] for tag in tags) or "none")
