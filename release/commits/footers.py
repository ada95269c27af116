"""Footers of a commit message: what they say, where each ends, and what was nearly one.

Source: conventionalcommits.org/en/v1.0.0, rules 8 to 16.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from release.commits.fences import Code

# A token, `: ` or ` #`, a value that runs to the next footer. A list may hold BREAKING CHANGE: nobody means anything else by it.
_FOOTER = re.compile(
    r"(?P<bullet>[*-] (?=BREAKING[ -]CHANGE:))?"
    r"(?:(?P<breaking>BREAKING[ -]CHANGE)(?:: |:$)|(?P<token>[A-Za-z][A-Za-z0-9-]*)(?:: | #|:$))(?P<value>.*)"
)
_RULE = re.compile(r"#{1,6} |-{3,}\s*$")
_HOW = re.compile(r"#{1,6} .*(?:migrat|upgrad|before|after|how to)", re.IGNORECASE)
"""A heading below which a breaking change goes on."""
_TRAILER = re.compile(
    r"[A-Za-z0-9]+-[A-Za-z0-9-]+|(?:close|fix|resolve)[sd]?|fixed|refs?|see|issue|cc|bug", re.IGNORECASE
)
"""Tokens that nobody writes in prose: they end what a breaking change says wherever they stand."""
_IN_PROSE = frozenset(["before", "after", "old", "new", "note", "example"])
_KINDS = {
    "upgrade": "upgrade", "upgrade-note": "upgrade", "migration": "upgrade", "highlight": "highlight",
    "security": "security", "cve": "security", "refs": "refs", "ref": "refs",
}  # fmt: skip
_STARTS = ("breaking", *_KINDS)
FIRST = frozenset("BbUuMmHhSsCcRr")
"""What a footer that has a kind begins with, where it is not in a list."""
_WITH_CODE = ("breaking", "upgrade")
# At the start of a line behind list marks, quotes, emphasis or an emoji; unless it is a box that nobody ticked.
_START = r"(?!.*\[ \])(?:[^\w\n]|\[[xX]\])*"
_WITH_COLON = re.compile(rf"{_START}(breaking(?:[ _-]*changes?)?)[\s*_`)\]]*[:：](.*)", re.IGNORECASE)
_INLINE = re.compile(r".*?(?<![\w`])(BREAKING[ _-]CHANGES?)[*_`]*:(.*)")
_WITHOUT_COLON = re.compile(rf"{_START}((?i:breaking[ _-]changes?)|BREAKING)\b(.*)")
_NOTHING = re.compile(r"\W*(?:none|no|nothing|n/?a)\W*", re.IGNORECASE)


def kind_of(line: str) -> str:
    """breaking, upgrade, highlight, security or refs when a line begins such a footer; empty otherwise."""
    if not _may_begin(line) or ":" not in line or type(line) is Code:
        return ""
    found = _FOOTER.fullmatch(line.rstrip())
    return _kind(found) if found else ""


def read_footers(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(kind, value) of each footer that has a kind."""
    first = next((at for at, line in enumerate(lines) if _may_begin(line)), len(lines))
    trailing = _trailing(lines, first)
    kind, bullet = "", ""
    value: list[str] = []
    for at, line in enumerate(lines[first:], first):
        code = type(line) is Code
        found = None if code else _FOOTER.fullmatch(line.rstrip())
        if found is not None and kind == "breaking" and at < trailing and _goes_on(found):
            found = None
        ends = not code and (_ends(line, kind) or bool(bullet and line.startswith(bullet)))
        if found is None and not ends:
            value.append(line)
            continue
        if kind:
            yield kind, _value(kind, value)
        kind, bullet, value = (_kind(found), found["bullet"] or "", [found["value"].strip()]) if found else ("", "", [])
    if kind:
        yield kind, _value(kind, value)


def _trailing(lines: Sequence[str], first: int) -> int:
    """Where the footers at the end begin: from there on every line is one, goes on with one, or is blank."""
    at = len(lines)
    while at > first:
        line = lines[at - 1]
        found = None if type(line) is Code else _FOOTER.fullmatch(line.rstrip())
        if line.strip() and line[:1] not in (" ", "\t") and (found is None or _in_prose(found)):
            break
        at -= 1
    return at


def _goes_on(found: re.Match[str]) -> bool:
    """Whether a line within a breaking change is prose, or code, that only looks like a footer: `Before:`, `scope: {`."""
    return not _kind(found) and (_in_prose(found) or not _TRAILER.fullmatch(found["token"]))


def _in_prose(found: re.Match[str]) -> bool:
    token = found["token"] or ""
    return token.lower() in _IN_PROSE or (not found["value"] and not _kind(found))


def _ends(line: str, kind: str) -> bool:
    """Whether a heading or a rule ends a footer."""
    return _RULE.match(line) is not None and not (kind == "breaking" and _HOW.match(line))


def nearly_breaking(lines: Sequence[str]) -> str:
    """What looks like a BREAKING CHANGE footer and is none; empty when there is nothing of the kind.

    With a colon it is always one that was meant; without, only where the text has no proper one.
    """
    near = [line for line in lines if type(line) is not Code and "breaking" in line.lower()]
    proper = any(kind_of(line) == "breaking" for line in near)
    for line in near:
        if kind_of(line) != "breaking" and (found := _near(line, _WITH_COLON, _INLINE)):
            return found
    if proper:
        return ""
    for place, line in enumerate(lines):
        if type(line) is not Code and "breaking" in line.lower() and (found := _near(line, _WITHOUT_COLON)):
            below = next((text for text in lines[place + 1 :] if text.strip()), "")
            if not (line.startswith("#") and _NOTHING.fullmatch(below)):
                return found
    return ""


def _may_begin(line: str) -> bool:
    """Whether a line may begin a footer that has a kind: most lines of long bodies do not, which is found without a pattern."""
    return (line[:1] in FIRST and line.lower().startswith(_STARTS)) or line[2:10] == "BREAKING"


def _near(line: str, *patterns: re.Pattern[str]) -> str:
    for pattern in patterns:
        found = pattern.match(line)
        if found is not None and not _NOTHING.fullmatch(found[2]):
            return found[1]
    return ""


def _value(kind: str, lines: Sequence[str]) -> str:
    message = lines if kind in _WITH_CODE else [line for line in lines if type(line) is not Code]
    return "\n".join(message).strip("\n").rstrip()


def _kind(found: re.Match[str]) -> str:
    return "breaking" if found["breaking"] else _KINDS.get(found["token"].lower(), "")
