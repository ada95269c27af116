from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.ci.findings import Finding, Reader, places


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("pipelines/a.py", "apps/web/src/App.tsx", "apps/web/tests/app.test.ts", "with space.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x\n")
    return tmp_path


def read(root: Path, *lines: str) -> list[Finding]:
    reader = Reader(root, ["apps/web"])
    for line in lines:
        reader.read(line)
    return reader.findings


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "pipelines/a.py:1:8: F401 [*] `os` imported but unused",
            ("pipelines/a.py", 1, "F401", "[*] `os` imported but unused"),
        ),
        (
            "pipelines/a.py:3:1: invalid-syntax: Expected an expression",
            ("pipelines/a.py", 3, "invalid-syntax", "Expected an expression"),
        ),
        ("with space.py:2:1: E501 Line too long", ("with space.py", 2, "E501", "Line too long")),
        (
            "pipelines/a.py:4: error: Incompatible types  [assignment]",
            ("pipelines/a.py", 4, "assignment", "Incompatible types"),
        ),
        ("pipelines/a.py:4:9: error: No such thing", ("pipelines/a.py", 4, "", "No such thing")),
        (
            "src/App.tsx(3,5): error TS2322: Type 'a' is not 'b'.",
            ("apps/web/src/App.tsx", 3, "TS2322", "Type 'a' is not 'b'."),
        ),
        ("Would reformat: pipelines/a.py", ("pipelines/a.py", 0, "", "Would reformat")),
        ("\x1b[1mpipelines/a.py:1:8: F401 unused\x1b[0m", ("pipelines/a.py", 1, "F401", "unused")),
    ],
)
def test_lines_of_tools(root: Path, line: str, expected: tuple[str, int, str, str]) -> None:
    file, number, title, message = expected
    assert read(root, line) == [Finding(file=file, line=number, title=title, message=message)]


@pytest.mark.parametrize(
    "line",
    [
        "pipelines/a.py:4: note: see elsewhere",
        "pipelines/missing.py:1:8: F401 unused",
        "../outside.py:1:8: F401 unused",
        "/etc/passwd:1:8: F401 unused",
        "12:30:11: E501 is the time",
        "::error::a test printed this",
        "::error file=../../etc/passwd,line=1::no",
        "pipelines/a.py:1:8: F401 " + "x" * 5000,
        "",
    ],
)
def test_other_lines_are_only_text(root: Path, line: str) -> None:
    (root.parent / "outside.py").write_text("x")
    assert read(root, line) == []


def test_what_a_reporter_wrote_for_github(root: Path) -> None:
    line = "::error file=tests/app.test.ts,title=app%3A opens,line=5,column=3::expected 1%0Agot 2"
    expected = Finding(file="apps/web/tests/app.test.ts", line=5, title="app: opens", message="expected 1\ngot 2")
    assert read(root, line) == [expected]


def test_an_absolute_name_is_made_relative(root: Path) -> None:
    assert read(root, f"{root}/pipelines/a.py:1:8: F401 unused")[0].file == "pipelines/a.py"


def test_the_same_complaint_counts_once_and_there_is_an_end(root: Path) -> None:
    assert len(read(root, *["pipelines/a.py:1:8: F401 unused"] * 3)) == 1
    assert len(read(root, *(f"pipelines/a.py:{n}:8: F401 unused" for n in range(500)))) == 200


def test_places_of_a_stack_trace_are_those_of_our_files(root: Path) -> None:
    text = f"""
      at run (node:internal/x:1:1)
      at fail (file://{root}/apps/web/src/App.tsx:7:3)
      ❯ tests/app.test.ts:5:13
      node_modules/vitest/x.js:1:2
    """
    found = list(places(text, Reader(root, ["apps/web"])))
    assert found == [("apps/web/src/App.tsx", 7), ("apps/web/tests/app.test.ts", 5)]
