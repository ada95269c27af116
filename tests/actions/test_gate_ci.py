from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from actions.gate_ci import main

DECIDED = [
    {"check": "lint", "title": "Lint", "runs": True, "why": "api: x changed"},
    {"check": "tests", "title": "Tests", "runs": False, "why": "nothing that api depends on changed"},
]
LEGS = [{"name": "lint", "check": "lint", "title": "Lint", "timeout_minutes": 10}]


def needs(check: str, *, plan: str = "success", legs: list[dict[str, Any]] | None = None) -> str:
    decided = DECIDED if legs is None else [{**one, "runs": False} for one in DECIDED]
    outputs = {"plan": json.dumps(decided), "legs": json.dumps(LEGS if legs is None else legs)}
    return json.dumps({"plan": {"result": plan, "outputs": outputs}, "check": {"result": check, "outputs": {}}})


def uploaded(passed: bool, why: str = "") -> None:
    Path("results").mkdir()
    Path("results/lint.json").write_text(json.dumps({"passed": passed, "why": why}))


def test_green_when_all_went_as_planned(step: Any) -> None:
    uploaded(True)
    assert step.run(main, needs=needs("success")) == 0
    assert "Lint: passed" in step.log
    assert "Tests: skipped: nothing that api depends on changed" in step.log


def test_green_when_a_push_needs_nothing(step: Any) -> None:
    """So the commit that is released has a `ci` that succeeded, not one that was skipped: production takes nothing less."""
    assert step.run(main, needs=needs("skipped", legs=[])) == 0


def test_red_when_a_check_failed(step: Any) -> None:
    uploaded(False, "pytest: exit code 1")
    assert step.run(main, needs=needs("failure")) == 7
    assert "Lint: pytest: exit code 1" in step.commands("error")[0]


def test_red_when_the_checks_were_skipped_though_one_had_to_run(step: Any) -> None:
    assert step.run(main, needs=needs("skipped")) == 7


def test_red_when_a_job_vanished(step: Any) -> None:
    assert step.run(main, needs=needs("failure")) == 7
    assert "Lint: left no result, and the checks together ended with failure" in step.log


def test_red_when_the_plan_failed(step: Any) -> None:
    assert step.run(main, needs=needs("skipped", plan="failure", legs=[])) == 7


def test_a_check_that_was_left_out_is_green_in_a_rehearsal_alone(step: Any) -> None:
    uploaded(True)
    lacking = {"check": "types", "title": "Types", "runs": False, "why": "too large", "left_out": True}
    outputs = {"plan": json.dumps([*DECIDED, lacking]), "legs": json.dumps(LEGS)}
    given = json.dumps(
        {"plan": {"result": "success", "outputs": outputs}, "check": {"result": "success", "outputs": {}}}
    )
    step.environ["GITHUB_SERVER_URL"] = "http://127.0.0.1:3000"
    assert step.run(main, needs=given) == 0
    assert "Types: not run: too large" in step.log
    step.environ["GITHUB_SERVER_URL"] = "https://github.com"
    assert step.run(main, needs=given) == 7


def test_it_needs_nothing_installed() -> None:
    """The job `ci` has no set-up step."""
    import subprocess
    import sys

    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(root)!r}); import actions.gate_ci"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
