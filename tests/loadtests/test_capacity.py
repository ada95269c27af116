"""How much load a platform takes: the search as a function of its measurements, and against platforms whose capacity is known."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks._slots import Slots
from loadtests import capacity
from loadtests.arrivals import Profile
from loadtests.capacity import Bounds, Capacity, Ended, Next, Search, Step, decide, edges
from loadtests.recording import Recording, RecordingRefused
from loadtests.verdicts import Verdict
from pipelines.manifest.performance import PerformanceTarget

RESPONSES = {"API responses": PerformanceTarget(of="response", component="backend", p95_ms=500)}
BOUNDS = Bounds(start=3, most=100, total_seconds=7200)
NOISE: Sequence[Verdict] = ("passed", "missed", "too short to tell", "invalid")


def steps_of(
    oracle: Callable[[Next], Verdict], bounds: Bounds, *, took: float | None = None
) -> tuple[list[Step], Ended]:
    """All steps of a search whose answers are an oracle's."""
    steps: list[Step] = []
    while isinstance(following := decide(steps, bounds), Next):
        spent = following.seconds if took is None else took
        steps.append(stepped(following, oracle(following), spent))
    return steps, following


def stepped(made: Next, verdict: Verdict, took: float, *, best: bool | None = None) -> Step:
    met = verdict == "passed" if best is None else best
    return Step(rate=made.rate, seconds=made.seconds, verdict=verdict, best=met, took=took)


def at_most(truth: float) -> Callable[[Next], Verdict]:
    return lambda step: "passed" if step.rate <= truth else "missed"


# as a function ------------------------------------------------------------------------------------------------------------


@given(st.floats(0.01, 300.0), st.floats(0.5, 100.0))
def test_the_bracket_holds_the_truth_and_is_narrow(truth: float, start: float) -> None:
    bounds = replace(BOUNDS, start=start, total_seconds=1e6)
    steps, ended = steps_of(at_most(truth), bounds)
    low, high = edges(steps, bounds)
    if ended == "found":
        assert low is not None
        assert high is not None
        assert low <= truth < high <= low * 1.1 * (1 + 1e-12)
        assert [sum(step.rate == edge for step in steps) for edge in (low, high)] == [2, 2]
    elif ended == "most reached":
        assert truth >= bounds.most == low
        assert high is None
    else:
        assert ended == "never met"
        assert truth < bounds.least == high
        assert low is None
    assert not list(capacity.contradictions(steps))
    assert len(steps) <= capacity.expected_steps(bounds) + 5


@given(st.floats(3.0, 100.0), st.floats(1.0, 1.3), st.randoms(use_true_random=False))
def test_what_is_unsure_near_the_truth_moves_the_answer_no_further_than_that(
    truth: float, unsure: float, dice: random.Random
) -> None:
    steps: list[Step] = []
    while isinstance(following := decide(steps, BOUNDS), Next):
        if truth / unsure < following.rate < truth * unsure:
            steps.append(stepped(following, "too short to tell", 60, best=dice.random() < 0.5))
        else:
            steps.append(stepped(following, at_most(truth)(following), 60))
    low, high = edges(steps, BOUNDS)
    assert following in ("found", "most reached")
    assert low is None or low <= truth * unsure
    assert high is None or high >= truth / unsure


@settings(max_examples=300)
@given(st.randoms(use_true_random=False), st.floats(0.5, 100.0))
def test_an_oracle_that_answers_at_random_comes_to_an_end(dice: random.Random, start: float) -> None:
    """mlcommons/inference#242: the search for the peak asked for the same again and again."""
    bounds = replace(BOUNDS, start=start)
    steps, ended = steps_of(lambda _: dice.choice(NOISE), bounds, took=0)
    assert len(steps) <= capacity.MOST_STEPS
    votes = [step for step in steps if step.verdict in ("passed", "missed")]
    assert all(sum(each.rate == step.rate for each in votes) <= 3 for step in votes)
    assert steps
    assert all(step.rate <= bounds.most for step in steps)
    low, high = edges(steps, bounds)
    assert low is None or high is None or low < high
    if ended == "found":
        assert high is not None
        assert low is not None
        assert high <= low * 1.1 * (1 + 1e-12)


