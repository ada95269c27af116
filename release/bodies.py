"""The bodies of commit messages: footers, commits listed by a squash, what is reverted, who helped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# Rules 8-12, 16: a footer is a token, `: ` or ` #`, a value that runs to the next footer.
_FOOTER = re.compile(r"(BREAKING[ -]CHANGE|[A-Za-z][A-Za-z0-9-]*)(?:: | #|:$)(.*)")
_NEARLY_BREAKING = re.compile(
    r"^[ \t]*(?:[*-] )?(breaking[ -]changes?|BREAKING(?:[ -]CHANGES)?)\b", re.IGNORECASE | re.MULTILINE
)
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_RULE = re.compile(r"^(?:#{1,6} |-{3,}\s*$|\* )")
_THIS_REVERTS = re.compile(r"This reverts (?:merge )?commit ([0-9a-fA-F]{7,64})")
_REVERTS_PULL = re.compile(r"^Reverts (?:[\w.-]+/[\w.-]+)?[#!](\d+)", re.MULTILINE)
_PICKED = re.compile(r"\(cherry picked from commit ([0-9a-fA-F]{7,64})\)")
_ID = re.compile(r"\b[0-9a-fA-F]{7,64}\b")
_COAUTHOR = re.compile(r"co-authored-by:\s*([^<]*)<([^>]*)>", re.IGNORECASE)
_LISTED = re.compile(r"^\* (?:[^\W\d_][\w-]*(?:\([^()\n]*\))?!?:|Revert |Reapply )", re.MULTILINE)
_REVERT_TITLE = re.compile(r'(Revert|Reapply) "(.*)"')
_SIGNS = (
    "REAKING", "reaking", "everts", "cherry picked", "Upgrade", "Migration", "Highlight", "Security", "CVE", "Squashed commit",
)  # fmt: skip
_UPGRADE = ("upgrade", "upgrade-note", "migration")


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
    """Whole messages of the commits a squash lists."""
    reverts: tuple[str, ...] = ()
    """Ids after `This reverts commit`, as written (may be short)."""
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
    if rest:
        for sign in _SIGNS:
            if sign in rest:
                return True
        if "* " in rest and _LISTED.search(rest) is not None:
            return True
    return subject[:6].lower() in ("revert", "reappl")


def read_body(rest: str, *, squash_body: str) -> Body:
    """Read a body. `squash_body`: see Release.squash_body."""
    lines, warnings = _without_fences(rest.replace("\r\n", "\n").split("\n"))
    squashed: tuple[str, ...] = ()
    if squash_body == "commit-messages":
        lines, squashed = _split_squash(lines)
    found = dict.fromkeys(("breaking", "upgrade", "highlight", "security", "refs"), ())  # type: dict[str, tuple[str, ...]]
    for kind, value in _footers(lines):
        if kind:
            found[kind] += (value,)
    text = "\n".join(lines)
    warnings += _nearly_breaking(text, found["breaking"])
    ids = tuple(_THIS_REVERTS.findall(rest))
    pull = _REVERTS_PULL.search(rest)
    return Body(
        breaking=found["breaking"],
        upgrade=found["upgrade"],
        highlights=found["highlight"],
        security=found["security"],
        squashed=squashed,
        reverts=ids,
        refs=tuple(name for value in found["refs"] for name in _ID.findall(value)),
        reverts_pull=int(pull[1]) if pull else 0,
        picked_from=tuple(_PICKED.findall(rest)),
        warnings=tuple(warnings),
    )


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


def _without_fences(lines: list[str]) -> tuple[list[str], list[str]]:
    """Lines outside code blocks: an example of a footer is not a footer. A block that never ends is no block."""
    kept: list[str] = []
    held: list[str] = []
    fence = ""
    for line in lines:
        mark = _FENCE.match(line)
        if fence:
            held.append(line)
            if mark and mark[1].startswith(fence):
                fence, held = "", []
        elif mark:
            fence, held = mark[1], [line]
        else:
            kept.append(line)
    if fence:
        return kept + held, ["a code block in its body never ends; it is read as text"]
    return kept, []


def _split_squash(lines: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """GitHub's `* subject` blocks, or git's own `Squashed commit of the following:`, as whole messages; and what else there is."""
    if any(line.startswith("Squashed commit of the following") for line in lines):
        return [], tuple(_git_squash(lines))
    own: list[str] = []
    blocks: list[list[str]] = []
    for line in lines:
        if line.startswith("* "):
            blocks.append([line[2:]])
        elif blocks and not _FOOTER_OF_ALL.match(line):
            blocks[-1].append(line)
        else:
            own.append(line)
    return own, tuple("\n".join(block).strip() for block in blocks)


_FOOTER_OF_ALL = re.compile(r"Co-authored-by:|-{5,}\s*$", re.IGNORECASE)


def _git_squash(lines: list[str]) -> Iterator[str]:
    block: list[str] = []
    for line in [*lines, "commit end"]:
        if line.startswith("commit "):
            if block:
                yield "\n".join(block).strip()
            block = []
        elif line.startswith("    "):
            block.append(line[4:])
        elif block and not line.strip():
            block.append("")


def _footers(lines: list[str]) -> Iterator[tuple[str, str]]:
    kind = ""
    value: list[str] = []
    for line in lines:
        found = _FOOTER.fullmatch(line.rstrip())
        if found is None and not _RULE.match(line):
            value.append(line)
            continue
        if kind:
            yield kind, "\n".join(value).strip()
        kind, value = (_kind(found[1]), [found[2]]) if found else ("", [])
    if kind:
        yield kind, "\n".join(value).strip()


def _kind(token: str) -> str:
    if token in ("BREAKING CHANGE", "BREAKING-CHANGE"):
        return "breaking"
    name = token.lower()
    if name in _UPGRADE:
        return "upgrade"
    return {"highlight": "highlight", "security": "security", "cve": "security", "refs": "refs", "ref": "refs"}.get(
        name, ""
    )


def _nearly_breaking(text: str, breaking: tuple[str, ...]) -> list[str]:
    """Rule 15 wants BREAKING CHANGE in capitals, rule 12 a colon and a space: say so where somebody seems to have meant it."""
    if not breaking and (found := _NEARLY_BREAKING.search(text)):
        return [
            f"{found[1]!r} in its body is no footer: it must be `BREAKING CHANGE: ` at the start of a line (rule 12)"
        ]
    if any(not value for value in breaking):
        return ["its BREAKING CHANGE footer says nothing (rule 12)"]
    return []
