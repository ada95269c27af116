"""Commit messages: Conventional Commits 1.0 headers, footers, squashed bodies, merges and reverts.

The header decides. A body is searched for what it may add; what cannot be read there becomes a warning and costs nothing else.
Source: conventionalcommits.org/en/v1.0.0 (the numbers below are its rules).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from release.bodies import Body, read_body, read_coauthors, reverted_by, search_body

# Rules 1, 4, 5, 13: type, optional scope, optional !, colon and space, description.
_HEADER = re.compile(r"([^\W\d_][\w-]*)(?:\(([^()\r\n]*)\))?(!)?:[ \t]+(\S.*)")
_NEARLY = re.compile(r"([^\W\d_][\w-]*)(?:\(([^()\r\n]*)\))?(!)?:(\S.*)")
_MERGE = re.compile(
    r"Merge pull request #(?P<github>\d+) from |Merged PR (?P<azure>\d+): (?P<title>.*)"
    r"|Merged in .* \(pull request #(?P<bitbucket>\d+)\)|Merge (?:branch|remote-tracking branch|tag|commit|branches) "
)
_GITLAB = re.compile(r"^See merge request \S*!(\d+)\s*$", re.MULTILINE)
_SKIP = re.compile(r"\[(?:skip release|release skip|no release)\]", re.IGNORECASE)


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


def parse(text: str, *, squash_body: str = "commit-messages") -> Message:
    """Read a message. Never fails: whatever is odd is in `warnings`.

    `squash_body` is the repository's setting for squash merges: commit-messages, pull-request-body or blank.
    """
    subject, _, rest = text.lstrip().partition("\n")
    subject = subject.rstrip()
    pulls: tuple[int, ...] = ()
    if subject.endswith(")"):
        subject, pulls = cut_pulls(subject)
    header, warnings = read_header(subject)
    merge = _merge(subject, rest) if subject.startswith("Merge") else None
    body = None
    if search_body(rest, subject):
        body = _body(subject, header, rest, squash_body)
        warnings += body.warnings
    coauthors = read_coauthors(rest) if "uthored-by:" in rest else ()
    if "\ufffd" in text:
        warnings += ("it is not valid UTF-8; odd bytes are shown as \ufffd",)
    # What a revert quotes is not said by its author.
    said = rest if body is not None and body.revert_depth else text
    skip = "[" in said and _SKIP.search(said) is not None
    return Message(subject, header, pulls, skip, merge, body, coauthors, warnings)


def read_header(subject: str) -> tuple[Header | None, tuple[str, ...]]:
    """A Conventional header or None, with what is nearly right about it."""
    found = _HEADER.fullmatch(subject)
    if found is not None:
        kind, scope, mark, description = found.groups()
        return Header(kind.lower(), scope.strip() if scope else "", mark is not None, description.rstrip()), ()
    nearly = _NEARLY.fullmatch(subject) if ":" in subject else None
    if nearly is not None and not subject.startswith(("http:", "https:")):
        return None, (f"{nearly[1]!r} looks like a type, but a space is missing after its colon (rule 1)",)
    return None, ()


def cut_pulls(subject: str) -> tuple[str, tuple[int, ...]]:
    """`fix: x (#3) (#7)` -> ("fix: x", (3, 7))."""
    pulls: tuple[int, ...] = ()
    while subject.endswith(")"):
        start = subject.rfind("(")
        number = subject[start + 2 : -1]
        if start < 0 or subject[start + 1 : start + 2] not in ("#", "!") or not (number.isascii() and number.isdigit()):
            break
        pulls = (int(number), *pulls)
        subject = subject[:start].rstrip()
    return subject, pulls


def _merge(subject: str, rest: str) -> Merge | None:
    found = _MERGE.match(subject)
    if found is None:
        return None
    number = int(found["github"] or found["azure"] or found["bitbucket"] or 0)
    if found["title"]:
        return Merge(number, found["title"].strip())
    first = next((line.strip() for line in rest.splitlines() if line.strip()), "")
    if not number and (gitlab := _GITLAB.search(rest)):
        number = int(gitlab[1])
        first = "" if first.startswith("See merge request") else first
    return Merge(number, first if number else "")


def _body(subject: str, header: Header | None, rest: str, squash_body: str) -> Body:
    body = read_body(rest, squash_body=squash_body)
    reverted = reverted_by(subject, header.type if header else "", header.description if header else "")
    return body._replace(revert_of=reverted[0], revert_title=reverted[1], revert_depth=reverted[2])
