"""The order of version tags, for `make_latest: legacy` and generated notes."""

from __future__ import annotations

import re

_VERSION = re.compile(r"(?P<prefix>.*?)(?P<numbers>\d+(?:\.\d+){0,2})(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+.*)?$")


def precedence(tag: str) -> tuple[tuple[int, ...], int, str]:
    """A key that sorts tags by their version; one without a version comes first."""
    match = _VERSION.match(tag)
    if match is None:
        return (), 0, tag
    numbers = tuple(int(part) for part in match["numbers"].split("."))
    padded = (*numbers, 0, 0, 0)[:3]
    return padded, 0 if match["pre"] else 1, match["pre"] or ""
