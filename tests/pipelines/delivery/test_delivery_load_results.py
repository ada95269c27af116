"""What a load test found reaches the plan, and is a gate where the manifest says so."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from pipelines.delivery import load_results
from pipelines.delivery.load_results import Answer, Measured
from pipelines.delivery.plan_text import as_data, as_text
from pipelines.delivery.planning import Planned, plan_release
from pipelines.errors import RefusedError
from rehearsal.runner.model import Run
from tests.shop import Shop
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world

TARGETS = """
performance:
  targets:
    API responses: {of: response, component: backend, p95_ms: 500}
    page load: {of: page-load, component: web, p95_ms: 2000}
  profiles:
    brief: {per_second: 12, seconds: 35}
    smoke: {per_second: 3, seconds: 120}
    stress: {per_second: 50, seconds: 900}
"""
MET = {
    "API responses": ("passed", "p95 87 ms (80 to 95), at most 500 ms, of 3120 requests"),
    "page load": ("passed", "p95 900 ms (850 to 960), at most 2000 ms, of 120 loads"),
}
UNSURE = MET | {"API responses": ("too short to tell", "the limit lies within the interval")}
SLOW = MET | {"API responses": ("missed", "p95 640 ms (610 to 690), at most 500 ms, of 3120 requests")}
COMPONENTS = {"API responses": "backend", "page load": "web"}


@pytest.fixture
def commit(shop: Shop) -> str:
    return declared(shop)


def declared(shop: Shop, *, gate: bool = False) -> str:
    text = MANIFEST + TARGETS
    if gate:
        text = text.replace("    proved_by: staging\n", "    proved_by: staging\n    targets_required: smoke\n")
        assert "targets_required" in text
    commit = shop.proved("v1.1.0", files={"shipmate.yml": text})
    shop.update()
    return commit


def measured(
    shop: Shop,
    measuring: str,
    answers: dict[str, tuple[str, str]],
    *,
    job: str = load_results.JOB,
    conclusion: str = "",
    **changed: Any,
) -> Run:
    """A load test of a commit, with its report; `changed` says what is otherwise."""
    where = {
        "branch": "main",
        "event": "workflow_dispatch",
        "file": "performance.yml",
        "commit_of_run": shop.head("main"),
        "ref": "",
    }
    branch, event, file, at, ref = (changed.pop(name, usual) for name, usual in where.items())
    run = shop.workflow(file, "Performance", job, commit=at, branch=branch, event=event, ref=ref)
    message = {
        "environment": "staging",
        "commit": measuring,
        "profile": "smoke",
        "at": "2026-11-28T10:00:00Z",
        "answers": tuple(
            Answer(target=name, component=COMPONENTS[name], verdict=verdict, says=says)
            for name, (verdict, says) in answers.items()
        ),
        "run": str(run.id),
        "attempt": "1",
        **changed,
    }
    name = load_results.artifact_name("staging", measuring)
    shop.upload(run, name, {load_results.FILE: Measured(**message).written()})
    shop.end(run, "success" if answers == MET else "failure")
    return run


def plan(shop: Shop) -> Planned:
    return plan_release(shop.context("production"), "v1.1.0")


def test_an_approver_reads_what_was_measured(shop: Shop, commit: str) -> None:
    run = measured(shop, commit, MET)
    found = plan(shop)
    text = as_text(found)
    assert f"load test 'smoke' on staging, 2026-11-28T10:00:00Z (run {run.id})" in text
    assert "API responses: passed: p95 87 ms (80 to 95), at most 500 ms, of 3120 requests" in text
    assert as_data(found)["performance"] == list(found.plan.recorded.performance)
    assert json.loads(found.plan.document)["performance"] == list(found.plan.recorded.performance)


def test_a_target_that_was_missed_is_shown_and_is_no_gate_unless_the_manifest_says_so(shop: Shop, commit: str) -> None:
    measured(shop, commit, SLOW)
    assert "API responses: missed: p95 640 ms" in as_text(plan(shop))


def test_that_nothing_was_measured_is_reported(shop: Shop, commit: str) -> None:
    assert f"no load test of {commit[:7]} was made on staging" in as_text(plan(shop))


def test_the_newest_counts_whatever_its_number(shop: Shop, commit: str) -> None:
    older = measured(shop, commit, SLOW)
    older.artifacts[0].id = 99_999
    shop.clock.ahead += timedelta(minutes=1)
    measured(shop, commit, MET)
    assert "missed" not in as_text(plan(shop))


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (None, "no load test of this commit was made with the profile 'smoke'"),
        (SLOW, "API responses: missed: p95 640 ms (610 to 690), at most 500 ms, of 3120 requests"),
        ({"API responses": MET["API responses"]}, "page load: was not measured"),
        (MET | {"page load": ("no data", "no page was loaded")}, "page load: no data: no page was loaded"),
        (MET | {"page load": ("invalid", "it was late")}, "page load: invalid: it was late"),
    ],
)
def test_a_release_that_did_not_meet_its_targets_is_refused_where_they_are_required(
    shop: Shop, answers: dict[str, tuple[str, str]] | None, why: str
) -> None:
    commit = declared(shop, gate=True)
    if answers is not None:
        measured(shop, commit, answers)
    with pytest.raises(RefusedError) as error:
        plan(shop)
    assert error.value.what == f"{commit[:7]} has not met every performance target on staging"
    assert error.value.why == why


Several = list[tuple[str, dict[str, tuple[str, str]]]]
"""Profile and answers of load tests, the oldest first."""


def one_after_the_other(shop: Shop, commit: str, tests: Several) -> None:
    for profile, answers in tests:
        measured(shop, commit, answers, profile=profile)
        shop.clock.ahead += timedelta(minutes=1)


@pytest.mark.parametrize(
    "tests",
    [
        [("smoke", SLOW), ("brief", MET)],
        [("smoke", SLOW), ("stress", MET)],
        [("smoke", SLOW), ("smoke", UNSURE)],
        [("smoke", MET), ("smoke", SLOW)],
        [("smoke", SLOW), ("smoke", {"API responses": MET["API responses"]})],
    ],
    ids=["briefer", "heavier", "unsure", "again, and missed", "picked"],
)
def test_a_target_that_was_missed_stays_so_until_the_same_profile_meets_all_of_them(shop: Shop, tests: Several) -> None:
    commit = declared(shop, gate=True)
    one_after_the_other(shop, commit, tests)
    with pytest.raises(RefusedError, match="has not met every performance target") as error:
        plan(shop)
    assert error.value.why.startswith("API responses: missed: p95 640 ms")


@pytest.mark.parametrize(
    "tests",
    [
        [("smoke", MET), ("stress", SLOW)],
        [("smoke", MET), ("brief", SLOW)],
        [("smoke", MET), ("smoke", UNSURE)],
        [("smoke", SLOW), ("smoke", MET)],
        [("smoke", MET), ("smoke", {"API responses": MET["API responses"]})],
    ],
    ids=["heavier", "briefer", "unsure", "again, and met", "without pages"],
)
def test_what_another_profile_found_or_a_load_test_that_could_not_tell_closes_no_gate(
    shop: Shop, tests: Several
) -> None:
    commit = declared(shop, gate=True)
    one_after_the_other(shop, commit, tests)
    text = as_text(plan(shop))
    newest_profile, newest = tests[-1]
    assert f"load test '{newest_profile}' on staging" in text
    assert f"API responses: {newest['API responses'][0]}: " in text, "the newest is shown"
    assert "API responses: passed: " in text, "and what decides"


def test_that_a_newer_load_test_could_not_tell_is_reported(shop: Shop) -> None:
    commit = declared(shop, gate=True)
    older = measured(shop, commit, SLOW)
    shop.clock.ahead += timedelta(minutes=1)
    measured(shop, commit, UNSURE)
    with pytest.raises(RefusedError) as error:
        plan(shop)
    assert f"(run {older.id}); a newer one could not tell: API responses: too short to tell" in error.value.why


def test_a_release_that_met_them_is_let_in(shop: Shop) -> None:
    measured(shop, declared(shop, gate=True), MET)
    assert not plan(shop).done_already


@pytest.mark.parametrize(
    "forged",
    [
        {"file": "mine.yml"},
        {"branch": "feature"},
        {"event": "pull_request"},
        {"job": "Load 1"},
        {"run": "1"},
        {"attempt": "9"},
        {"environment": "development"},
        {"commit": "c" * 40},
    ],
)
def test_a_report_that_anybody_may_have_written_opens_no_gate(shop: Shop, forged: dict[str, Any]) -> None:
    commit = declared(shop, gate=True)
    measured(shop, commit, MET, **forged)
    with pytest.raises(RefusedError, match="has not met every performance target"):
        plan(shop)


def test_nor_does_one_of_a_tag_that_is_called_main(shop: Shop) -> None:
    """Its run is listed as one of `main`, and ran the file of the person who pushed the tag."""
    commit = declared(shop, gate=True)
    own = shop.commit(branch="feature")
    run = measured(shop, commit, MET, ref="refs/tags/main", commit_of_run=own)
    assert run.head_branch == "main"
    with pytest.raises(RefusedError, match="has not met every performance target"):
        plan(shop)
    measured(shop, commit, MET)
    assert not plan(shop).done_already


@pytest.mark.parametrize(("conclusion", "believed"), [("success", True), ("failure", False), ("cancelled", False)])
def test_a_run_is_compared_with_one_that_ended_well_alone(shop: Shop, conclusion: str, *, believed: bool) -> None:
    run = shop.workflow("performance.yml", "Performance", load_results.JOB, commit=shop.head("main"), event="schedule")
    document = {"format": load_results.FORMAT, "run": str(run.id), "attempt": "1", "recording": {"of": "this run"}}
    name = load_results.baseline_name("staging", "smoke")
    shop.upload(run, name, {load_results.BASELINE.file: json.dumps(document).encode()})
    shop.end(run, conclusion)
    found = load_results.last_good(shop.client(shop.job().token), "staging", "smoke", main="main")
    assert found == (json.dumps({"of": "this run"}) if believed else None)
