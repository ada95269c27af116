"""docs/RELEASES.md says what is: template variables, options, exit codes of its tables, and the example of the notes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from pipelines.manifest.release import Release
from release.changelog.contributors import Contributor
from release.changelog.credits import Credits
from release.changelog.entries import PrintedEntry, Printer
from release.changelog.migrations import Migration
from release.changelog.notes import NotesData, notes
from release.changelog.rendering import write
from release.changelog.sections import Section
from release.commands.cli import COMMANDS, command
from release.commands.next import to_json
from release.context import ReleaseContext
from release.versions.rules import Rules
from tests.release import example
from tests.release.histories import line, make

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "RELEASES.md").read_text()
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

    notes(SECTION, Credits(), (), NotesData(), fill=fill, printer=Printer(), order=())
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
    assert set(re.findall(r"`(\w+)`", line[1])) == set(PrintedEntry._fields)
    assert "each with `name`, `commits`, `first`, `pull`" in GUIDE
    assert Contributor._fields == ("name", "commits", "first", "pull")
    assert Migration._fields == ("name", "kind", "risk", "summary")
    assert "each with `name`, `kind`, `risk`, `summary`" in GUIDE


def test_guide__keys_of_next_as_json(tmp_path: Path) -> None:
    make(tmp_path, line("feat: a", "fix: b"), tags={"v1.0.0": 0})
    repository = ReleaseContext(folder=tmp_path, environ={}).repository
    found = to_json(repository.decide(), repository.rules)
    assert table("key of `next --json`") == set(found)
    each = re.search(r"newest first; each with (.*?) in the notes", GUIDE)
    assert each is not None
    assert set(re.findall(r"`(\w+)`", each[1])) == set(found["commits"][0])


def test_guide__options_it_names_exist() -> None:
    options = {option for name in COMMANDS for option in _options(name)}
    own = re.findall(r"`((?:--|shipmate release )[^`\n]*)`", GUIDE)
    assert {option for span in own for option in re.findall(r"--[a-z-]+", span)} <= options | {"--help"}
    for text in ("bump --check", "changelog --check", "changelog --prereleases"):
        name, _, option = text.partition(" ")
        assert f"shipmate release {text}" in GUIDE
        assert option in _options(name)


def _options(name: str) -> set[str]:
    found = command.get_command(click.Context(command), name)
    assert found is not None
    return {option for parameter in found.params for option in parameter.opts}


def test_guide__notes_are_those_the_engine_writes(tmp_path: Path) -> None:
    assert example.shown(GUIDE) == example.write(tmp_path), "python -m tests.release.example writes them anew"


def test_guide__commands() -> None:
    named = set(re.findall(r"shipmate release (\w+)", GUIDE))
    assert named == set(COMMANDS)
