"""CHANGELOG.md: a section for each release, written for the people who use it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from release.changelog.entries import Group, Printer
from release.changelog.markdown import Safe, link
from release.changelog.sections import Section

PREAMBLE = """\
# Changelog

What changed for those who use it. Versions follow [Semantic Versioning](https://semver.org/).
"""
_MARKER = re.compile(
    r"^<!-- shipmate (?P<tag>\S+) (?P<print>[0-9a-f]{16})(?: pending(?P<keys>(?: [0-9a-f]{9})*))? -->$"
)


class Marker(NamedTuple):
    """The comment below a heading: what was generated, so that what a person changed can be distinguished from it."""

    tag: str
    fingerprint: str
    keys: tuple[str, ...] | None
    """Short ids of the commits it lists while its release is being prepared; None once it is out."""

    def __str__(self) -> str:
        pending = "" if self.keys is None else "".join((" pending", *(f" {key}" for key in self.keys)))
        return f"<!-- shipmate {self.tag} {self.fingerprint}{pending} -->"


class RenderedSection(NamedTuple):
    """A section as text."""

    heading: str
    marker: Marker
    body: str
    groups: Sequence[Group]

    @property
    def keys(self) -> tuple[str, ...]:
        """Short ids of the commits listed."""
        return _keys(self.groups)

    @property
    def text(self) -> str:
        return f"{self.heading}\n{self.marker}\n{self.body}"


def write(
    sections: Iterable[Section],
    fill: Callable[[dict[str, Any]], str],
    printer: Printer,
    order: Sequence[str],
) -> Iterator[RenderedSection]:
    """Each section by the template `fill`; `order` are the headings in their order."""
    for section in sections:
        groups = printer.groups(section.grouped(order))
        title = _title(section, printer)
        values = {
            "title": title,
            "version": section.version,
            "tag": section.tag,
            "date": section.date,
            "previous": section.previous.tag if section.previous else "",
            "groups": groups,
            "pending": section.pending,
        }
        heading, _, body = fill(values).strip("\n").partition("\n")
        body += "\n"
        marker = Marker(section.tag, fingerprint(body), _keys(groups) if section.pending else None)
        yield RenderedSection(heading, marker, body, groups)


def _keys(groups: Sequence[Group]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry.commit.short for group in groups for entry in group.entries))


def read_marker(line: str) -> Marker | None:
    found = _MARKER.match(line.rstrip())
    if found is None:
        return None
    keys = found["keys"]
    return Marker(found["tag"], found["print"], None if keys is None else tuple(keys.split()))


def fingerprint(body: str) -> str:
    """Says whether a body is as it was written; blank lines and spaces at the end of lines, which formatters change, do not count."""
    text = "\n".join(line.rstrip() for line in body.split("\n") if line.strip())
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _title(section: Section, printer: Printer) -> Safe:
    """The version, linked to the comparison with the release before it, or to the release when it is the first."""
    web = printer.web
    if not web.repository:
        return Safe(section.version)
    url = web.compare(section.previous.tag, section.tag) if section.previous else web.release(section.tag)
    return link(section.version, url)
