"""Release notes: what a release brings, who made it, what it deploys, what it does to the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from release.changelog.contributors import Contributor
from release.changelog.credits import Credits
from release.changelog.entries import Group, Printer
from release.changelog.markdown import Safe, escape, link
from release.changelog.migrations import Migration
from release.changelog.sections import Section
from release.versions.rules import BREAKING

_COUNTED = {
    BREAKING: ("breaking change", "breaking changes"),
    "Features": ("feature", "features"),
    "Fixes": ("fix", "fixes"),
}


@dataclass(frozen=True, kw_only=True)
class NotesData:
    """What a release carries beside its commits."""

    deploys: Mapping[str, str] = field(default_factory=dict)
    """Component -> digest of its image; that of a web build is one, too."""
    migrations: Sequence[Migration] = ()
    checksums: Mapping[str, str] = field(default_factory=dict)
    """File name -> SHA-256, hexadecimal."""
    highlights: Sequence[str] = ()
    """Written by a person; those in commits (`Highlight:` footers) come with the section."""


def notes(
    section: Section,
    credits: Credits,
    contributors: Sequence[Contributor],
    data: NotesData,
    *,
    fill: Callable[[dict[str, Any]], str],
    printer: Printer,
    order: Sequence[str],
) -> str:
    """The notes by the template `fill`. docs/RELEASES.md lists what a template is given; a test holds the list."""
    groups = printer.groups(section.grouped(order))
    web = printer.web
    previous = section.previous.tag if section.previous else ""
    filled = fill(
        {
            "version": section.version,
            "tag": section.tag,
            "date": section.date,
            "commit": section.commit,
            "commit_link": link(section.commit[:9], web.commit(section.commit)),
            "previous": previous,
            "compare": Safe(web.compare(previous, section.tag)) if previous else Safe(""),
            "summary": summary(section, groups),
            "highlights": highlights(section, data.highlights),
            "groups": groups,
            "contributors": contributors,
            "first_time": [each for each in contributors if each.first],
            "deploys": sorted(data.deploys.items()),
            "migrations": data.migrations,
            "checksums": sorted(data.checksums.items()),
            "lacks": credits.lacks,
        }
    )
    return tidy(filled)


def highlights(section: Section, given: Sequence[str]) -> list[Safe]:
    """What a person wrote for this release, then the `Highlight:` footers of its commits."""
    found = [escape(text) for text in given]
    for verdict in section.own:
        body = verdict.commit.message.body
        if body is not None and verdict.entries:
            found += [escape(text) for text in body.highlights]
    return list(dict.fromkeys(found))


def summary(section: Section, groups: Sequence[Group]) -> str:
    """`1 breaking change, 3 features, 5 fixes and 4 other changes since v1.1.0.`"""
    parts: list[str] = []
    others = 0
    for group in groups:
        count = len(group.entries)
        if group.title in _COUNTED:
            parts.append(f"{count} {_COUNTED[group.title][count != 1]}")
        else:
            others += count
    hidden = sum(not any(entry.group for entry in verdict.entries) for verdict in section.own)
    if others:
        parts.append(f"{others} other change{'s' * (others != 1)}")
    if hidden:
        parts.append(f"{hidden} internal change{'s' * (hidden != 1)}")
    text = " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]])) or "no changes"
    return f"{text[0].upper()}{text[1:]}{f' since {section.previous.tag}' if section.previous else ''}."


def tidy(text: str) -> str:
    """No run of blank lines, one line break at the end: parts that are empty leave no gap."""
    lines: list[str] = []
    for line in text.strip().split("\n"):
        if line.strip() or (lines and lines[-1]):
            lines.append(line.rstrip())
    return "\n".join(lines) + "\n"
