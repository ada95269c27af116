"""browser-tests.yml: every night on staging, by dispatch anywhere, with no credentials."""

from __future__ import annotations

import pytest

from pipelines.delivery import browser_durations
from pipelines.manifest import load
from rehearsal.runner.expressions import Scope, condition
from tests.workflows.workflow_files import (
    NIGHTLY,
    ROOT,
    jobs,
    runs,
    triggers,
)


def test_the_nightly_browser_tests_run_on_staging_and_the_one_who_asks_chooses_among_the_environments() -> None:
    started = triggers(NIGHTLY)
    assert set(started) == {"schedule", "workflow_dispatch"}
    environment = started["workflow_dispatch"]["inputs"]["environment"]
    assert (set(environment["options"]), environment["default"]) == (
        set(load(ROOT / "shipmate.yml").environments),
        "staging",
    )
    (nightly,) = started["schedule"]
    (loaded,) = triggers(ROOT / ".github/workflows/performance.yml")["schedule"]
    minute, hour = (int(part) for part in nightly["cron"].split()[:2])
    before = [int(part) for part in loaded["cron"].split()[:2]]
    assert hour * 60 + minute >= before[1] * 60 + before[0] + 90, "a load test beside them would make them slow"


def test_the_code_of_the_release_in_nightly_browser_tests_has_no_credentials() -> None:
    assert "secrets." not in NIGHTLY.read_text()
    for name, job in jobs(NIGHTLY).items():
        assert "environment" not in job, name
        assert set(job["permissions"].values()) == {"read"}, name
    assert jobs(NIGHTLY)["e2e"]["permissions"] == {"contents": "read"}
    assert not [step for step in jobs(NIGHTLY)["e2e"]["steps"] if "token" in step.get("with", {})]


def test_durations_are_believed_of_the_job_that_makes_them() -> None:
    kind = browser_durations.KIND
    assert (ROOT / kind.workflow, set(kind.events)) == (NIGHTLY, set(triggers(NIGHTLY)))
    (maker,) = [name for name, job in jobs(NIGHTLY).items() if job["name"] == kind.job]
    last = jobs(NIGHTLY)[maker]["steps"][-1]
    assert last["with"]["name"] == "${{ steps.merge.outputs.durations_name }}"
    for results, kept in (({}, True), ({"e2e": "failure"}, False)):
        needs = {need: {"result": results.get(need, "success")} for need in ("plan", "e2e")}
        merged = {"merge": {"outputs": {"durations": "build/x"}}}
        scope = Scope(contexts={"needs": needs, "steps": merged}, status={"success": True})
        assert condition(last["if"], scope) is kept


@pytest.mark.parametrize("ended", ["success", "failure", "cancelled"])
def test_a_runner_that_failed_is_seen_by_the_report(ended: str) -> None:
    """A runner that is lost leaves nothing; without the report nobody would say so of all tests."""
    given = {"count": "2"}
    assert runs(NIGHTLY, "report", {"e2e": ended}, outputs=given)
    assert not runs(NIGHTLY, "report", {"e2e": "skipped"}, outputs={"count": "0"})
    assert not runs(NIGHTLY, "report", {"plan": "failure", "e2e": "skipped"}, outputs={"count": ""})
    assert not runs(NIGHTLY, "e2e", {}, outputs={"count": "0"})
    assert jobs(NIGHTLY)["e2e"]["strategy"]["fail-fast"] is False
