"""`main/apps/backend`, `release/1.x/README.md`, `4f2a1c0/docs`: a name of a commit and a path in one."""

from __future__ import annotations

from dataclasses import dataclass

from rehearsal.github.git.bare import BareRepository
from rehearsal.github.problems import not_found


@dataclass(frozen=True, kw_only=True)
class RefPath:
    ref: str
    """As written: a branch, a tag or a commit."""
    sha: str
    path: str
    """Without slashes at its ends; empty for the root."""

    def steps(self) -> list[tuple[str, str]]:
        """Each folder on the way, with its path."""
        parts = self.path.split("/") if self.path else []
        return [(part, "/".join(parts[: position + 1])) for position, part in enumerate(parts)]


async def find(git: BareRepository, text: str) -> RefPath:
    """The longest beginning that names a commit; the rest is the path. Raises Problem 404 when nothing does."""
    parts = text.strip("/").split("/")
    for length in range(len(parts), 0, -1):
        ref = "/".join(parts[:length])
        known = ref in git.branches() or ref in git.tags() or length == 1
        sha = await git.resolve(ref) if known else None
        if sha is not None:
            return RefPath(ref=ref, sha=sha, path="/".join(parts[length:]))
    raise not_found()
