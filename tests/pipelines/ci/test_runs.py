"""A run of CI is one of its own file, for this very commit or branch; nothing else of that name proves anything."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.ci import jobs, runs
from tests.pipelines.ci.past import Past

COMMIT = "c" * 40


@pytest.mark.parametrize(
    "made",
    [
        {"branch": "feature"},
        {"event": "pull_request"},
        {"event": "workflow_dispatch"},
        {"path": ".github/workflows/mine.yml"},
    ],
)
def test_a_run_of_another_branch_event_or_file_is_none(made: dict[str, Any]) -> None:
    past = Past()
    past.ran(COMMIT, **made)
    assert runs.ended_on(past, "main") == []  # type: ignore[arg-type]
    past.ran(COMMIT)
    assert [run.commit for run in runs.ended_on(past, "main")] == [COMMIT]  # type: ignore[arg-type]


def test_a_run_that_goes_on_has_not_ended() -> None:
    past = Past()
    past.ran(COMMIT)
    past.runs[0]["status"] = "in_progress"
    assert runs.ended_on(past, "main") == []  # type: ignore[arg-type]


def test_another_commit_is_another_matter() -> None:
    past = Past()
    past.ran("d" * 40, event="pull_request")
    assert runs.ended_for_pull(past, COMMIT) == []  # type: ignore[arg-type]
    assert len(runs.ended_for_pull(past, "d" * 40)) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("conclusion", ["success", "failure", "cancelled", "skipped", ""])
def test_what_a_run_found_is_what_its_required_job_says(conclusion: str) -> None:
    past = Past()
    past.ran(COMMIT, tests="success", ci=conclusion)
    assert runs.conclusion(jobs.of_run(past, 1)) == conclusion  # type: ignore[arg-type]


def test_the_queue_of_another_branch_proves_nothing() -> None:
    past = Past()
    past.ran(COMMIT, event="merge_group", branch="gh-readonly-queue/develop/pr-1-abc")
    asked = runs.ended_in_queue(past, COMMIT, "main")  # type: ignore[arg-type]
    assert asked == []
    assert runs.ended_in_queue(past, COMMIT, "develop")  # type: ignore[arg-type]