@given(st.randoms(use_true_random=False), st.floats(130, 3000), st.floats(1.0, 3.0))
def test_no_step_begins_that_would_end_too_late(dice: random.Random, total: float, longer: float) -> None:
    bounds = replace(BOUNDS, total_seconds=total)
    steps: list[Step] = []
    while isinstance(following := decide(steps, bounds), Next):
        assert sum(step.took for step in steps) + following.seconds <= total
        took = following.seconds * longer
        steps.append(stepped(following, dice.choice(NOISE), took))
    assert steps


def test_the_steps_of_a_search_are_these() -> None:
    steps, ended = steps_of(at_most(30), BOUNDS)
    assert ended == "found"
    assert [step.rate for step in steps] == [3, 6, 12, 24, 48, 33.9, 28.5, 31.1, 28.5, 31.1]
    assert capacity.expected_steps(BOUNDS) == 12


def test_less_than_the_first_rate_is_found_as_well() -> None:
    steps, ended = steps_of(at_most(1.0), BOUNDS)
    low, high = edges(steps, BOUNDS)
    assert ended == "found"
    assert low is not None
    assert high is not None
    assert low <= 1.0 < high
    assert steps_of(at_most(0.1), BOUNDS)[1] == "never met"


def test_a_step_that_is_too_short_to_tell_is_made_longer_and_then_its_best_estimate_has_to_do() -> None:
    steps: list[Step] = []
    while isinstance(following := decide(steps, BOUNDS), Next):
        unsure = 20 < following.rate < 40
        verdict: Verdict = "too short to tell" if unsure else at_most(20)(following)
        steps.append(stepped(following, verdict, 60, best=following.rate < 30))
    assert [(step.rate, step.seconds) for step in steps if step.rate == 24] == [(24, 60), (24, 120)]
    low, high = edges(steps, BOUNDS)
    assert low is not None
    assert high is not None
    assert low <= 30 < high
    assert [step.seconds for step in steps if step.rate == high] == [60, 120, 120], "not begun with a short one again"
    found = Capacity(ended="found", bounds=BOUNDS, steps=tuple(steps), low=low, high=high)
    assert not found.sure


def test_a_step_of_few_visits_lasts_until_there_are_enough_requests() -> None:
    bounds = replace(BOUNDS, requests=3)
    assert bounds.step(10).seconds == 60
    assert bounds.step(0.5).seconds == 260
    assert bounds.step(0.5).seconds * 0.5 * 3 > 1.2 * 300


def test_an_invalid_step_is_made_once_more_and_a_second_one_ends_the_search() -> None:
    """openlinker#2933: what the generator could do was nearly published as what the platform could."""
    steps, ended = steps_of(lambda step: "passed" if step.rate < 20 else "invalid", BOUNDS)
    assert [step.rate for step in steps] == [3, 6, 12, 24, 24]
    assert ended == "generator"
    assert edges(steps, BOUNDS) == (12, None)
    once = iter(["passed", "invalid"])
    assert steps_of(lambda step: next(once, at_most(30)(step)), BOUNDS)[1] == "found"  # type: ignore[arg-type]


def test_no_data_ends_it_at_once() -> None:
    steps, ended = steps_of(lambda _: "no data", BOUNDS)
    assert (len(steps), ended) == (1, "no data")


def test_one_chance_miss_does_not_decide_and_is_reported() -> None:
    """triton-inference-server#7436: a level that was slower than those around it, for no reason that anybody found."""
    missed: list[float] = []

    def oracle(step: Next) -> Verdict:
        if step.rate == 24 and not missed:
            missed.append(step.rate)
            return "missed"
        return at_most(60)(step)

    steps, ended = steps_of(oracle, BOUNDS)
    low, high = edges(steps, BOUNDS)
    assert ended == "found"
    assert low is not None
    assert high is not None
    assert low <= 60 < high
    assert list(capacity.contradictions(steps)) == [
        "24 visits/s met every target twice, and missed one once",
        f"a step of {low:g} visits/s met every target, although one of only 24 missed one",
    ]


def test_it_is_not_halved_beyond_what_a_step_can_tell() -> None:
    """mlcommons/inference#2171: the peak was halved down to six in 22,481, from steps of ten seconds made once each."""
    bounds = replace(BOUNDS, start=1000, most=100_000, total_seconds=1e6)
    steps, _ = steps_of(at_most(22_481), bounds)
    low, high = edges(steps, bounds)
    assert low is not None
    assert high is not None
    assert 1.04 < high / low <= 1.1


# against platforms --------------------------------------------------------------------------------------------------------


