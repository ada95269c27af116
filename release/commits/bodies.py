"""The bodies of commit messages: footers, commits listed by a squash, what is reverted, who helped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from release.commits.fences import Code, mark_code
from release.commits.footers import nearly_breaking, read_footers
from release.commits.squashes import split_squash

_THIS_REVERTS = re.compile(r"This reverts (?:merge )?commit ([0-9a-fA-F]{7,64})(?: \(.*\))?(?:\.|,? reversing\b.*)?\s*")
_REVERTS_PULL = re.compile(r"Reverts (?:[\w.-]+/[\w.-]+)?[#!](\d+)\b")
_PICKED = re.compile(r"\(cherry picked from commit ([0-9a-fA-F]{7,64})\)")
_ID = re.compile(r"\b[0-9a-fA-F]{7,64}\b")
_COAUTHOR = re.compile(r"co-authored-by:\s*([^<]*)<([^>]*)>", re.IGNORECASE)
# Also what is nearly a header, so that it can be warned of. It begins with plain text, which makes looking for it fast.
_LISTED = re.compile(r"\n\* (?:[^\s\w]\S* )?(?:[^\W\d_][\w-]*!? ?(?:\([^\n]*\))?!? ?:|Revert |Reapply )")
_REVERT_TITLE = re.compile(r'(Revert|Reapply) "(.*)"')


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
    """Ids in lines `This reverts commit …`, as written (may be short). Only a revert has them, and `reverts_pull`."""
    refs: tuple[str, ...] = ()
    """Ids in `Refs:` footers: what a `revert:` reverts (the convention's own advice)."""
    reverts_pull: int = 0
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
    found = dict.fromkeys(("breaking", "upgrade", "highlight", "security", "refs"), ())  # type: dict[str, tuple[str, ...]]
    for kind, value in read_footers(own):
        if kind:
            found[kind] += (value,)
    if "breaking" in rest.lower():
        warnings += _body_warnings(lines, found["breaking"])
    pulls = _REVERTS_PULL.findall(_said(own, "Reverts ")) if "Reverts " in rest else ()
    reverts = [line for line in own if line.startswith("This reverts ")] if "This reverts " in rest else ()
    return Body(
        breaking=found["breaking"],
        upgrade=found["upgrade"],
        highlights=found["highlight"],
        security=found["security"],
        squashed=squashed,
        reverts=tuple(
            mark[1] for line in reverts if type(line) is not Code and (mark := _THIS_REVERTS.fullmatch(line))
        ),
        refs=tuple(name for value in found["refs"] for name in _ID.findall(value)),
        reverts_pull=int(pulls[0]) if pulls else 0,
        picked_from=tuple(_PICKED.findall(_said(own, "(cherry"))) if "(cherry" in rest else (),
        warnings=tuple(warnings),
    )


def own_text(rest: str, *, squash_body: str) -> str:
    """What a body says of the whole commit: without code, and without the messages of the commits a squash lists."""
    lines, _ = _lines(rest)
    own = split_squash(lines)[0] if squash_body == "commit-messages" and _may_list(rest) else lines
    return _said(own)


def read_coauthors(rest: str) -> tuple[tuple[str, str], ...]:
    """(name, mail address) of each trailer. By hand: histories have tens of thousands of them."""
    found: list[tuple[str, str]] = []
    at = rest.find("uthored-by:")
    while at >= 0:
        end = rest.find("\n", at)
        row = rest[rest.rfind("\n", 0, at) + 1 : end if end >= 0 else len(rest)]
        if trailer := _COAUTHOR.match(row):
            found.append((trailer[1].strip(), trailer[2].strip()))
        at = rest.find("uthored-by:", at + 1)
    return tuple(found)


def reverted_by(subject: str, kind: str, description: str) -> tuple[str, str, int]:
    """(first line of the commit reverted, innermost title, depth), ("", "", 0) when this is no revert.

    `Revert "x"` and `revert: x` have depth 1, `Revert "Revert "x""` and `Reapply "x"` depth 2.
    """
    if kind == "revert":
        _, inner, depth = reverted_by(description, "", "")
        return (description, inner, depth + 1) if depth else (description, description, 1)
    first = _REVERT_TITLE.match(subject)
    if first is None:
        return "", "", 0
    depth = 0
    while found := _REVERT_TITLE.match(subject):
        depth += 1 if found[1] == "Revert" else 2
        subject = found[2]
    return (first[2] if first[1] == "Revert" else f'Revert "{first[2]}"'), subject, depth


def _may_list(rest: str) -> bool:
    """Whether a squash may list commits here; most long texts need not be cut up."""
    return "\n* " in rest or rest.startswith("* ") or "Squashed commit of the following" in rest


def _lines(rest: str) -> tuple[list[str], list[str]]:
    lines = rest.replace("\r\n", "\n").split("\n")
    if "```" not in rest and "~~~" not in rest:
        return lines, []
    lines, endless = mark_code(lines)
    return lines, ["a code block in its body never ends; it is read as text"] if endless else []


def _said(lines: Sequence[str], start: str = "") -> str:
    """The lines that begin so, without code."""
    return "\n".join(line for line in lines if type(line) is not Code and line.startswith(start))


def _body_warnings(lines: Sequence[str], breaking: tuple[str, ...]) -> list[str]:
    """Rule 15 wants BREAKING CHANGE in capitals, rule 12 a colon and a space: say so where somebody seems to have meant it."""
    found = []
    if near := nearly_breaking(lines):
        found.append(
            f"{near!r} in its body is no footer: it must be `BREAKING CHANGE: ` at the start of a line (rule 12)"
        )
    if any(not value for value in breaking):
        found.append("its BREAKING CHANGE footer says nothing (rule 12)")
    return found
