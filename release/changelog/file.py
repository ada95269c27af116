"""CHANGELOG.md as a file people edit: what they wrote stays, what is missing is added.

- A section that stands in the file is kept byte for byte; so is everything that is no section. Only missing releases are added.
- The section of a release being prepared grows with the commits. Left as generated, it is written anew; edited by a person, it keeps
  every word and gets only the entries that were not there when it was generated: a line someone took out does not come back.
- When nothing is to be released any more, a section that was prepared goes, unless a person edited it.
- Generated sections stand below one called Unreleased.
- `rewrite` generates all sections anew that nobody edited (after a template changed).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from release.changelog.entries import PrintedEntry
from release.changelog.headings import Heading, section_headings
from release.changelog.rendering import PREAMBLE, Marker, RenderedSection, fingerprint, read_marker

_UNRELEASED = re.compile(r"\[?unreleased\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)(?![\w])")


@dataclass(frozen=True)
class FileSection:
    """A heading and what is below it, as it stands in the file."""

    text: str
    heading: str = ""
    """The line or lines of the heading, with what stands above it and belongs to it."""
    title: str = ""
    versions: tuple[str, ...] = ()
    """Those that the heading names."""
    marker: Marker | None = None
    body: str = ""
    """What is below heading and marker; empty without a marker."""

    @property
    def edited(self) -> bool:
        return self.marker is None or fingerprint(self.body) != self.marker.fingerprint

    @property
    def preparing(self) -> bool:
        return self.marker is not None and self.marker.keys is not None

    @property
    def ids(self) -> tuple[str, ...]:
        """What it is found by: the tag of its marker, else the versions of its heading."""
        return (self.marker.tag,) if self.marker else self.versions


def merge(
    existing: str,
    generated: Sequence[RenderedSection],
    tags: set[str],
    *,
    rewrite: bool = False,
    over: bool = False,
    warn: Callable[[str], None] = lambda _: None,
) -> str:
    """The file with what is missing. `generated`: every section, newest first; `tags`: releases that are out; `over`: nothing is to be
    released, so nothing is being prepared. `warn` is called with what only a person can take out."""
    if not existing.strip():
        return "\n".join([PREAMBLE, *(each.text for each in generated)])
    head, sections = split(existing)
    sections = [section for section in sections if not over or not _is_over(section, tags, warn)]
    found = {name: place for place, section in enumerate(sections) for name in section.ids}
    stale = _stale(sections, generated, tags)
    after = next((at for at, section in enumerate(sections) if not _UNRELEASED.match(section.title)), len(sections))
    for written in generated:
        place = found.get(written.marker.tag, found.get(_number(written)))
        if place is None and written.marker.keys is not None:
            place = stale
        if place is None:
            sections.insert(after, _generated(written, "\n"))
            found = {key: at + (at >= after) for key, at in found.items()}
            stale = stale + 1 if stale is not None and stale >= after else stale
            after += 1
            continue
        sections[place] = _renewed(sections[place], written, rewrite=rewrite, warn=warn)
        after = max(after, place + 1)
    return _joined(head, sections)


def split(text: str) -> tuple[str, list[FileSection]]:
    """What comes before the first section, and the sections."""
    lines = StringIO(text, newline="\n").readlines()
    found = list(section_headings([line.rstrip("\r\n") for line in lines]))
    starts = [*(heading.start for heading in found), len(lines)]
    sections = [_section(lines, heading, end) for heading, end in zip(found, starts[1:], strict=True)]
    return "".join(lines[: starts[0]]), sections


def _section(lines: Sequence[str], heading: Heading, end: int) -> FileSection:
    """A marker stands directly below the heading; a formatter may have put blank lines between."""
    below = next((at for at in range(heading.end, end) if lines[at].strip()), end)
    marker = read_marker(lines[below]) if below < end else None
    return FileSection(
        text="".join(lines[heading.start : end]),
        heading="".join(lines[heading.start : heading.end]).rstrip("\n"),
        title=heading.title,
        versions=heading.versions,
        marker=marker,
        body="".join(lines[below + 1 : end]) if marker is not None else "",
    )


def _generated(written: RenderedSection, trailing: str = "") -> FileSection:
    return FileSection(f"{written.text}{trailing}", written.heading, marker=written.marker, body=written.body)


def _number(written: RenderedSection) -> str:
    """The version in a generated heading: how sections written by hand are recognized."""
    found = _NUMBER.search(written.heading)
    return found[1] if found else ""


def _stale(sections: Sequence[FileSection], generated: Sequence[RenderedSection], tags: set[str]) -> int | None:
    """The section prepared for a version that became another one (a feature came in: 1.2.1 is now 1.3.0)."""
    known = {written.marker.tag for written in generated}
    for place, section in enumerate(sections):
        if section.preparing and section.marker and section.marker.tag not in known | tags:
            return place
    return None


def _is_over(section: FileSection, tags: set[str], warn: Callable[[str], None]) -> bool:
    """Whether a section was prepared for a release that does not come any more, and nobody edited it."""
    if not section.preparing or section.marker is None or section.marker.tag in tags:
        return False
    if section.edited:
        warn(f"{section.marker.tag} does not come any more, but its section was edited: take it out by hand")
    return not section.edited


def _renewed(
    section: FileSection, written: RenderedSection, *, rewrite: bool, warn: Callable[[str], None]
) -> FileSection:
    if section.preparing and section.marker is not None:
        if (
            set(section.marker.keys or ()) == set(written.keys)
            and section.marker.tag == written.marker.tag
            and not rewrite
        ):
            return section
        return _grown(section, written, section.marker, warn) if section.edited else _as_generated(section, written)
    return _as_generated(section, written) if rewrite and not section.edited else section


def _as_generated(section: FileSection, written: RenderedSection) -> FileSection:
    trailing = "\n" if section.text.endswith("\n\n") else ""
    return _generated(written, trailing)


def _grown(section: FileSection, written: RenderedSection, marker: Marker, warn: Callable[[str], None]) -> FileSection:
    """An edited section with the entries that are new since it was generated, and the heading of today."""
    known = set(marker.keys or ())
    for gone in sorted(known.difference(written.keys)):
        warn(
            f"{gone} is not part of {written.marker.tag} any more, but its section was edited: take its line out by hand"
        )
    body = section.body
    order = [group.title for group in written.groups]
    for group in written.groups:
        fresh = [line for line in group.lines if line.commit[:9] not in known]
        if fresh:
            body = _with_lines(body, group.title, fresh, order)
    grown = marker._replace(tag=written.marker.tag, keys=written.keys)
    heading = written.heading if marker.tag != written.marker.tag else section.heading
    return FileSection(f"{heading}\n{grown}\n{body}", heading, marker=grown, body=body)


def _with_lines(body: str, title: str, lines: Sequence[PrintedEntry], order: Sequence[str]) -> str:
    """Add items at the end of the group's list; where there is no such group, with its heading before the groups that follow it."""
    added = [line.item for line in lines]
    rows = body.rstrip("\n").split("\n")
    tail = "\n" if body.endswith("\n\n") else ""
    start = next((at for at, row in enumerate(rows) if row.rstrip() == f"### {title}"), None)
    if start is None:
        later = {f"### {other}" for other in order[order.index(title) + 1 :]}
        at = next((at for at, row in enumerate(rows) if row.rstrip() in later), None)
        if at is None:
            return "\n".join([*rows, "", f"### {title}", "", *added, ""]) + tail
        return "\n".join([*rows[:at], f"### {title}", "", *added, "", *rows[at:], ""]) + tail
    end = next((at for at in range(start + 1, len(rows)) if rows[at].startswith("#")), len(rows))
    while end > start + 1 and not rows[end - 1].strip():
        end -= 1
    gap = [""] if end == start + 1 else []
    return "\n".join([*rows[:end], *gap, *added, *rows[end:], ""]) + tail