def searched(platform: Slots, bounds: Bounds = BOUNDS, **more: Any) -> Capacity:
    return Search(platform.measure, RESPONSES, bounds, clock=platform.clock, **more).run()


@pytest.mark.parametrize(("slots", "service"), [(1, 0.05), (4, 0.05), (8, 0.2), (2, 0.3)])
def test_a_platform_with_a_known_number_of_slots_is_found_within_fifteen_per_cent(slots: int, service: float) -> None:
    platform = Slots(slots, service)
    found = searched(platform)
    assert found.ended == "found"
    assert found.low is not None
    assert found.high is not None
    knee = platform.knee(0.5)
    assert found.low == pytest.approx(knee, rel=0.15)
    assert found.high >= 0.95 * knee
    assert found.broke is not None
    assert found.broke.where == {"API responses": "backend GET /notes"}


def test_what_takes_more_than_it_may_be_asked_is_at_least_that() -> None:
    found = searched(Slots(100, 0.1), Bounds(start=3, most=20, total_seconds=7200))
    assert (found.ended, found.low, found.high) == ("most reached", 20, None)
    assert max(step.rate for step in found.steps) == 20


def test_a_step_begins_when_the_queue_of_the_one_before_has_drained() -> None:
    """guidellm#1086: what is measured above the capacity is the backlog, and what comes after it inherits that."""
    waits: list[tuple[float, float]] = []

    class Watched(Slots):
        def measure(self, profile: Profile, draw: int) -> Recording:
            if profile.name == "capacity":
                waits.append((profile.rate, max(0.0, max(self._free, default=0.0) - self.time)))
            return super().measure(profile, draw)

    platform = Watched(4, 0.05)
    found = searched(platform)
    assert any(profile.rate > platform.capacity * 1.1 for profile in platform.profiles)
    assert all(wait < 0.5 for _, wait in waits), waits
    assert found.low == pytest.approx(platform.knee(0.5), rel=0.15)


def test_a_platform_that_does_not_come_to_itself_again_ends_the_search() -> None:
    class Broken(Slots):
        def measure(self, profile: Profile, draw: int) -> Recording:
            if any(each.rate > self.capacity for each in self.profiles):
                self.service = 5.0
            return super().measure(profile, draw)

    found = searched(Broken(4, 0.05))
    assert found.ended == "did not recover"
    assert (found.low, found.high) == (48, 96)
    assert "after a step of 96 visits/s the platform was still slower than before" in found.why


def test_a_generator_that_is_late_is_not_taken_for_the_platform() -> None:
    found = searched(Slots(100, 0.05, lag_above=30))
    assert (found.ended, found.low, found.high) == ("generator", 24, None)
    assert "began more than 10 ms late, the generator being busy" in found.why


@pytest.mark.parametrize("calm", [False, True])
def test_a_generator_that_is_lost_makes_a_step_invalid(calm: bool) -> None:
    class Lost(Slots):
        def measure(self, profile: Profile, draw: int) -> Recording:
            if profile.rate > 10 or (calm and profile.name == "calm" and self.time):
                raise RecordingRefused("the generator of shard 0 of 1 left no recording")
            return super().measure(profile, draw)

    found = searched(Lost())
    assert (found.ended, found.low) == ("generator", 6)
    assert found.why == "the generator of shard 0 of 1 left no recording"


@pytest.mark.parametrize("raised", [True, False])
def test_interrupted_it_says_what_it_knows(raised: bool) -> None:
    class Interrupted(Slots):
        def measure(self, profile: Profile, draw: int) -> Recording:
            recording = super().measure(profile, draw)
            if profile.rate > 10 and raised:
                raise KeyboardInterrupt
            if profile.rate > 10:
                recording.stopped.add("interrupted")
            return recording

    found = searched(Interrupted())
    assert (found.ended, found.low) == ("interrupted", 6)


def test_everybody_is_reported_what_comes_and_each_step_is_kept() -> None:
    lines: list[str] = []
    kept: list[tuple[int, str, float]] = []
    platform = Slots()
    found = searched(
        platform,
        about=lines.append,
        keep=lambda number, judgement, recording: kept.append((number, judgement.verdict, recording.seconds)),
    )
    assert lines[:3] == ["step 1: 3 visits/s for 130 s", "  passed", "step 2: 6 visits/s for 65 s"]
    assert kept == [(number, step.verdict, step.seconds) for number, step in enumerate(found.steps, 1)]
    assert sum(step.took for step in found.steps) <= platform.time <= BOUNDS.total_seconds
