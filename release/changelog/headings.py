"""Headings in a changelog that people keep: which of them begin a section, and of which version.

Changelogs of many years mix styles: patches a level below (`### 1.0.1`), minors at level one (`# [1.1.0]`), headings that are underlined,
anchors above them.
Source: the GitHub Flavored Markdown spec (4.2 ATX headings, 4.3 setext headings, 4.5 fenced code blocks, 4.6 HTML blocks).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from release.commits.fences import Code, mark_code

_HASHES = re.compile(r" {0,3}(#{1,6})[ \t]+(\S.*)")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)\s*")
_ANCHOR = re.compile(r"\s*<a\s+(?:name|id)=[^<>]*>\s*(?:</a>\s*)?", re.IGNORECASE)
_NUMBER = r"(?:\d+\.\d+(?:\.\d+)?(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)(?![\w])"
_WHOLE = re.compile(r"(?<![\w.])v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)(?![\w])")
# What a heading says when it is of a version: a date and a word may stand before the number, a date or a name for it after.
_TITLE = re.compile(
    r"(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}[\s,:|\u2013-]+)?(?:(?:version|release)\s+)?"
    rf"(?P<numbers>\W{{0,3}}v?{_NUMBER}(?:\W{{0,3}}(?:[,/&]|and)\W{{0,3}}v?{_NUMBER})*)"
    r"(?P<rest>[\])*_`]*(?:$|\s*[-\u2013\u2014:/|(@\"'\u201c]|\s+(?:\d|on\b|released\b|[A-Z][a-z]{2,8}\.? \d)).*)?",
    re.IGNORECASE,
)
_TARGET = re.compile(r"\]\([^()\s]*\)|\]\[[^\]]*\]")


class Heading(NamedTuple):
    """A heading that begins a section."""

    start: int
    """Line of the section's first row: an anchor above the heading belongs to it."""
    at: int
    """Line of the heading."""
    end: int
    """Line after it: an underlined one has two."""
    title: str
    versions: tuple[str, ...]
    """Those it is of, as they are written; mostly one, none where it names none."""


def section_headings(lines: Sequence[str]) -> Iterator[Heading]:
    """Headings that begin sections, in order. A heading of a version always does; another one at level one or two, unless it lies below
    a section of a higher level. What stands in code blocks and comments is text. `lines`: without their line breaks."""
    level = 0
    for at, end, depth, title in _headings(lines):
        versions = _versions(title, depth)
        if not versions and (depth > 2 or (depth > level if level else depth != 2)):
            continue
        level = depth
        start = at
        while start > 0 and _ANCHOR.fullmatch(lines[start - 1]):
            start -= 1
        yield Heading(start, at, end, title, versions)


def _headings(lines: Sequence[str]) -> Iterator[tuple[int, int, int, str]]:
    """(line, line after it, level, title) of every heading."""
    marked = _without_comments(mark_code(lines)[0])
    for at, line in enumerate(marked):
        if type(line) is Code or not line.strip():
            continue
        if hashes := _HASHES.fullmatch(line):
            yield at, at + 1, len(hashes[1]), hashes[2].rstrip().rstrip("#").rstrip()
        elif at + 1 < len(marked) and type(marked[at + 1]) is not Code and _UNDERLINE.fullmatch(marked[at + 1]):
            paragraph = at > 0 and type(marked[at - 1]) is not Code and marked[at - 1].strip()
            if not paragraph or _ANCHOR.fullmatch(marked[at - 1]):
                yield at, at + 2, 1 if "=" in marked[at + 1] else 2, line.strip()


def _versions(title: str, level: int) -> tuple[str, ...]:
    """Which versions a heading is of. At level two, where versions usually stand, one anywhere in it counts, too."""
    plain = _TARGET.sub("]", title)
    found = _TITLE.fullmatch(plain)
    if found is not None:
        numbers = re.findall(_NUMBER, found["numbers"])
        if level == 2 or all(_WHOLE.fullmatch(number) for number in numbers):
            return tuple(dict.fromkeys(map(_with_patch, numbers)))
    within = _WHOLE.search(plain) if level == 2 else None
    return (within[1],) if within else ()


def _with_patch(number: str) -> str:
    """`1.0` is 1.0.0, as people write it."""
    core = re.match(r"\d+\.\d+(\.\d+)?", number)
    return number if core is None or core[1] else f"{core[0]}.0{number[core.end() :]}"


def _without_comments(lines: Sequence[str]) -> list[str]:
    """The lines, those within a comment of several lines as Code; a comment that never ends is text."""
    found = list(lines)
    closing = max((at for at, line in enumerate(lines) if "-->" in line), default=-1)
    at = 0
    while at < closing:
        line = lines[at]
        if type(line) is Code or not line.lstrip(" ").startswith("<!--") or "-->" in line:
            at += 1
            continue
        end = next(end for end in range(at + 1, len(lines)) if "-->" in lines[end])
        found[at : end + 1] = [Code(each) for each in lines[at : end + 1]]
        at = end + 1
    return found
