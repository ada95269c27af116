"""The bodies of commit messages: footers, commits listed by a squash, what is reverted, who helped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from release.commits.fences import Code, mark_code
from release.commits.footers import nearly_breaking, read_footers
from release.commits.quotes import mark_quotes
from release.commits.squashes import split_squash

_THIS_REVERTS = re.compile(r"This reverts (?:merge )?commit ([0-9a-fA-F]{7,64})(?: \(.*\))?(?:\.|,? reversing\b.*)?\s*")
_BETWEEN = r"(?:,? and |,? & |, ?| )"
_NAME = r"[0-9a-fA-F]{7,64}"
_THEY_REVERT = re.compile(rf"This reverts (?:the )?commits:? ({_NAME}(?:{_BETWEEN}{_NAME})*)\.?\s*")
_THESE = re.compile(r"This reverts (?:the )?(?:following )?commits:?\s*")
_ITEM = re.compile(r"\s*(?:[-*] )?(?:commit )?([0-9a-fA-F]{7,64})\b.*")
_PULL = r"(?:[\w.-]+/[\w.-]+)?[#!][0-9]{1,10}"
_REVERTS_PULLS = re.compile(rf"Reverts {_PULL}(?:{_BETWEEN}{_PULL})*\b")
_PICKED = re.compile(r"\(cherry picked from commit ([0-9a-fA-F]{7,64})\)")
_ID = re.compile(r"\b[0-9a-fA-F]{7,64}\b")
_COAUTHOR = re.compile(r"co-authored-by:([^<]*)<([^>]*)>", re.IGNORECASE)
# Also what is nearly a header, so that it can be warned of. It begins with plain text, which makes looking for it fast.
_LISTED = re.compile(r"\n\* (?:[^\s\w]\S* )?(?:[^\W\d_][\w-]*!? ?(?:\([^\n]*\))?!? ?:|Revert |Reapply )")
_REVERT_TITLES = (('Revert "', 1), ('Reapply "', 2))


class Body(NamedTuple):
    """What a body adds to its header."""

    breaking: tuple[str, ...] = ()
    """The text of each BREAKING CHANGE footer."""
    upgrade: tuple[str, ...] = ()
    """How to upgrade: `Upgrade:` footers."""
    highlights: tuple[str, ...] = ()
    security: tuple[str, ...] = ()
    """`Security:` or `CVE:` footers."""
    squashed: tuple[str, ...] = ()
    """Whole messages of the commits a squash lists, the oldest first."""
    reverts: tuple[str, ...] = ()
    """Ids in lines `This reverts commit …`, as written (may be short). Only a revert has them, and `reverts_pulls`."""
    refs: tuple[str, ...] = ()
    """Ids in `Refs:` footers: what a `revert:` reverts (the convention's own advice)."""
    reverts_pulls: tuple[int, ...] = ()
    revert_of: str = ""
    """First line of the commit reverted."""
    revert_title: str = ""
    """The innermost title of `Revert "Revert "…""`."""
    revert_depth: int = 0
    """How many times it was reverted: an even number puts it back."""
    picked_from: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def search_body(rest: str, subject: str) -> bool:
    """Whether a body is worth reading: most are not, and histories are long."""
    if rest and (
        "REAKING" in rest
        or "reaking" in rest
        or "everts" in rest
        or "cherry picked" in rest
        or "pgrade" in rest
        or "igration:" in rest
        or "ighlight:" in rest
        or "ecurity:" in rest
        or "CVE" in rest
        or "cve:" in rest
        or "Squashed commit" in rest
        or ("* " in rest and _lists(rest))
    ):
        return True
    return subject[:6].lower() in ("revert", "reappl")


def _lists(rest: str) -> bool:
    """Whether it has a bullet that looks like a commit."""
    return _LISTED.search(rest) is not None or (rest[0] == "*" and _LISTED.match(f"\n{rest}") is not None)


def read_body(rest: str, *, squash_body: str) -> Body:
    """Read a body. `squash_body`: see Release.squash_body."""
    lines, warnings = _lines(rest)
    own, squashed = split_squash(lines) if squash_body == "commit-messages" and _may_list(rest) else (lines, ())
    found: dict[str, list[str]] = {kind: [] for kind in ("breaking", "upgrade", "highlight", "security", "refs")}
    for kind, value in read_footers(own):
        found[kind].append(value)
    if "breaking" in rest.lower():
        warnings += _body_warnings(lines, found["breaking"])
    reverts, unread = _reverted(own) if "This reverts " in rest else ([], [])
    warnings += [
        f"{line[:80]!r} in its body is not understood: name each commit as `This reverts commit ID.`" for line in unread
    ]
    return Body(
        breaking=tuple(found["breaking"]),
        upgrade=tuple(found["upgrade"]),
        highlights=tuple(found["highlight"]),
        security=tuple(found["security"]),
        squashed=squashed,
        reverts=tuple(reverts),
        refs=tuple(name for value in found["refs"] for name in _ID.findall(value)),
        reverts_pulls=_reverted_pulls(own) if "Reverts " in rest else (),
        picked_from=tuple(_PICKED.findall(_unquoted(own, "(cherry"))) if "(cherry" in rest else (),
        warnings=tuple(warnings),
    )


def own_text(rest: str, *, squash_body: str) -> str:
    """What a body says of the whole commit: without code, and without the messages of the commits a squash lists."""
    lines, _ = _lines(rest)
    own = split_squash(lines)[0] if squash_body == "commit-messages" and _may_list(rest) else lines
    return _unquoted(own)


def coauthor_lines(text: str, start: int) -> str:
    """The lines from `start` on that may name a co-author. By hand: histories have tens of thousands of them."""
    found: list[str] = []
    at = text.find("uthored-by:", start)
    while at >= 0:
        begun, end = max(text.rfind("\n", start, at) + 1, start), text.find("\n", at)
        start = end if end >= 0 else len(text)
        found.append(text[begun:start])
        at = text.find("uthored-by:", start)
    return "\n".join(found)


def read_coauthors(lines: str) -> tuple[tuple[str, str], ...]:
    """(name, mail address) of each trailer."""
    trailers = map(_COAUTHOR.match, lines.split("\n"))
    return tuple((trailer[1].strip(), trailer[2].strip()) for trailer in trailers if trailer)


def reverted_by(subject: str, kind: str, description: str) -> tuple[str, str, int]:
    """(first line of the commit reverted, innermost title, depth), ("", "", 0) when this is no revert.

    `Revert "x"` and `revert: x` have depth 1, `Revert "Revert "x""` and `Reapply "x"` depth 2.
    """
    if kind == "revert":
        _, inner, depth = reverted_by(description, "", "")
        return (description, inner, depth + 1) if depth else (description, description, 1)
    start, end, depth, of = 0, len(subject), 0, ""
    while (
        found := next((each for each in _REVERT_TITLES if subject.startswith(each[0], start, end)), None)
    ) is not None:
        quote = subject.rfind('"', start + len(found[0]), end)
        if quote < 0:
            break
        start, end = start + len(found[0]), quote
        of = of or (subject[start:end] if found[1] == 1 else f'Revert "{subject[start:end]}"')
        depth += found[1]
    return (of, subject[start:end], depth) if depth else ("", "", 0)


def _reverted(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Ids of the commits that lines say are reverted, and the lines of that kind that cannot be read."""
    names: list[str] = []
    unread: list[str] = []
    listing = False
    for line in lines:
        if type(line) is Code or (listing and not line.strip()):
            continue
        item = _ITEM.fullmatch(line) if listing else None
        if item is not None:
            names.append(item[1])
            continue
        listing = line.startswith("This reverts ") and _THESE.fullmatch(line) is not None
        if not line.startswith("This reverts ") or listing:
            continue
        if mark := _THIS_REVERTS.fullmatch(line) or _THEY_REVERT.fullmatch(line):
            names += _ID.findall(mark[1])
        elif _ID.search(line):
            unread.append(line)
    return names, unread


def _reverted_pulls(lines: Sequence[str]) -> tuple[int, ...]:
    """Numbers of the pull requests in the first line `Reverts owner/name#12`."""
    for line in lines:
        if type(line) is not Code and line.startswith("Reverts ") and (found := _REVERTS_PULLS.match(line)):
            return tuple(map(int, re.findall(r"[#!]([0-9]+)", found[0])))
    return ()


def _may_list(rest: str) -> bool:
    """Whether a squash may list commits here; most long texts need not be cut up."""
    return "\n* " in rest or rest.startswith("* ") or "Squashed commit of the following" in rest


def _lines(rest: str) -> tuple[list[str], list[str]]:
    """The lines of a body, what it quotes as Code; and warnings."""
    lines, endless = rest.replace("\r\n", "\n").split("\n"), False
    if "```" in rest or "~~~" in rest:
        lines, endless = mark_code(lines)
    if "</" in rest or "# " in rest:
        lines = mark_quotes(rest, lines)
    return lines, ["a code block in its body never ends; it is read as text"] if endless else []


def _unquoted(lines: Sequence[str], start: str = "") -> str:
    """The lines that begin so, without code."""
    return "\n".join(line for line in lines if type(line) is not Code and line.startswith(start))


def _body_warnings(lines: Sequence[str], breaking: Sequence[str]) -> list[str]:
    """Rule 15 requires BREAKING CHANGE in capitals, rule 12 a colon and a space: say so where someone seems to have meant it."""
    found = []
    if near := nearly_breaking(lines):
        found.append(
            f"{near!r} in its body is no footer: it must be `BREAKING CHANGE: ` at the start of a line (rule 12)"
        )
    if any(not value for value in breaking):
        found.append("its BREAKING CHANGE footer says nothing (rule 12)")
    return found
