from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ci.needs import Needs, parse
from pipelines.ci.report import LARGEST, Run, markdown
from pipelines.ci.tables import cell, code, duration, table
from tests.pipelines.ci import needs_of

RUN = Run(
    number=12,
    attempt=1,
    commit="0123456789abcdef",
    url="https://github.example/shop/shop/actions/runs/1",
    links={"Lint": "https://github.example/job/5"},
)
PLAN = {"lint": "", "tests": "", "site": "nothing that site depends on changed"}
Making = Callable[..., Needs]


@pytest.fixture
def needs(tmp_path: Path) -> Making:
    """The results that the checks uploaded, and the conclusions of their jobs."""

    def make(entry: dict[str, Any] | None = None, **ended: str) -> Needs:
        found = needs_of.needs(tmp_path, PLAN, check="failure" if ended else "success", uploaded=entry)
        return dataclasses.replace(found, ended={"Lint": "success", "Tests": "success", **ended})

    return make


def test_a_green_report(needs: Making) -> None:
    text = markdown(
        needs({"lint": {"seconds": 3.21}, "tests": {"seconds": 65, "tests": {"ran": 41, "failed": 0, "skipped": 2}}}),
        RUN,
    )
    assert text.splitlines() == [
        "### ✅ CI: 2 checks passed, 1 not affected",
        "",
        "Commit `0123456` · [run 12](https://github.example/shop/shop/actions/runs/1)",
        "",
        "| check |  | time |  |",
        "|---|---|---|---|",
        "| [Lint](https://github.example/job/5) | ✅ passed | 3.2 s |  |",
        "| Tests | ✅ passed | 1 min 05 s | 41 passed, 2 skipped |",
        "| Site | ➖ skipped |  | `nothing that site depends on changed` |",
    ]


def test_a_check_that_a_rehearsal_leaves_out_did_not_pass(needs: Making) -> None:
    found = needs()
    lacking = dataclasses.replace(found.decided[2], left_out=True, why="a rehearsal does not run it: 400 MB")
    text = markdown(dataclasses.replace(found, decided=(*found.decided[:2], lacking)), RUN)
    assert text.startswith("### ✅ CI: 2 checks passed, 1 not run in a rehearsal\n")
    assert "| Site | ➖ not run |  | `a rehearsal does not run it: 400 MB` |" in text


def test_a_failed_check_says_where_and_how_to_do_the_same(needs: Making) -> None:
    finding = {"file": "api/test_a.py", "line": 7, "title": "test_sum", "message": "assert 1 == 2\nmore"}
    values = {"tests": {"seconds": 2, "why": "pytest: exit code 1", "findings": [finding], "more": 3}}
    text = markdown(needs(values, Tests="failure"), RUN)
    assert text.startswith("### ❌ CI: 1 of 2 checks did not pass")
    assert "`api/test_a.py:7` `test_sum`\n\n```text\nassert 1 == 2\nmore\n```" in text
    assert "… and 3 more" in text
    assert "`shipmate ci run tests`" in text


def test_a_failure_without_a_place_shows_its_last_lines(needs: Making) -> None:
    values = {"tests": {"why": "make: exit code 2", "findings": [], "tail": ["cc: not found", "make: *** [all]"]}}
    assert "```text\ncc: not found\nmake: *** [all]\n```" in markdown(needs(values, Tests="failure"), RUN)


def test_a_job_that_failed_before_its_check_says_so(needs: Making) -> None:
    assert "| Tests | ❌ failed |  | before the check began: its log says why |" in markdown(
        needs(Tests="failure"), RUN
    )


def test_cancelled_and_missing_are_not_green(needs: Making) -> None:
    text = markdown(needs(Lint="cancelled", Tests="skipped"), RUN)
    assert "2 of 2 checks did not pass" in text
    assert "⚠️ cancelled" in text
    assert "⚠️ missing" in text


def test_a_plan_that_failed_is_reported_first() -> None:
    assert markdown(parse('{"plan": {"result": "failure"}}', Path("none")), RUN).startswith("### ❌ CI could not plan")


def test_a_report_fits_into_a_comment(needs: Making) -> None:
    finding = {"file": "a.py", "line": 1, "title": "t" * 200, "message": "m" * 9000}
    values = {"tests": {"why": "x", "findings": [finding] * 50}}
    text = markdown(needs(values, Tests="failure"), RUN)
    assert len(text) < LARGEST + 200
    assert "The rest is in [the run]" in text


def test_text_from_outside_cannot_leave_its_place(needs: Making) -> None:
    evil = "`` | @everyone </td> ![x](https://evil.example)\n::error::x\n```\n# Heading"
    finding = {"file": evil, "line": 1, "title": evil, "message": evil}
    text = markdown(needs({"tests": {"why": evil, "findings": [finding]}}, Tests="failure"), RUN)
    for line in text.splitlines():
        if "evil.example" in line:
            assert (line.startswith("`") and line.endswith("`")) or line == evil.splitlines()[0]
    assert "\n````text\n" in text


@given(st.text())
def test_a_code_span_is_one_cell_whatever_it_holds(text: str) -> None:
    span = code(text)
    assert "\n" not in span
    assert span.replace("\\|", "").count("|") == 0
    if span:
        fence = span[: len(span) - len(span.lstrip("`"))]
        assert span.endswith(fence)
        assert fence not in span[len(fence) : -len(fence)].replace(fence + "`", "")


def test_durations_are_short() -> None:
    assert [duration(x) for x in (0.04, 9.94, 12.4, 59.7, 125)] == [
        "0.0 s",
        "9.9 s",
        "12 s",
        "1 min 00 s",
        "2 min 05 s",
    ]


def test_a_table_cell_stays_on_its_line() -> None:
    assert table(("a",), [("x\ny",)]).splitlines()[-1] == "| x y |"


@pytest.mark.parametrize("text", ["Suite tests (Python 3.14)", "", "build-web"])
def test_plain_words_stay_words(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize("text", ["@everyone", "a | b", "[x](y)", "<img>", "http://evil.example", "*x*", "a\nb"])
def test_other_text_is_a_code_span(text: str) -> None:
    assert cell(text) == code(text) != text


def test_a_result_that_makes_no_sense_stops_no_report(needs: Making) -> None:
    junk = {"passed": False, "seconds": "x", "tests": {"ran": "many"}, "findings": 7, "more": "x", "tail": 1}
    assert "| Tests | ❌ failed |  | 0 passed |" in markdown(needs({"tests": junk}, Tests="failure"), RUN)
