"""Commit messages: Conventional Commits 1.0 headers, footers, squashed bodies, merges and reverts.

The header decides. A body is searched for what it may add; what cannot be read there becomes a warning and costs nothing else.
Source: conventionalcommits.org/en/v1.0.0 (the numbers below are its rules).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from release.commits.bodies import (
    Body,
    coauthor_lines,
    own_text,
    read_body,
    read_coauthors,
    reverted_by,
    search_body,
)
from release.commits.footers import kind_of, nearly_breaking
from release.commits.quotes import outside_blocks

# Rules 1, 4, 5, 13: type, optional scope, optional !, colon and space, description.
_HEADER = re.compile(r"([^\W\d_][\w-]*)(?:\(([^()\r\n]*)\))?(!)?:[ \t]+(\S.*)")
# The same with all that people put between: an emoji or a ticket before it, a ! on the wrong side, gaps, brackets in the scope.
_NEARLY = re.compile(
    r"(?P<before>(?::\w+:|\[[^\]]*\]|[A-Z]+-\d+|[^\w\s\"'`(\[]+)\s*)?(?P<type>[^\W\d_][\w-]*)(?P<early>!)?(?P<gap>[ \t]*+)"
    r"(?P<scope>\(.*?\))?(?P<late>!)?(?P<space>[ \t]*)(?P<colon>[:：])(?P<description>.*)"
)
_KNOWN = frozenset([
    "feat", "feature", "fix", "bugfix", "hotfix", "perf", "security", "revert", "build", "chore", "ci", "deps", "doc", "docs",
    "refactor", "style", "test", "tests",
])  # fmt: skip
_MERGE = re.compile(
    r"Merge pull request #(?P<github>[0-9]{1,10}) from |Merged PR (?P<azure>[0-9]{1,10}): (?P<title>.*)"
    r"|Merged in .* \(pull request #(?P<bitbucket>[0-9]{1,10})\)|Merge (?:branch|remote-tracking branch|tag|commit|branches) "
)
_GITLAB = re.compile(r"^See merge request \S{0,300}!([0-9]{1,10})[ \t\r]*$", re.MULTILINE)
_MEANT_BREAKING = re.compile(r"breaking[-_]?changes?")
_SQUASHED = "Squashed commit of the following:"
_NEVER_CONDENSED = ("Merge", "Squashed")
"""How messages begin whose second paragraph may say what they are."""
_LONGEST_NUMBER = 10
"""Digits of a pull request's number; more are none, and numbers of thousands of them cannot be read."""
# It begins with plain text, which makes looking for it fast.
_SKIP = re.compile(r"\[(?i:skip release|release skip|no release)\]")


_SPEAKS_OF_BREAKING = (
    "its first line speaks of a breaking change, but is no Conventional Commit: write 'feat!: …' (rule 1)"
)


class Header(NamedTuple):
    """The first line of a Conventional Commit."""

    type: str
    """In lower case (rule 15: case does not matter)."""
    scope: str
    breaking: bool
    """It had a `!`."""
    description: str


class Merge(NamedTuple):
    """What the message of a merge says."""

    pull: int
    """Number of the pull request, 0 when there is none."""
    title: str
    """Its title, empty when the message has none."""
    header: Header | None = None
    """What the title says as a Conventional Commit."""


class Message(NamedTuple):
    """One message, read."""

    subject: str
    """First line without the pull requests at its end."""
    header: Header | None
    pulls: tuple[int, ...]
    """Pull requests at the end of the first line; the last is the one that brought the commit here."""
    skip: bool
    merge: Merge | None
    body: Body | None
    """None when the body adds nothing."""
    coauthors: tuple[tuple[str, str], ...]
    """(name, mail address)."""
    warnings: tuple[str, ...]
    listed: tuple[Message, ...] = ()
    """The commits a squash lists, the oldest first."""


