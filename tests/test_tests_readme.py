"""What the README of the tests names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
README = (FOLDER / "README.md").read_text()


def named() -> list[tuple[str, str]]:
    """(file, test) of every `file.py::test`; `::test` alone is of the file before it in its line."""
    found = []
    for line in README.splitlines():
        file = ""
        for path, test in re.findall(r"`([\w/]+\.py)?(?:::(\w+))?`", line):
            file = path or file
            if file:
                found.append((file, test))
    return found


@pytest.mark.parametrize(("file", "test"), named())
def test_what_is_named_is_there(file: str, test: str) -> None:
    text = (FOLDER / file).read_text()
    assert not test or f"def {test}(" in text


def test_every_item_has_a_test() -> None:
    table = README.partition("## Bad input")[2]
    rows = [row for row in table.splitlines() if row.startswith("| ") and not row.startswith("| what")]
    assert len(rows) >= 18
    assert all(".py" in row or "the same" in row for row in rows)
    assert len(named()) > 30
