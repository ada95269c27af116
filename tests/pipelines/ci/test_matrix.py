from __future__ import annotations

import pytest

from pipelines.ci.affected import Changes, affected
from pipelines.ci.matrix import as_outputs, gate, plan
from pipelines.manifest import parse

MANIFEST = parse("""
platform: {name: shop, repository: shop/shop}
components:
  api: {paths: ["api/**"]}
  site: {paths: ["site/**"]}
ci:
  checks:
    lint: {run: [ruff check], components: [api, site]}
    api-tests: {run: [pytest], components: [api]}
    site-tests: {run: [npm test], components: [site]}
environments: {}
""")


def planned(*paths: str) -> tuple[dict[str, str], dict[str, str]]:
    return as_outputs(plan(MANIFEST, affected(MANIFEST, Changes(paths=paths))))


def test_only_what_is_affected_runs_and_each_says_why() -> None:
    checks, reasons = planned("api/x.py")
    assert checks == {"lint": "run", "api-tests": "run", "site-tests": "skip"}
    assert reasons["api-tests"] == "api: api/x.py changed"
    assert reasons["site-tests"] == "nothing that site depends on changed"


def test_reasons_name_all_the_components_of_a_check() -> None:
    assert planned()[1]["lint"] == "nothing that api or site depends on changed"


def test_what_cannot_be_told_runs_everything_for_that_reason() -> None:
    checks, reasons = planned("strange.file")
    assert set(checks.values()) == {"run"}
    assert set(reasons.values()) == {"strange.file belongs to no component"}


DECIDED = {"lint": "run", "tests": "run", "site": "skip"}
GREEN = {"plan": "success", "lint": "success", "tests": "success", "site": "skipped"}


def test_the_gate_is_green_when_all_went_as_planned() -> None:
    assert list(gate(GREEN, DECIDED, "plan")) == []


@pytest.mark.parametrize("result", ["failure", "cancelled", "skipped", "missing"])
def test_the_gate_is_red_when_a_check_that_had_to_run_did_not_succeed(result: str) -> None:
    assert list(gate({**GREEN, "tests": result}, DECIDED, "plan")) == [f"tests: {result}, was to succeed"]


@pytest.mark.parametrize("result", ["success", "failure", "cancelled"])
def test_the_gate_is_red_when_a_skipped_check_ran_all_the_same(result: str) -> None:
    assert list(gate({**GREEN, "site": result}, DECIDED, "plan")) == [f"site: {result}, was to be skipped"]


@pytest.mark.parametrize("result", ["failure", "cancelled", "skipped"])
def test_the_gate_is_red_without_a_plan(result: str) -> None:
    assert list(gate({**GREEN, "plan": result}, DECIDED, "plan")) == [
        f"plan: {result}, so nobody knows what had to run"
    ]


def test_the_gate_is_red_when_the_plan_names_nothing() -> None:
    assert "plan: told of no check at all" in list(gate({"plan": "success"}, {}, "plan"))


def test_the_gate_is_red_when_jobs_and_plan_differ() -> None:
    without = {job: result for job, result in GREEN.items() if job != "tests"}
    assert "tests: is in the plan, but this job does not wait for it" in "".join(gate(without, DECIDED, "plan"))
    assert "extra: is not in the plan" in "".join(gate({**GREEN, "extra": "success"}, DECIDED, "plan"))
