"""Every reason a release is refused before anything is written: one class, one exit code each (docs/RELEASES.md, held equal by a test).

They are RefusedErrors: a caller that only asks "may it?" catches that one.
"""

from __future__ import annotations

from pipelines.errors import RefusedError


class VersionFilesDiffer(RefusedError):
    exit_code = 20
    title = "Version files differ from the tag"


class NotOnItsLine(RefusedError):
    exit_code = 21
    title = "Commit is not on main or its maintenance line"


class NotGreen(RefusedError):
    exit_code = 22
    title = "CI is not green on this commit"
    failed = False
    """CI ended otherwise than well; else it is awaited."""


class NotHigher(RefusedError):
    exit_code = 23
    title = "Version is not higher than the last of its line"
    last = ""
    """The version that it must be above."""


class OpenElsewhere(RefusedError):
    exit_code = 24
    title = "Release is open elsewhere"


class TreeNotClean(RefusedError):
    exit_code = 25
    title = "Working tree is not clean"


class TagMoved(RefusedError):
    exit_code = 26
    title = "Tag is on another commit"


class ReleasedDifferently(RefusedError):
    exit_code = 27
    title = "Released already with other contents"


class Withdrawn(RefusedError):
    exit_code = 28
    title = "Release was withdrawn"


class TagGone(RefusedError):
    exit_code = 29
    title = "Tag was deleted"


class NeverLive(RefusedError):
    exit_code = 30
    title = "Version was never live"


def tag_gone(tag: str, commit: str) -> TagGone:
    """For a tag that was there and is not any more. `commit`: where it was; empty when nothing here knows it."""
    where = commit or "COMMIT"
    return TagGone(
        f"the tag {tag} is gone",
        where=tag,
        why="someone deleted it since it was released from; a release that is out becomes a draft by that",
        next_step=f"push it again where it was, then run this again: git push origin {where}:refs/tags/{tag}"
        + ("" if commit else "   (the run that released it names the commit)"),
    )


def tag_put_elsewhere(tag: str, commit: str, now: str) -> TagMoved:
    """For the tag of what users have, which is on another commit now."""
    return TagMoved(
        f"{tag} is on {now[:9]}, not on {commit[:9]}, which users have",
        where=tag,
        why="someone moved it since it was released from",
        next_step=f"put it back, then run this again: git push --force origin {commit}:refs/tags/{tag}",
    )
