from __future__ import annotations

import json
from typing import Any

from actions.gate_ci import main


def needs(lint_is_to: str = "run", **results: str) -> str:
    outputs = {
        "checks": json.dumps({"lint": lint_is_to, "tests": "skip"}),
        "reasons": json.dumps({"tests": "nothing that api depends on changed"}),
    }
    jobs: dict[str, Any] = {"plan": {"result": results.pop("plan", "success"), "outputs": outputs}}
    jobs |= {name: {"result": result, "outputs": {}} for name, result in results.items()}
    return json.dumps(jobs)


def test_green_when_all_went_as_planned(step: Any) -> None:
    assert step.run(main, needs=needs(lint="success", tests="skipped")) == 0
    assert "skipped: nothing that api depends on changed" in step.log


def test_green_when_a_push_needs_nothing_since_its_pull_request_passed(step: Any) -> None:
    """So the commit that is released has a `ci` that succeeded, not one that was skipped: production takes nothing less."""
    assert step.run(main, needs=needs(lint_is_to="skip", lint="skipped", tests="skipped")) == 0


def test_red_when_a_check_failed(step: Any) -> None:
    assert step.run(main, needs=needs(lint="failure", tests="skipped")) == 7
    assert "lint: failure, was to succeed" in step.commands("error")[0]


def test_red_when_a_job_was_skipped_that_had_to_run(step: Any) -> None:
    assert step.run(main, needs=needs(lint="skipped", tests="skipped")) == 7


def test_red_when_the_plan_failed(step: Any) -> None:
    assert step.run(main, needs=needs(plan="failure", lint="skipped", tests="skipped")) == 7


def test_it_needs_nothing_installed() -> None:
    """The job `ci` has no set-up step."""
    import subprocess
    import sys
    from pathlib import Path

    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(root)!r}); import actions.gate_ci"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
