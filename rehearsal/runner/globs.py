"""The pattern language of `branches:`, `tags:` and `paths:` filters.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression for the whole name. Raises ValueError for one that cannot be read."""
    out: list[str] = []
    position = 0
    while position < len(pattern):
        piece, position = _piece(pattern, position)
        out.append(piece)
    try:
        return re.compile("".join(out), re.DOTALL)
    except re.error as error:
        raise ValueError(f"filter pattern {pattern!r} cannot be read: {error}") from error


def _piece(pattern: str, position: int) -> tuple[str, int]:
    """The regular expression for what starts at `position`, and where the next piece starts."""
    if pattern.startswith("**/", position):
        return "(?:.*/)?", position + 3
    if pattern.startswith("**", position):
        return ".*", position + 2
    character = pattern[position]
    if character == "*":
        return "[^/]*", position + 1
    if character in "?+":
        return character, position + 1
    if character == "[" and (end := pattern.find("]", position + 2)) > 0:
        return f"[{_escaped_set(pattern[position + 1 : end])}]", end + 1
    if character == "\\" and position + 1 < len(pattern):
        return re.escape(pattern[position + 1]), position + 2
    return re.escape(character), position + 1


def _escaped_set(members: str) -> str:
    return members.replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")


def matches(patterns: Iterable[str], name: str) -> bool:
    """Whether the last pattern that speaks of `name` includes it; `!` excludes. Order matters, as on GitHub."""
    included = False
    for pattern in patterns:
        negative = pattern.startswith("!")
        if compiled(pattern[1:] if negative else pattern).fullmatch(name):
            included = not negative
    return included


def any_path(patterns: Iterable[str], paths: Iterable[str]) -> bool:
    """`paths:` - whether at least one changed path is included."""
    listed = list(patterns)
    return any(matches(listed, path) for path in paths)


def all_ignored(patterns: Iterable[str], paths: Iterable[str]) -> bool:
    """`paths-ignore:` - whether there are changed paths and each is ignored."""
    listed = list(patterns)
    changed = list(paths)
    return bool(changed) and all(matches(listed, path) for path in changed)
