"""docs/RELEASES.md says what is: template variables, options, exit codes of its tables, and the example of the notes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pipelines.manifest.release import Release
from release.changelog import write
from release.cli import COMMANDS
from release.contributors import Contributor
from release.entries import Rules
from release.lines import Line, Printer
from release.lookup import Credits
from release.migrations import Migration
from release.notes import Carried, notes
from release.sections import Section

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "RELEASES.md").read_text()
SECTION = Section("1.0.0", "v1.0.0", "a" * 40, 1_700_000_000, None, ())


def table(title: str) -> set[str]:
    """The names in the first column of the table whose header is `title`."""
    rows = GUIDE.split(f"| {title} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_guide__variables_of_the_notes() -> None:
    given: dict[str, Any] = {}

    def fill(values: dict[str, Any]) -> str:
        given.update(values)
        return ""

    notes(SECTION, Credits(), (), Carried(), fill=fill, printer=Printer(), order=())
    assert table("in `notes`") == set(given)


def test_guide__variables_of_the_changelog() -> None:
    given: dict[str, Any] = {}

    def fill(values: dict[str, Any]) -> str:
        given.update(values)
        return "## x"

    list(write([SECTION], fill, Printer(), Rules(Release()).groups))
    assert table("in `changelog`") == set(given)


def test_guide__what_things_have() -> None:
    line = re.search(r"A line has (.*?), and `item`", GUIDE, re.DOTALL)
    assert line is not None
    assert set(re.findall(r"`(\w+)`", line[1])) == set(Line._fields)
    assert "each with `name`, `commits`, `first`, `pull`" in GUIDE
    assert Contributor._fields == ("name", "commits", "first", "pull")
    assert Migration._fields == ("name", "kind", "risk", "summary")
    assert "each with `name`, `kind`, `risk`, `summary`" in GUIDE


def test_guide__commands() -> None:
    named = set(re.findall(r"shipmate release (\w+)", GUIDE))
    assert named == set(COMMANDS)
