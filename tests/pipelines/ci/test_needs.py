from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.ci.needs import CANCELLED, FAILED, MISSING, PASSED, SKIPPED, parse
from pipelines.errors import InputError


def needs(**results: str) -> str:
    plan = {
        "checks": json.dumps({"lint": "run", "web-tests": "skip", "never": "run"}),
        "reasons": json.dumps({"web-tests": "nothing changed"}),
    }
    jobs: dict[str, Any] = {"plan": {"result": "success", "outputs": plan}}
    jobs |= {name.replace("_", "-"): {"result": result, "outputs": {}} for name, result in results.items()}
    return json.dumps(jobs)


def test_what_each_check_came_to() -> None:
    found = parse(needs(lint="failure", web_tests="skipped"), "plan")
    assert [found.outcome(name) for name in ("lint", "web-tests", "never")] == [FAILED, SKIPPED, MISSING]
    assert parse(needs(lint="success"), "plan").outcome("lint") == PASSED
    assert parse(needs(lint="cancelled"), "plan").outcome("lint") == CANCELLED


def test_a_job_that_was_skipped_though_it_had_to_run_is_missing() -> None:
    assert parse(needs(lint="skipped"), "plan").outcome("lint") == MISSING


def test_what_a_check_said_is_read_and_other_outputs_are_not() -> None:
    said = {"result": "success", "outputs": {"result": '{"seconds": 1.5}', "x": "y"}}
    text = json.dumps({"lint": said, "tests": {"outputs": {"result": "no"}}})
    assert parse(text, "plan").said == {"lint": {"seconds": 1.5}}


def test_a_plan_that_failed_decided_nothing() -> None:
    assert parse('{"plan": {"result": "failure", "outputs": {}}}', "plan").decided == {}


@pytest.mark.parametrize("text", ["", "[]", "Object", '{"plan": "success"}'])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not what GitHub knows") as caught:
        parse(text, "plan")
    assert "toJSON(needs)" in str(caught.value)
