"""The beginning is left out by a rule that chance and a leak do not move."""

from __future__ import annotations

import random

from loadtests.recording import Recording, Sample
from loadtests.warmup import measured_from


def first(ms: dict[int, float], seed: int = 1, seconds: int = 200) -> int:
    """`ms`: from which second on answers take that long at the median."""
    dice = random.Random(seed)  # noqa: S311
    recording = Recording.of_shard(
        profile="smoke", environment="staging", release="", seed=seed, start=0.0, seconds=seconds
    )
    for _ in range(seconds * 10):
        due = dice.uniform(0, seconds)
        median = ms[max(begin for begin in ms if begin <= due)]
        recording.add(Sample(due, "backend GET /notes", median * dice.lognormvariate(0, 0.5)))
    return measured_from(recording.slices(), seconds)


def test_ten_seconds_are_left_out_of_a_platform_that_is_warm() -> None:
    cuts = [first({0: 50.0}, seed) for seed in range(20)]
    assert cuts.count(10) >= 19


def test_a_slow_beginning_is_left_out_until_it_is_over() -> None:
    assert first({0: 200.0, 23: 50.0}) == 25


def test_a_beginning_that_never_ends_is_measured_after_a_quarter() -> None:
    assert first({0: 200.0, 120: 50.0}, seconds=200) <= 50


def test_a_platform_that_grows_slower_keeps_its_fast_beginning() -> None:
    assert first({second: 50.0 + second for second in range(200)}) == 10


def test_a_short_run_loses_a_tenth_and_one_without_answers_no_more() -> None:
    assert first({0: 50.0}, seconds=40) == 4
    assert measured_from({}, 40) == 4
