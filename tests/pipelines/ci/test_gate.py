"""Only the plan may skip, and nothing that was to run may go missing."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from pipelines.ci.gate import problems
from pipelines.ci.needs import Needs
from tests.pipelines.ci.needs_of import needs

PLAN = {"lint": "", "tests": "", "site": "nothing that site depends on changed"}
GREEN = {"lint": {"passed": True}, "tests": {"passed": True}}


def test_it_is_green_when_all_went_as_planned(tmp_path: Path) -> None:
    assert list(problems(needs(tmp_path, PLAN, uploaded=GREEN))) == []


def test_all_jobs_succeeded_so_each_did(tmp_path: Path) -> None:
    """A re-run of failed jobs keeps the others, whose results may be those of the attempt before."""
    assert list(problems(needs(tmp_path, PLAN))) == []


def test_it_is_green_when_nothing_was_to_run(tmp_path: Path) -> None:
    assert list(problems(needs(tmp_path, {"lint": "passed before"}, check="skipped"))) == []


@pytest.mark.parametrize("result", ["success", "failure", "cancelled", "missing"])
def test_it_is_red_when_something_ran_all_the_same(tmp_path: Path, result: str) -> None:
    found = needs(tmp_path, {"lint": "passed before"}, check=result)
    assert list(problems(found)) == [f"check: {result}, though the plan has nothing to run"]


@pytest.mark.parametrize("result", ["failure", "cancelled", "skipped", "missing"])
def test_it_is_red_when_a_job_left_no_result(tmp_path: Path, result: str) -> None:
    found = needs(tmp_path, PLAN, check=result, uploaded={"lint": {"passed": True}})
    assert list(problems(found)) == [f"Tests: left no result, and the checks together ended with {result}"]


def test_it_is_red_for_what_a_check_says_whatever_its_job_came_to(tmp_path: Path) -> None:
    found = needs(tmp_path, PLAN, uploaded={**GREEN, "lint": {"passed": False, "why": "ruff: exit code 1"}})
    assert list(problems(found)) == ["Lint: ruff: exit code 1"]


@pytest.mark.parametrize("result", ["failure", "cancelled", "skipped"])
def test_it_is_red_when_github_says_so_though_each_check_passed(tmp_path: Path, result: str) -> None:
    found = needs(tmp_path, PLAN, check=result, uploaded=GREEN)
    assert list(problems(found)) == [f"check: {result}, though each check says that it passed"]


@pytest.mark.parametrize("result", ["failure", "cancelled", "skipped", "missing"])
def test_it_is_red_without_a_plan(tmp_path: Path, result: str) -> None:
    found = dataclasses.replace(needs(tmp_path, PLAN, uploaded=GREEN), planner=result)
    assert list(problems(found)) == [f"plan: {result}, so nobody knows what had to run"]


def test_it_is_red_when_the_plan_names_nothing(tmp_path: Path) -> None:
    assert list(problems(needs(tmp_path, {}, check="skipped"))) == ["plan: given no check at all"]


@pytest.mark.parametrize("legs", ["", "[]", "no"])
def test_it_is_red_when_a_check_that_was_to_run_has_no_job(tmp_path: Path, legs: str) -> None:
    found = needs(tmp_path, {"lint": ""}, check="skipped", legs=legs)
    assert list(problems(found)) == ["Lint: was to run, but the plan has no job for it"]


def test_it_is_red_when_a_job_ran_that_was_not_to(tmp_path: Path) -> None:
    legs = json.dumps([{"name": "site", "check": "site", "title": "Site"}])
    found = needs(tmp_path, {"site": "passed before"}, legs=legs, uploaded={"site": {"passed": True}})
    assert list(problems(found)) == ["site: has a job, but was not to run"]


def test_results_of_an_earlier_attempt_that_are_not_planned_now_do_not_count(tmp_path: Path) -> None:
    assert list(problems(needs(tmp_path, PLAN, uploaded={**GREEN, "site": {"passed": False}}))) == []


def left_out(folder: Path) -> Needs:
    """A check that the plan left out as a rehearsal does."""
    found = needs(folder, PLAN, uploaded=GREEN)
    return dataclasses.replace(
        found, decided=(*found.decided[:2], dataclasses.replace(found.decided[2], left_out=True))
    )


def test_what_a_rehearsal_leaves_out_is_missing_anywhere_else(tmp_path: Path) -> None:
    assert list(problems(left_out(tmp_path), rehearsal=True)) == []
    assert list(problems(left_out(tmp_path))) == ["Site: was left out as in a rehearsal, and this is none"]
