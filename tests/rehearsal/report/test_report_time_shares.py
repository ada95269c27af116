"""Where the time went: every moment is counted once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.report import time_shares
from rehearsal.report.model import Job
from tests.rehearsal.report.example import BEGAN, job, run, step

NAMES = st.sampled_from(["Set up job", "Check", "Run the browser tests", "Shift traffic", "Complete job"])


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    """Steps in order, with gaps, some before the beginning and after the end of the rehearsal."""
    cuts = sorted(draw(st.lists(st.floats(-20, 120), min_size=2, max_size=9)))
    busy = st.none() | st.floats(0, 200)
    cut = list(zip(cuts[::2], cuts[1::2], strict=False))
    steps = [step(draw(NAMES), left, right, draw(busy), draw(st.floats(0, 200))) for left, right in cut]
    return job(started=cuts[0], ended=cuts[-1], steps=steps)


@given(st.lists(jobs(), max_size=6))
@settings(max_examples=100, deadline=None)
def test_parts_are_never_negative_and_add_up(some: list[Job]) -> None:
    found = time_shares.shares([run(*some)], BEGAN, BEGAN + 100)
    assert [share.activity for share in found] == list(time_shares.ORDER)
    assert all(share.part >= 0 and share.seconds >= 0 for share in found)
    assert sum(share.part for share in found) == pytest.approx(1, abs=1e-3)
    assert sum(share.seconds for share in found) == pytest.approx(100, abs=1e-2)


def test_two_at_once_get_half_each_and_the_rest_is_waiting() -> None:
    browser = job(started=0, ended=4, steps=[step("Run the browser tests", 0, 4)])
    ours = job(started=2, ended=6, steps=[step("Shift traffic", 2, 6)])
    found = {s.activity: s.seconds for s in time_shares.shares([run(browser, ours)], BEGAN, BEGAN + 10)}
    assert found == {
        time_shares.APPS: 0,
        time_shares.BROWSER: 3,
        time_shares.ACT: 0,
        time_shares.ACTIONS: 3,
        time_shares.WAITING: 4,
    }


def test_a_step_of_ours_that_waits_for_others_is_waiting() -> None:
    one = job(started=0, ended=10, steps=[step("Shift traffic", 0, 8, busy=2), step("Check", 8, 10, busy=1)])
    found = {s.activity: s.seconds for s in time_shares.shares([run(one)], BEGAN, BEGAN + 10)}
    assert found == {
        time_shares.APPS: 2,
        time_shares.BROWSER: 0,
        time_shares.ACT: 0,
        time_shares.ACTIONS: 2,
        time_shares.WAITING: 6,
    }


def test_the_stand_ins_that_a_step_of_ours_uses_are_acts() -> None:
    one = job(started=0, ended=10, steps=[step("Set up", 0, 10, busy=2, nested_busy=3)])
    found = {s.activity: s.seconds for s in time_shares.shares([run(one)], BEGAN, BEGAN + 10)}
    assert found == {
        time_shares.APPS: 0,
        time_shares.BROWSER: 0,
        time_shares.ACT: 3,
        time_shares.ACTIONS: 2,
        time_shares.WAITING: 5,
    }


def test_what_lies_between_steps_is_act() -> None:
    one = job(started=0, ended=5, steps=[step("Check", 1, 3)])
    assert list(time_shares.spans_of(one)) == [
        time_shares.Span(BEGAN, BEGAN + 1, time_shares.ACT),
        time_shares.Span(BEGAN + 1, BEGAN + 3, time_shares.APPS),
        time_shares.Span(BEGAN + 3, BEGAN + 5, time_shares.ACT),
    ]


def test_a_job_that_never_started_took_nothing() -> None:
    never = job(started=-BEGAN, ended=-BEGAN)
    assert list(time_shares.spans_of(never)) == []
    assert time_shares.shares([run(never)], BEGAN, BEGAN + 10)[-1].part == 1
