"""The globs of the manifest: `*` and `?` stay within a folder, `**` crosses folders; a path without either is that very file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^]]+\]|[^*?[]+|\[")


def matches(path: str, globs: Iterable[str]) -> bool:
    """Whether a path (from the root, `/` between its parts) fits one of the globs as a whole."""
    return any(_compiled(glob).fullmatch(path) for glob in globs)


@cache
def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile("".join(_translated(part) for part in _PARTS.findall(glob)), re.DOTALL)


def _translated(part: str) -> str:
    if part == "**/":
        return "(?:.*/)?"
    if part == "**":
        return ".*"
    if part in ("*", "?"):
        return {"*": "[^/]*", "?": "[^/]"}[part]
    if part.startswith("[") and part.endswith("]") and len(part) > 2:
        inside = part[1:-1].replace("\\", "\\\\")
        return f"[^/{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
    return re.escape(part)
