"""What the runner decides before anything runs: inputs, matrix, permissions, groups, environments, graph."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rehearsal.runner import environments, inputs, matrix, permissions
from rehearsal.runner.concurrency import Groups, Outcome, Request
from rehearsal.runner.graph import Graph, MatrixJob, combined, kept_by_rerun, should_run
from rehearsal.runner.hub import EnvironmentRules, InputError
from rehearsal.runner.model import Job
from rehearsal.runner.workflow import WorkflowError, parse

DECLARED: dict[str, dict[str, Any]] = {
    "version": {"required": True, "description": "what"},
    "dry-run": {"type": "boolean"},
    "percent": {"type": "number", "default": 10},
    "target": {"type": "choice", "options": ["staging", "production"]},
    "place": {"type": "environment", "default": "staging"},
}


def test_inputs__defaults_and_types__text_for_the_event_values_for_the_context() -> None:
    texts = inputs.dispatched(DECLARED, {"version": "v1", "dry-run": True})
    assert texts == {"version": "v1", "dry-run": "true", "percent": "10", "target": "staging", "place": "staging"}
    typed = inputs.typed_all(DECLARED, texts)
    assert typed == {"version": "v1", "dry-run": True, "percent": 10.0, "target": "staging", "place": "staging"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "Required input 'version' not provided"),
        ({"version": ""}, "Required input 'version' not provided"),
        (
            {"version": "1", "verison": "2"},
            "did you mean 'version'? Known inputs: version, dry-run, percent, target, place",
        ),
        ({"version": "1", "dry-run": "yes"}, "not a boolean"),
        ({"version": "1", "percent": "many"}, "not a number"),
        ({"version": "1", "target": "moon"}, "not in the list of allowed values: staging, production"),
    ],
)
def test_inputs__unsuitable__says_what_is_known(given: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        inputs.dispatched(DECLARED, given)
    assert says in str(caught.value)


def test_inputs__workflow_without_any__says_so() -> None:
    with pytest.raises(InputError, match="this workflow takes no inputs"):
        inputs.dispatched({}, {"x": "1"})


def test_matrix__include_and_exclude__example_of_githubs_documentation() -> None:
    found = matrix.combinations(
        "a",
        {
            "fruit": ["apple", "pear"],
            "animal": ["cat", "dog"],
            "include": [
                {"color": "green"},
                {"color": "pink", "animal": "cat"},
                {"fruit": "apple", "shape": "circle"},
                {"fruit": "banana"},
                {"fruit": "banana", "animal": "cat"},
            ],
        },
    )
    assert found == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]
    assert matrix.combinations("a", {"n": [1, 2], "os": ["l", "w"], "exclude": [{"n": 1, "os": "w"}, {"n": 2}]}) == [
        {"n": 1, "os": "l"}
    ]
    assert matrix.combinations("a", {"include": [{"x": 1}, {"x": 2}]}) == [{"x": 1}, {"x": 2}]


def test_matrix__names_and_limits() -> None:
    assert (
        matrix.job_name("test", {"os": "linux", "v": 3.1, "more": {"a": True, "b": [None, "x"]}})
        == "test (linux, 3.1, true, , x)"
    )
    assert len(matrix.job_name("test", {"long": "x" * 200})) == 100
    for bad in ({"n": list(range(300))}, {"n": []}, {"n": "text"}, {}, "text"):
        with pytest.raises(WorkflowError):
            matrix.combinations("a", bad)


@pytest.mark.parametrize(
    ("workflow", "job", "caller", "fork", "granted"),
    [
        (None, None, None, False, {"contents": "read", "packages": "read"}),
        ({}, None, None, False, {}),
        ({"contents": "read"}, None, None, False, {"contents": "read"}),
        ({"contents": "read"}, {"issues": "write"}, None, False, {"issues": "write"}),
        ({"contents": "read"}, {"issues": "none"}, None, False, {}),
        ({"contents": "write"}, None, {"contents": "read"}, False, {"contents": "read"}),
        (None, None, {"contents": "read", "id-token": "write"}, False, {"contents": "read", "id-token": "write"}),
        ({"contents": "write", "id-token": "write"}, None, None, True, {"contents": "read"}),
    ],
)
def test_permissions__job_over_workflow__caller_and_fork_limit(
    workflow: Any, job: Any, caller: Any, fork: bool, granted: dict[str, str]
) -> None:
    assert permissions.granted(workflow, job, caller=caller, from_fork=fork) == {**granted, "metadata": "read"}


def test_permissions__all_and_unknown() -> None:
    everything = permissions.granted("write-all", None)
    assert everything["id-token"] == "write"
    assert "id-token" not in permissions.granted("read-all", None)
    with pytest.raises(WorkflowError, match="unknown scope 'content'"):
        permissions.granted({"content": "read"}, None)
    with pytest.raises(WorkflowError, match="'admin' is none of"):
        permissions.granted({"contents": "admin"}, None)


def test_groups__one_runs_one_waits__newer_takes_the_waiting_place() -> None:
    groups = Groups()
    assert groups.request(Request(group="Deploy", holder="a")) == Outcome(granted=True)
    assert groups.request(Request(group="deploy", holder="b")) == Outcome(granted=False)
    assert groups.request(Request(group="DEPLOY", holder="c")) == Outcome(granted=False, evicted=("b",))
    assert groups.release("deploy", "b") is None
    assert groups.release("deploy", "a") == "c"
    assert groups.holder("deploy") == "c"
    assert groups.release("deploy", "c") is None
    assert groups.holder("deploy") is None


def test_groups__cancel_in_progress_and_queue() -> None:
    groups = Groups()
    groups.request(Request(group="g", holder=1))
    assert groups.request(Request(group="g", holder=2, cancel_in_progress=True)).cancel == 1
    groups = Groups()
    groups.request(Request(group="g", holder=0))
    for holder in range(1, 101):
        assert groups.request(Request(group="g", holder=holder, queue="max")).evicted == ()
    assert groups.request(Request(group="g", holder=101, queue="max")).evicted == (1,)
    assert groups.release("g", 0) == 2
    assert groups.release("g", 3) is None
    assert groups.release("g", 2) == 4


@pytest.mark.parametrize(
    ("branches", "tags", "ref", "refused"),
    [
        ((), (), "refs/heads/any", False),
        (("main", "release/*"), (), "refs/heads/release/1", False),
        (("main",), (), "refs/heads/develop", True),
        (("main",), (), "refs/tags/v1", True),
        ((), ("v*",), "refs/tags/v1", False),
        ((), ("v*",), "refs/heads/main", True),
        (("main",), (), "refs/pull/7/merge", True),
    ],
)
def test_environment__branch_policy(branches: tuple[str, ...], tags: tuple[str, ...], ref: str, refused: bool) -> None:
    rules = EnvironmentRules(name="production", branch_patterns=branches, tag_patterns=tags)
    assert (environments.refusal(rules, ref) is not None) is refused


def test_gate__timer_and_review__both_must_be_over() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    rules = EnvironmentRules(name="p", reviewers=("on-call",), wait_minutes=5)
    gate = environments.Gate(rules=rules, since=now, starter="dev-1")
    assert gate.waits(now + timedelta(minutes=6))
    gate.verdict = "approved"
    assert gate.waits(now + timedelta(minutes=4))
    assert not gate.waits(now + timedelta(minutes=5))
    assert environments.review_refusal(gate, "on-call") is None
    assert environments.review_refusal(gate, "dev-1") is not None


GRAPH = """
on: push
jobs:
  a: &job {runs-on: u, steps: [{run: x}]}
  b: {runs-on: u, steps: [{run: x}], needs: a, if: always()}
  c: {runs-on: u, steps: [{run: x}], needs: b}
  d: {runs-on: u, steps: [{run: x}], needs: b, if: failure()}
  e: {runs-on: u, steps: [{run: x}]}
