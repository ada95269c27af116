"""The texts of changelog and notes where a team has no templates of its own; docs/templates has the same as Jinja2, to begin one with.

In Python, because Jinja2 alone takes longer to be imported than the notes of a release to be written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from release.changelog.markdown import cell, code, finalize
from release.changelog.migrations import Migration


def changelog(values: Mapping[str, Any]) -> str:
    """One section. `values`: as a template is given them (docs/RELEASES.md)."""
    heading = f"## {finalize(values['title'])} ({finalize(values['date'])})\n"
    groups = [f"\n### {finalize(group.title)}\n\n{finalize(group.text)}\n" for group in values["groups"]]
    return heading + ("".join(groups) or "\nNothing that users would notice.\n")


def notes(values: Mapping[str, Any]) -> str:
    """The notes of a release. `values`: as a template is given them (docs/RELEASES.md)."""
    compare, lacks = values["compare"], values["lacks"]
    blocks = [
        finalize(values["summary"]),
        _block("Highlights", [f"- {finalize(highlight)}" for highlight in values["highlights"]]),
        *(_block(finalize(group.title), [finalize(group.text)]) for group in values["groups"]),
        _block("Database migrations", _migrations(values["migrations"])),
        _block("What it deploys", [f"- {finalize(name)}: {code(what)}" for name, what in values["deploys"]]),
        _block("Contributors", _contributors(values)),
        _block("Checksums (SHA-256)", _checksums(values["checksums"])),
        f"**All changes:** {finalize(compare)}" if compare else "",
        "\n".join(f"> These notes lack {finalize(lack)}." for lack in lacks),
    ]
    return "\n\n".join(filter(None, blocks))


def _block(title: str, lines: list[str]) -> str:
    """A heading and what stands below it; nothing where that is nothing."""
    return "\n".join([f"## {title}", "", *lines]) if lines else ""


def _table(first: list[str], rows: list[str]) -> list[str]:
    return [f"| {' | '.join(first)} |", "|" + "---|" * len(first), *rows] if rows else []


def _migrations(migrations: Sequence[Migration]) -> list[str]:
    rows = [f"| {code(each.name)} | {finalize(each.kind)} | {cell(each.risk)} |" for each in migrations]
    return _table(["migration", "kind", "what it means"], rows)


def _checksums(checksums: Sequence[tuple[str, str]]) -> list[str]:
    return _table(["file", "SHA-256"], [f"| {code(name)} | {code(digest)} |" for name, digest in checksums])


def _contributors(values: Mapping[str, Any]) -> list[str]:
    """All of them in one line, and those who are new."""
    if not values["contributors"]:
        return []
    names = ", ".join(finalize(each.name) for each in values["contributors"])
    new = [
        f"- {finalize(each.name)} made their first contribution{f' in #{each.pull}' if each.pull else ''}"
        for each in values["first_time"]
    ]
    return [names, *(["", *new] if new else [])]