def condense(raw: str) -> tuple[str, bool]:
    """A message without a body that adds nothing, and whether there is one that may: `parse` reads the same from both, but for odd bytes
    in what the body quotes. Most bodies of a long history add nothing, and they are most of its bytes.

    `raw` has a character for each byte of UTF-8: searching that is quick, where one emoji makes four bytes of every character.
    """
    end = raw.find("\n")
    if end < 0 or not " " < raw[0] < "\x7f" or raw.startswith(_NEVER_CONDENSED):
        return from_bytes(raw), True
    said = from_bytes(outside_blocks(raw, end + 1))
    people = from_bytes(coauthor_lines(raw, end + 1))
    if search_body(said, raw[:6]) or "\ufffd" in said or _SKIP.search(said):
        return from_bytes(raw), True
    if people and (search_body(people, "") or _SKIP.search(people)):
        return from_bytes(raw), True
    return f"{from_bytes(raw[:end])}\n{people}", False


def from_bytes(raw: str) -> str:
    """Text from a character for each of its bytes."""
    return raw if raw.isascii() else raw.encode("latin-1").decode("utf-8", "replace")


def parse(
    text: str, *, squash_body: str = "commit-messages", one_parent: bool = False, condensed: bool = False
) -> Message:
    """Read a message. Never fails: whatever is odd is in `warnings`.

    `squash_body` is the repository's setting for squash merges: commit-messages, pull-request-body or blank. With `one_parent` the
    message of a merge is that of a squash, which is a revert when its title is one: no commit that it brought reverts instead.
    `condensed`: of its body only co-authors are left.
    """
    subject, _, rest = text.lstrip().partition("\n")
    subject = subject.rstrip()
    if subject == _SQUASHED:
        # `git merge --squash` proposes this message as it is: its list begins with the first line.
        rest = f"{subject}\n{rest}"
    pulls: tuple[int, ...] = ()
    if subject.endswith(")"):
        subject, pulls = cut_pulls(subject)
    header, warnings = read_header(subject)
    merge, title = None, subject
    if header is None and subject.startswith("Merge"):
        merge, doubtful = _merge(subject, rest)
        if merge is not None:
            # The commits of a merge are in the history themselves.
            squash_body, warnings = "blank", doubtful
            title = merge.title if one_parent else subject
    body = None
    listed: tuple[Message, ...] = ()
    if not condensed and search_body(outside_blocks(rest), title):
        body, listed = _body(title, header, merge, rest, squash_body)
        warnings += body.warnings
    coauthors = read_coauthors(coauthor_lines(rest, 0)) if "uthored-by:" in rest else ()
    if "\ufffd" in text:
        warnings += ("it is not valid UTF-8; odd bytes are shown as \ufffd",)
    skip = "[" in text and _SKIP.search(text) is not None and _says_skip(subject, body, rest, squash_body)
    return Message(subject, header, pulls, skip, merge, body, coauthors, warnings, listed)


def read_header(subject: str) -> tuple[Header | None, tuple[str, ...]]:
    """A Conventional header or None, with what is nearly right about it."""
    found = _HEADER.fullmatch(subject)
    if found is not None:
        kind, scope, mark, description = found.groups()
        if _MEANT_BREAKING.fullmatch(kind.lower()):
            return None, (_SPEAKS_OF_BREAKING,)
        return Header(kind.lower(), scope.strip() if scope else "", mark is not None, description.rstrip()), ()
    if "breaking" in subject.lower() and nearly_breaking([f"> {subject}"]):
        return None, (_SPEAKS_OF_BREAKING,)
    nearly = _NEARLY.fullmatch(subject) if ":" in subject or "：" in subject else None
    return None, _meant(nearly) if nearly is not None else ()


