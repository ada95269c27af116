"""Every reason a release is refused before anything is written: one class, one exit code each (docs/RELEASES.md, held equal by a test).

They are RefusedErrors: whoever only asks "may it?" catches that one.
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


class NotHigher(RefusedError):
    exit_code = 23
    title = "Version is not higher than the last of its line"


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
