from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.ci import junit
from pipelines.ci.findings import Finding, Reader


def read(root: Path, since: float = 0.0) -> tuple[junit.Tests, list[Finding]]:
    return junit.read(root, ["reports/*.xml"], since, Reader(root, ["apps/web"]))


def write(root: Path, text: str, name: str = "r.xml") -> Path:
    (root / "reports").mkdir(exist_ok=True)
    (root / "reports" / name).write_text(text)
    return root / "reports" / name


def test_a_real_report_of_pytest_points_at_the_line(tmp_path: Path) -> None:
    test = tmp_path / "suite" / "test_sums.py"
    test.parent.mkdir()
    test.write_text("""
def check(a):
    assert a == 3

class TestSums:
    def test_wrong(self):
        check(2)

def test_right():
    pass

def test_skipped():
    import pytest
    pytest.skip("not here")
""")
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=reports/r.xml", "suite"]
    subprocess.run(argv, cwd=tmp_path, check=False, capture_output=True, env={**os.environ, "PYTEST_ADDOPTS": ""})
    tests, findings = read(tmp_path)
    assert tests == junit.Tests(ran=2, failed=1, skipped=1, files=1)
    assert [(one.file, one.line) for one in findings] == [("suite/test_sums.py", 3)]
    assert findings[0].title == "TestSums › test_wrong"
    assert "assert 2 == 3" in findings[0].message


def test_vitest_names_its_files_below_the_project(tmp_path: Path) -> None:
    (tmp_path / "apps/web/tests").mkdir(parents=True)
    (tmp_path / "apps/web/tests/a.test.ts").write_text("x")
    write(
        tmp_path,
        """<testsuites><testsuite name="tests/a.test.ts"><testcase classname="tests/a.test.ts" name="sums">
        <failure message="expected 1 to be 2">AssertionError: expected 1 to be 2
 ❯ tests/a.test.ts:5:13
        </failure></testcase></testsuite></testsuites>""",
    )
    assert read(tmp_path)[1] == [
        Finding(file="apps/web/tests/a.test.ts", line=5, title="sums", message="expected 1 to be 2")
    ]


def test_node_names_no_file_but_its_trace_does(tmp_path: Path) -> None:
    (tmp_path / "a.test.mjs").write_text("x")
    trace = f"cause: AssertionError\n at TestContext.x (file://{tmp_path}/a.test.mjs:4:10)\n at Test.run (node:internal/test:7:2)"
    write(
        tmp_path,
        f'<testsuites><testcase name="sums" classname="test"><failure message="1 !== 2">{trace}</failure></testcase></testsuites>',
    )
    assert read(tmp_path)[1] == [Finding(file="a.test.mjs", line=4, title="sums", message="1 !== 2")]


def test_the_line_in_the_test_comes_before_one_in_the_code_it_calls(tmp_path: Path) -> None:
    for name in ("test_a.py", "code.py"):
        (tmp_path / name).write_text("x")
    trace = "test_a.py:3: in test_a\ncode.py:9: ValueError"
    write(
        tmp_path,
        f'<testsuite><testcase classname="test_a" name="t"><error message="m">{trace}</error></testcase></testsuite>',
    )
    assert (read(tmp_path)[1][0].file, read(tmp_path)[1][0].line) == ("test_a.py", 3)


def test_a_failure_without_a_place_keeps_its_words(tmp_path: Path) -> None:
    write(tmp_path, '<testsuite><testcase name="t"><failure>it broke</failure></testcase></testsuite>')
    assert read(tmp_path)[1] == [Finding(file="", line=0, title="t", message="it broke")]


def test_a_report_of_an_earlier_run_is_not_read(tmp_path: Path) -> None:
    file = write(tmp_path, '<testsuite><testcase name="t"/></testsuite>')
    os.utime(file, (time.time() - 60, time.time() - 60))
    assert read(tmp_path, since=time.time())[0] == junit.Tests()


@pytest.mark.parametrize("text", ["", "no xml", '<testsuite><testcase name="good"/><testcase name="cut'])
def test_a_damaged_report_is_a_failure(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    tests, findings = read(tmp_path)
    assert tests.failed == 1
    assert "cannot be read" in findings[0].message


def test_an_entity_bomb_does_not_explode(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 20}">' for n in range(1, 12))
    write(
        tmp_path,
        f'<!DOCTYPE x [<!ENTITY e0 "boom">{entities}]><testsuite><testcase name="t">&e11;</testcase></testsuite>',
    )
    assert read(tmp_path)[0].failed == 1


def test_no_report_is_no_test(tmp_path: Path) -> None:
    assert read(tmp_path) == (junit.Tests(), [])
