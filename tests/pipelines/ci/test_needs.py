from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pipelines.ci.needs import CANCELLED, FAILED, LARGEST, MISSING, PASSED, parse
from pipelines.errors import InputError
from tests.pipelines.ci.needs_of import needs

PLAN = {"lint": "", "tests": "", "site": "nothing changed"}


def test_what_each_job_came_to(tmp_path: Path) -> None:
    found = needs(tmp_path, PLAN, check="failure", uploaded={"lint": {"passed": False}})
    assert [found.outcome(leg) for leg in found.legs] == [FAILED, MISSING]
    assert [one.why for one in found.decided if not one.runs] == ["nothing changed"]


def test_what_github_says_of_a_job_counts_more_than_what_it_uploaded_itself(tmp_path: Path) -> None:
    """It passed, and then its time was up."""
    found = needs(tmp_path, PLAN, check="failure", uploaded={"lint": {"passed": True}})
    found = dataclasses.replace(found, ended={"Lint": "timed_out", "Tests": "cancelled"})
    assert [found.outcome(leg) for leg in found.legs] == [FAILED, CANCELLED]


def test_without_results_all_together_tell_it(tmp_path: Path) -> None:
    found = needs(tmp_path, PLAN)
    assert {found.outcome(leg) for leg in found.legs} == {PASSED}


@pytest.mark.parametrize("text", ["", "[]", "no", '{"passed": "yes"}', "x" * (LARGEST + 1)])
def test_what_is_no_result_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "lint.json").write_text(text)
    found = needs(tmp_path, PLAN, check="failure")
    assert found.outcome(found.legs[0]) == MISSING


def test_no_results_were_downloaded(tmp_path: Path) -> None:
    assert needs(tmp_path, PLAN).results == parse("{}", tmp_path / "none").results == {}


def test_a_plan_that_failed_decided_nothing(tmp_path: Path) -> None:
    found = parse('{"plan": {"result": "failure", "outputs": {}}, "check": {"result": "skipped"}}', tmp_path)
    assert (found.planner, found.checks, found.decided, found.legs) == ("failure", "skipped", (), ())


@pytest.mark.parametrize("text", ["", "[]", "Object", '{"plan": "success"}'])
def test_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="not what GitHub knows") as caught:
        parse(text, tmp_path)
    assert "toJSON(needs)" in str(caught.value)