def _meant(nearly: re.Match[str]) -> tuple[str, ...]:
    """What is wrong with a header, and the one that was meant; nothing where prose just has a colon."""
    before, kind, early, gap, scope, late, space, colon, description = nearly.groups(default="")
    shaped = not before and ((scope and not gap) or early or late)
    unspaced = not (before or early or gap or late or space or description[:1].isspace())
    if description.startswith("//") or not (kind.lower() in _KNOWN or shaped or (unspaced and description)):
        return ()
    inner = "/".join(part for part in re.split(r"[()]+", scope) if part.strip())
    wrong = [
        what
        for what, there in (
            (f"{before.strip()!r} before its type", before),
            ("a space before its scope", gap and scope),
            ("its ! before its scope", early and scope),
            ("brackets in its scope", scope[1:-1].strip() != inner.strip()),
            ("a space before its colon", space or (gap and not scope)),
            ("a colon of another script", colon != ":"),
            ("a space is missing after its colon", description and not description[0].isspace()),
            ("nothing after its colon", not description.strip()),
        )
        if there
    ]
    meant = f"{kind}{f'({inner})' if inner else ''}{'!' if early or late else ''}: {description.strip() or '…'}"
    return (
        f"its first line looks like a Conventional Commit, but is none: write {meant!r} ({', '.join(wrong)}; rule 1)",
    )


def cut_pulls(subject: str) -> tuple[str, tuple[int, ...]]:
    """`fix: x (#3) (#7)` -> ("fix: x", (3, 7))."""
    pulls: list[int] = []
    end = len(subject)
    while subject.endswith(")", 0, end):
        start = subject.rfind("(", 0, end)
        if start < 0 or not subject.startswith(("#", "!"), start + 1) or end - start - 3 > _LONGEST_NUMBER:
            break
        number = subject[start + 2 : end - 1]
        if not (number.isascii() and number.isdigit()):
            break
        pulls.append(int(number))
        end = start
        while end and subject[end - 1].isspace():
            end -= 1
    return subject[:end], tuple(reversed(pulls))


def _merge(subject: str, rest: str) -> tuple[Merge | None, tuple[str, ...]]:
    """What a merge says, with what is nearly right about its title."""
    found = _MERGE.match(subject)
    if found is None:
        return None, ()
    number = int(found["github"] or found["azure"] or found["bitbucket"] or 0)
    title = found["title"].strip() if found["title"] else ""
    if not title:
        title = next((line.strip() for line in rest.splitlines() if line.strip()), "")
        if not number and (gitlab := _GITLAB.search(rest)):
            number = int(gitlab[1])
            title = "" if title.startswith("See merge request") else title
        if not number or kind_of(title):
            title = ""
    header, warnings = read_header(cut_pulls(title)[0]) if title else (None, ())
    return Merge(number, title, header), warnings


def _body(
    title: str, header: Header | None, merge: Merge | None, rest: str, squash_body: str
) -> tuple[Body, tuple[Message, ...]]:
    """The body below a first line that says `title`, and the messages that it lists."""
    body = read_body(rest, squash_body=squash_body)
    listed = tuple(parse(text, squash_body="blank") for text in body.squashed)
    warnings = [*body.warnings, *(warning for each in listed for warning in each.warnings)]
    header = header or (merge.header if merge and merge.title == title else None)
    of, innermost, depth = reverted_by(title, header.type if header else "", header.description if header else "")
    if not depth and (body.reverts or body.reverts_pulls):
        named = body.reverts[0][:9] if body.reverts else f"#{body.reverts_pulls[0]}"
        if merge is None:
            warnings.append(
                f"its body says that it reverts {named}, but its first line is no revert: {named} is left in"
            )
        body = body._replace(reverts=(), reverts_pulls=())
    return body._replace(
        revert_of=of,
        revert_title=innermost,
        revert_depth=depth,
        highlights=body.highlights + _highlights(listed),
        warnings=tuple(dict.fromkeys(warnings)),
    ), listed


def _highlights(listed: Sequence[Message]) -> tuple[str, ...]:
    """Those of the commits a squash lists, without what it skips or takes back itself."""
    gone = {each.body.revert_of for each in listed if each.body}
    return tuple(
        text
        for each in listed
        if each.body and not each.skip and each.subject not in gone
        for text in each.body.highlights
    )


def _says_skip(subject: str, body: Body | None, rest: str, squash_body: str) -> bool:
    """Whether a message says it of itself: not in code, not of a commit that it lists, not in the title that a revert quotes."""
    quotes = body is not None and body.revert_depth > 0
    return (not quotes and _SKIP.search(subject) is not None) or bool(
        _SKIP.search(own_text(rest, squash_body=squash_body))
    )
