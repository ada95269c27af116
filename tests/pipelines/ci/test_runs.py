"""A run of CI is one of its own file, for this very commit; nothing else of that name proves anything."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.ci import runs
from tests.pipelines.ci.past import Past

COMMIT = "c" * 40
LINES = ("main", "release/**")


def found(past: Past, branches: tuple[str, ...] = LINES) -> runs.Run | None:
    return runs.of_commit(past, COMMIT, branches)  # type: ignore[arg-type]


def test_the_newest_run_of_a_push_tells() -> None:
    past = Past()
    past.ran(COMMIT, ci="failure")
    url = past.ran(COMMIT, tests="success")
    run = found(past)
    assert run is not None
    assert (run.green, run.conclusion, run.url, run.attempt) == (True, "success", url, 1)


@pytest.mark.parametrize("conclusion", ["failure", "cancelled", "skipped", ""])
def test_only_a_required_check_that_succeeded_is_green(conclusion: str) -> None:
    past = Past()
    past.ran(COMMIT, tests="success", ci=conclusion)
    run = found(past)
    assert run is not None
    assert not run.green


def test_a_run_that_goes_on_is_not_green_whatever_ended_in_it() -> None:
    past = Past()
    past.ran(COMMIT)
    past.runs[0]["status"] = "in_progress"
    run = found(past)
    assert run is not None
    assert (run.green, run.ended) == (False, False)


@pytest.mark.parametrize(
    "made",
    [
        {"branch": "feature"},
        {"event": "pull_request"},
        {"event": "workflow_dispatch"},
        {"path": ".github/workflows/mine.yml"},
        {"branch": "release-1"},
    ],
)
def test_a_run_of_another_branch_event_or_file_is_none(made: dict[str, Any]) -> None:
    past = Past()
    past.ran(COMMIT, **made)
    assert found(past) is None


def test_a_maintenance_line_counts_like_main() -> None:
    past = Past()
    past.ran(COMMIT, branch="release/1.2.x")
    assert found(past) is not None
    assert found(past, ("main",)) is None


def test_another_commit_is_another_matter() -> None:
    past = Past()
    past.ran("d" * 40)
    assert found(past) is None


def test_the_queue_of_another_branch_proves_nothing() -> None:
    past = Past()
    past.ran(COMMIT, event="merge_group", branch="gh-readonly-queue/develop/pr-1-abc")
    asked = runs.ended_in_queue(past, COMMIT, "main")  # type: ignore[arg-type]
    assert asked == []
    assert runs.ended_in_queue(past, COMMIT, "develop")  # type: ignore[arg-type]
