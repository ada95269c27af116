"""The body of a squash: what it says of all of it, and the messages of the commits it lists."""

from __future__ import annotations

import re
from collections.abc import Sequence

from release.commits.fences import Code
from release.commits.footers import FIRST, kind_of
from release.commits.quotes import Noted

_OF_ALL = re.compile(r"Co-authored-by:|-{5,}\s*$", re.IGNORECASE)
_MARKS = FIRST | set("*-")
"""What a line begins with that means anything in a list of commits."""
_TYPED = re.compile(r'[^\W\d_][\w-]*(?:\([^()\r\n]*\))?!?:[ \t]+\S|(?:Revert|Reapply) ".*"')
_GIT_COMMIT = re.compile(r"commit \w+\s*$")


def split_squash(lines: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """What a squash says itself, and the messages it lists, the oldest first.

    GitHub lists commits as `* subject` with their bodies; git writes `Squashed commit of the following:`, the newest first.
    A footer below a commit that has no type is of all of it, and so is one below a list without gaps: a person wrote that list.
    """
    at = next((at for at, line in enumerate(lines) if line.startswith("Squashed commit of the following")), None)
    own, blocks = _bullets(lines) if at is None else _git_log(lines, at)
    messages: list[str] = []
    for block, glued in blocks:
        cut = _end_of(block, glued)
        own += block[cut:]
        messages.append("\n".join(block[:cut]).strip())
    return own, tuple(messages)


def _bullets(lines: Sequence[str]) -> tuple[list[str], list[tuple[list[str], bool]]]:
    """Own lines; and each item, with whether it stands directly below another."""
    own: list[str] = []
    items: list[tuple[list[str], bool]] = []
    current, in_footer = own, False
    for at, line in enumerate(lines):
        if line[:1] not in _MARKS:
            current.append(line)
            continue
        kind, before = kind_of(line), lines[at - 1] if at else ""
        starts = line.startswith("* ") and type(line) not in (Code, Noted) and not kind
        if starts and not (in_footer and _goes_on(line, before, begun=bool(items))):
            current, in_footer = [line[2:]], False
            items.append((current, before.startswith("* ")))
        else:
            if _OF_ALL.match(line) or (kind and line.startswith("* ")):
                current = own
            current.append(line)
            in_footer = in_footer or kind != ""
    return own, items


def _goes_on(line: str, before: str, *, begun: bool) -> bool:
    """Whether a bullet below a footer is part of what the footer says: a list that begins there, or has no gap before it."""
    return not _TYPED.match(line[2:]) and (not begun or before.strip() != "")


def _git_log(lines: Sequence[str], at: int) -> tuple[list[str], list[tuple[list[str], bool]]]:
    own = list(lines[:at])
    blocks: list[list[str]] = []
    current = own
    for line in lines[at + 1 :]:
        if _GIT_COMMIT.match(line):
            current = []
            blocks.append(current)
        elif line.startswith("    ") and blocks:
            current = blocks[-1]
            current.append(Code(line[4:]) if type(line) is Code else line[4:])
        elif kind_of(line):
            current = own
            own.append(line)
        elif current is own or (current and not line.strip()):
            current.append(line)
    return own, [(block, False) for block in reversed(blocks) if block]


def _end_of(block: Sequence[str], glued: bool) -> int:
    """Where the message of a listed commit ends and the footers of all begin."""
    typed = _TYPED.match(block[0]) is not None
    if typed and not glued:
        return len(block)
    gap = not typed
    for at, line in enumerate(block[1:], start=1):
        gap = gap or not line.strip()
        if gap and kind_of(line) not in ("", "refs"):
            return at
    return len(block)
