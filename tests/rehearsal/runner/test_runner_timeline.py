"""Where the time of a run went, from a run made by hand and from a real one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rehearsal.runner import timeline
from rehearsal.runner.model import Event, Job, Run, Step

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def step(number: int, name: str, start: float, end: float, conclusion: str = "success") -> Step:
    return Step(
        number=number, name=name, status="completed", conclusion=conclusion, started_at=at(start), completed_at=at(end)
    )


def job(key: str, created: float, started: float, ended: float, **more: Any) -> Job:
    return Job(
        id=len(key), run_id=1, attempt=1, key=key, name=key, status="completed", conclusion="success",
        created_at=at(created), started_at=at(started), completed_at=at(ended), **more,
    )  # fmt: skip


def run_of(*jobs: Job) -> Run:
    event = Event(name="push", repository="o/r", payload={}, ref="refs/heads/main", sha="a", actor="dev-1")
    return Run(
        id=1, number=1, repository="o/r", workflow_path="w", workflow_name="w", title="t", event=event, head_branch="main",
        head_sha="a", jobs=list(jobs), created_at=at(0), updated_at=at(30), status="completed",
    )  # fmt: skip


def test_jobs__queued_waiting_setup_working_leaving() -> None:
    steps = [
        step(1, "Set up job", 10, 11),
        step(2, "build", 11, 14),
        step(3, "not this time", 14, 14, "skipped"),
        step(4, "test", 14, 19),
        step(5, "Complete job", 19, 20),
    ]
    (span,) = timeline.jobs(run_of(job("a", 0, 10, 20, steps=steps, waiting_since=at(2), released_at=at(9))))
    assert (span.queued, span.waiting, span.setup, span.working, span.leaving) == (3, 7, 1, 8, 1)
    assert (span.total, span.overhead) == (20, 2)
    assert [(one.name, one.seconds) for one in span.steps] == [("build", 3), ("test", 5)]
    assert timeline.totals([run_of(job("a", 0, 10, 20, steps=steps))]) == {
        "queued": 10, "waiting": 0, "setup": 1, "working": 8, "leaving": 1,
    }  # fmt: skip


def test_jobs__no_step_ran__counts_as_setup() -> None:
    steps = [step(1, "Set up job", 1, 3, "failure"), step(2, "x", 3, 3, "skipped")]
    (span,) = timeline.jobs(run_of(job("a", 0, 1, 3, steps=steps)))
    assert (span.setup, span.working, span.leaving, span.steps) == (2, 0, 0, ())


def test_critical_path__the_chain_that_ended_last() -> None:
    run = run_of(
        job("lint", 0, 0, 5),
        job("build", 0, 0, 9),
        job("test", 9, 9, 12, needs=["lint", "build"]),
        job("docs", 0, 0, 11),
    )
    assert [one.key for one in timeline.critical_path(run)] == ["build", "test"]
    assert timeline.seconds(run) == 30


def test_overhead__checkout_and_three_steps__under_300_ms_beside_the_steps(world: Any, run_async: Any) -> None:
    checkout = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
    lines = [f"      - uses: {checkout}", *(f"      - run: echo {number}" for number in range(3))]
    workflow = "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n" + "\n".join(lines)

    async def story() -> list[float]:
        async with world() as w:
            spans = [timeline.jobs(await w.push(workflow))[0] for _ in range(3)]
            return [span.overhead for span in spans]

    assert min(run_async(story())) == pytest.approx(0.15, abs=0.15)