"""


def ended_job(key: str, conclusion: str, **more: Any) -> MatrixJob:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return MatrixJob(
        job=Job(
            id=1,
            run_id=1,
            attempt=1,
            key=key,
            name=more.pop("name", key),
            status="completed",
            conclusion=conclusion,
            created_at=now,
            completed_at=now + timedelta(seconds=more.pop("end", 0)),
            **more,
        )
    )


def test_graph__failed_ancestor__seen_by_success_and_failure_of_all_below() -> None:
    graph = Graph(workflow=parse("w", GRAPH))
    assert graph.ready() == ["a", "e"]
    graph.matrix_jobs["a"] = [ended_job("a", "failure")]
    assert graph.ready() == ["b", "e"]
    graph.matrix_jobs["b"] = [ended_job("b", "success")]
    assert not should_run(graph, "c", {}, cancelled=False)
    assert should_run(graph, "d", {}, cancelled=False)
    assert not should_run(graph, "d", {}, cancelled=True)
    assert graph.needs("c") == {"b": {"result": "success", "outputs": {}}}


def test_graph__results_of_legs_and_tolerated_failures() -> None:
    assert combined(["success", None]) is None
    assert combined(["success", "cancelled"]) == "cancelled"
    assert combined(["failure", "cancelled"]) == "failure"
    assert combined(["skipped", "skipped"]) == "skipped"
    assert combined(["skipped", "success"]) == "success"
    graph = Graph(workflow=parse("w", GRAPH))
    graph.matrix_jobs["a"] = [ended_job("a", "failure", tolerated=True), ended_job("a", "success")]
    assert graph.job_result("a") == "success"


def test_graph__outputs_of_legs__last_to_finish_wins_unless_empty() -> None:
    graph = Graph(workflow=parse("w", GRAPH))
    graph.matrix_jobs["a"] = [
        ended_job("a", "success", outputs={"x": "late", "y": ""}, end=9),
        ended_job("a", "success", outputs={"x": "early", "y": "kept"}, end=1),
    ]
    assert graph.job_outputs("a") == {"x": "late", "y": "kept"}


def test_rerun__failed_jobs_and_what_needs_them__the_rest_is_kept() -> None:
    graph = Graph(workflow=parse("w", GRAPH))
    graph.matrix_jobs = {
        "a": [ended_job("a", "success", name="a (1)"), ended_job("a", "failure", name="a (2)")],
        "b": [ended_job("b", "success")],
        "c": [ended_job("c", "skipped")],
        "d": [ended_job("d", "success")],
        "e": [ended_job("e", "success")],
    }
    assert kept_by_rerun(graph, failed_only=True) == {("a", "a (1)"), ("e", "e")}
    assert kept_by_rerun(graph, failed_only=False) == set()
