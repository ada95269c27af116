"""Code blocks in text: where they begin and end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*(.*)")


class Code(str):
    """A line of a code block, fences too: an example, whatever it says."""

    __slots__ = ()


class CodeBlock(NamedTuple):
    """Lines `start` to `end` (not included) are one block, its fences the first and the last of them."""

    start: int
    end: int
    info: str
    """What stands behind the opening fence."""


def code_blocks(lines: Sequence[str]) -> Iterator[CodeBlock]:
    """The blocks that end; one that never does is text."""
    endless: dict[str, int] = {}
    start = 0
    while start < len(lines):
        mark = opening(lines[start])
        if mark is None or len(mark[1]) >= endless.get(mark[1][0], len(mark[1]) + 1):
            start += 1
            continue
        end = next((at for at in range(start + 1, len(lines)) if _closes(lines[at], mark[1])), 0)
        if end:
            yield CodeBlock(start, end + 1, mark[2].strip())
            start = end + 1
        else:
            # No longer fence of this kind can end below either: without this, many of them cost the square of their number.
            endless[mark[1][0]] = len(mark[1])
            start += 1


def opening(line: str) -> re.Match[str] | None:
    """The fence a line opens a block with."""
    mark = _FENCE.match(line) if "```" in line or "~~~" in line else None
    return None if mark and mark[1][0] == "`" and "`" in mark[2] else mark


def mark_code(lines: Sequence[str]) -> tuple[list[str], bool]:
    """The lines, those of code blocks as Code; and whether a block never ends."""
    marked = list(lines)
    for block in code_blocks(lines):
        marked[block.start : block.end] = [Code(line) for line in lines[block.start : block.end]]
    return marked, any(type(line) is not Code and opening(line) for line in marked)


def _closes(line: str, fence: str) -> bool:
    mark = _FENCE.fullmatch(line) if fence[:3] in line else None
    return mark is not None and not mark[2].strip() and mark[1].startswith(fence)