def with_line_ends(text: str, before: str) -> str:
    """A text, which ends its lines with \\n, as the file `before` ends them: where that has both kinds, each line as it was there."""
    windows, all_ends = before.count("\r\n"), before.count("\n")
    if not windows or windows == all_ends:
        return text.replace("\n", "\r\n") if windows else text
    from difflib import SequenceMatcher

    old, new = before.splitlines(keepends=True), text.splitlines(keepends=True)
    matcher = SequenceMatcher(None, [row.replace("\r\n", "\n") for row in old], new, autojunk=False)
    for at, start, count in matcher.get_matching_blocks():
        new[start : start + count] = old[at : at + count]
    return "".join(new)


def replace(file: Path, content: bytes) -> None:
    """Write a file whole or not at all: beside it, then in its place, with its rights. Raises OSError."""
    target = file.resolve()
    beside = target.with_name(f".{target.name}.part")
    try:
        beside.write_bytes(content)
        if target.exists():
            shutil.copymode(target, beside)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _joined(head: str, sections: Sequence[FileSection]) -> str:
    """One blank line between sections, one line break at the end; nothing else is touched."""
    texts = [section.text for section in sections]
    for place in range(len(texts) - 1):
        if not texts[place].endswith("\n\n"):
            texts[place] = texts[place].rstrip("\n") + "\n\n"
    if texts:
        texts[-1] = texts[-1].rstrip("\n") + "\n"
    if head and texts and not head.endswith("\n\n"):
        head = head.rstrip("\n") + "\n\n"
    return head + "".join(texts)
