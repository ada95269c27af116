"""Text of several lines as Markdown that is only text: its paragraphs, lists and code blocks stay.

Words in it are escaped as in one line; what is in a code block cannot leave it, for the fence is longer than any inside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from release.changelog.markdown import Safe, escape, visible
from release.commits.fences import code_blocks, opening

_ITEM = re.compile(r"[ \t]*([-*+]|\d{1,9}[.)])[ \t]+(?=\S)")
_DEEPEST = 3
"""Lists within lists beyond this are text: anyone who writes a thousand marks in a row means no list."""
_LANGUAGES = frozenset([
    "bash", "console", "css", "diff", "dockerfile", "go", "html", "ini", "java", "javascript", "js", "json", "kotlin", "python",
    "rust", "sh", "shell", "sql", "swift", "text", "toml", "ts", "tsx", "typescript", "xml", "yaml", "yml",
])  # fmt: skip
"""What a code block may be called. GitHub draws some others (mermaid, geojson, math), links and all."""


class MarkdownBlock(Safe):
    """A list or a code block: it stands on lines of its own, all but the first indented by two, as below an item of a list."""

    __slots__ = ()


class _Part(NamedTuple):
    rows: list[str]
    words: bool
    """It is a paragraph."""
    apart: bool
    """A blank line is before it."""


def paragraphs(text: str) -> list[Safe]:
    """The parts of a text."""
    return [part for passage in passages(text) for part in passage]


def passages(text: str) -> list[list[Safe]]:
    """The same, those that no blank line parts together."""
    found: list[list[Safe]] = []
    for part in _parts(text.strip("\n").split("\n"), 0):
        if part.apart or not found:
            found.append([])
        shown = "\n".join([part.rows[0], *(f"  {row}" if row else "" for row in part.rows[1:])])
        found[-1].append(Safe(shown) if part.words else MarkdownBlock(shown))
    return found


def _parts(lines: Sequence[str], depth: int) -> Iterator[_Part]:
    code = {block.start: block for block in code_blocks(lines)}
    at, apart = 0, False
    while at < len(lines):
        start, line = at, lines[at]
        if not line.strip():
            at, apart = at + 1, True
            continue
        words = False
        if block := code.get(at):
            at = block.end
            rows = _fenced(_outdented(lines[start + 1 : at - 1], _indent(line)), block.info)
        elif _indent(line) >= 4 and (apart or not at):
            at = _while(lines, at, lambda line: not line.strip() or _indent(line) >= 4)
            rows = _fenced(_outdented(lines[start:at], 4), "")
        elif depth < _DEEPEST and _ITEM.match(line):
            at, rows = _list(lines, at, {each: block.end for each, block in code.items()}, depth)
        else:
            at += 1
            while at < len(lines) and at not in code and not _ends_words(lines[at], depth):
                at += 1
            rows, words = [escape(" ".join([line.strip() for line in lines[start:at]]))], True
        if any(rows):
            yield _Part(rows, words, apart)
        apart = False


def _list(lines: Sequence[str], at: int, code: dict[int, int], depth: int) -> tuple[int, list[str]]:
    """Where a list ends, and its rows. Its items are of one kind and may have gaps between them."""
    rows: list[str] = []
    item = _ITEM.match(lines[at])
    numbered = item is not None and len(item[1]) > 1
    end = at
    while item is not None and (len(item[1]) > 1) == numbered:
        end = _end_of_item(lines, at, code)
        mark = f"{item[1][:-1]}. " if numbered else "- "
        inside = [lines[at][item.end() :], *_outdented(lines[at + 1 : end], item.end())]
        for place, row in enumerate(_joined(_parts(inside, depth + 1))):
            rows.append(f"{' ' * len(mark) if place else mark}{row}" if row else "")
        at = _while(lines, end, lambda line: not line.strip())
        item = _ITEM.match(lines[at]) if at < len(lines) and at not in code else None
    return end, rows


def _end_of_item(lines: Sequence[str], at: int, code: dict[int, int]) -> int:
    """An item has the lines below that are indented further, and those that go on without a gap."""
    outer, end = _indent(lines[at]), at + 1
    at = end
    while at < len(lines):
        line = lines[at]
        inside = _indent(line) > outer + 1
        if not line.strip():
            at += 1
            continue
        if not inside and (at > end or at in code or _ITEM.match(line)):
            break
        at = end = code.get(at, at + 1)
    return end


def _joined(parts: Iterable[_Part]) -> Iterator[str]:
    """The rows of an item. A list or a block may follow words directly; anything else needs a gap."""
    before: _Part | None = None
    for part in parts:
        if before is not None and (part.apart or part.words or not before.words):
            yield ""
        yield from part.rows
        before = part


def _fenced(lines: Sequence[str], info: str) -> list[str]:
    """A code block that its lines cannot end."""
    shown = visible("\n".join(lines)).strip("\n").rstrip().split("\n")
    if shown == [""]:
        return []
    longest = max((len(run) for run in re.findall(r"`+", "\n".join(shown))), default=0)
    fence = "`" * max(3, longest + 1)
    # Anyone who reads a changelog line by line must not take a fence inside for one of ours: deep enough it is none.
    inset = "  " if any(map(opening, shown)) else ""
    name = info.split(maxsplit=1)[0].lower() if info.strip() else ""
    return [
        fence + (name if name in _LANGUAGES else ""),
        *(f"{inset}{line}".rstrip() if line.strip() else "" for line in shown),
        fence,
    ]


def _ends_words(line: str, depth: int) -> bool:
    """Whether a line ends the paragraph above it: a gap, or a list, which if numbered begins at 1."""
    item = _ITEM.match(line) if depth < _DEEPEST else None
    return not line.strip() or (item is not None and item[1] in ("-", "*", "+", "1.", "1)"))


def _while(lines: Sequence[str], at: int, holds: Callable[[str], bool]) -> int:
    while at < len(lines) and holds(lines[at]):
        at += 1
    return at


def _indent(line: str) -> int:
    return len(line[: len(line) - len(line.lstrip(" \t"))].expandtabs(4))


def _outdented(lines: Sequence[str], width: int) -> list[str]:
    """The lines with so much less before them, where they have it; a tab counts as four."""
    return [_without(line, width) for line in lines]


def _without(line: str, width: int) -> str:
    while width > 0 and line[:1] in (" ", "\t"):
        width -= 1 if line[0] == " " else 4
        line = line[1:]
    return line
