"""What a body quotes of other projects: the release notes that dependency bots copy, which list commits of others, not of ours."""

from __future__ import annotations

import re
from collections.abc import Sequence

from release.commits.fences import Code

_OPENS = re.compile(r"<(details|blockquote)\b", re.IGNORECASE | re.ASCII)
_CLOSES = re.compile(r"</(details|blockquote)\s*>", re.IGNORECASE | re.ASCII)
_TAG = re.compile(r"<(?:(details|blockquote)\b|/(?:details|blockquote)[^\S\n]*>)", re.IGNORECASE | re.ASCII)
"""Both in one. It begins with one character, which makes looking for it fast."""
_FENCED = re.compile("```")
"""Faster than `in`: it looks only where there is a backtick."""
_NOTES = re.compile(r"#{1,6} \W*(?:release notes|change ?log|v?\d+\.\d+)", re.IGNORECASE)
_RULE = re.compile(r"-{3,}\s*$|\*{3,}\s*$")


class Noted(str):
    """A line below a heading of release notes: its bullets are no commits of ours. Its footers count."""

    __slots__ = ()


def mark_quotes(rest: str, lines: Sequence[str]) -> list[str]:
    """The lines, those of `<details>` and `<blockquote>` as Code, and those below a heading of release notes that comes before any list
    as Noted, up to a rule. A block that never ends is text."""
    marked = list(lines)
    if "</" in rest:
        _mark_blocks(marked)
    if "# " in rest:
        _mark_notes(marked)
    return marked


def outside_blocks(text: str, start: int = 0) -> str:
    """The text from `start` on without its `<details>` and `<blockquote>`, to see at a glance whether anything else is in it: bodies of
    bots are mostly that. All of it where one does not end, or there may be code."""
    rest = text[start:] if start else text
    if "</" not in rest or _FENCED.search(rest) or ("~" in rest and "~~~" in rest):
        return rest
    kept: list[str] = []
    at = begun = depth = 0
    for tag in _TAG.finditer(rest):
        if tag[1]:
            begun = begun if depth else tag.start()
            depth += 1
        elif not depth:
            return rest
        else:
            depth -= 1
            if not depth:
                kept.append(rest[at:begun])
                at = tag.end()
    return rest if depth else "".join([*kept, rest[at:]])


def _mark_blocks(lines: list[str]) -> None:
    """Blocks within blocks end with the outermost."""
    start, depth = 0, 0
    for at, line in enumerate(lines):
        if "<" not in line or type(line) is Code:
            continue
        opened, closed = len(_OPENS.findall(line)), len(_CLOSES.findall(line))
        if not depth:
            if not opened:
                continue
            start = at
        depth = max(0, depth + opened - closed)
        if not depth:
            lines[start : at + 1] = map(Code, lines[start : at + 1])


def _mark_notes(lines: list[str]) -> None:
    start = 0
    for at, line in enumerate(lines):
        if type(line) is Code:
            continue
        if not start and line.startswith("* "):
            return
        if not start and line.startswith("#") and _NOTES.match(line):
            start = at + 1
        elif start and _RULE.match(line):
            _note(lines, start, at)
            return
    if start:
        _note(lines, start, len(lines))


def _note(lines: list[str], start: int, end: int) -> None:
    lines[start:end] = [line if type(line) is Code else Noted(line) for line in lines[start:end]]
