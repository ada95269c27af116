"""What a sample shows of a p95, and what it does not."""

from __future__ import annotations

import math
import random

import pytest

from e2e.quantiles import judge, samples_needed, within_budget


def test_how_many_samples_it_takes() -> None:
    assert [samples_needed(0.95, allowed) for allowed in (0, 1, 2)] == [59, 93, 124]
    assert samples_needed(0.99, 0) == 90


@pytest.mark.parametrize(
    ("count", "over", "verdict"),
    [
        (0, 0, "no data"),
        (58, 0, "too short to tell"),
        (59, 0, "passed"),
        (59, 1, "too short to tell"),
        (93, 1, "passed"),
        (59, 6, "too short to tell"),
        (59, 7, "missed"),
        (5, 2, "missed"),
    ],
)
def test_the_verdict_is_only_what_the_sample_shows(count: int, over: int, verdict: str) -> None:
    values = [3.0] * over + [1.0] * (count - over)
    assert judge("load", values, 2.0).verdict == verdict


def test_without_a_limit_nothing_is_promised() -> None:
    assert judge("load", [1.0], None).verdict == "measured"
    assert judge("load", [], None).verdict == "no data"


def test_what_never_came_is_over_every_limit() -> None:
    found = judge("load", [1.0] * 50 + [math.inf] * 9, 2.0)
    assert (found.value, found.over, found.verdict) == (None, 9, "missed")


def test_a_small_sample_bounds_nothing_above() -> None:
    low, high = judge("load", [float(number) for number in range(20)], None).interval
    assert low is not None
    assert high is None


def test_the_interval_holds_the_truth_as_often_as_it_says_whatever_the_distribution() -> None:
    drawn = random.Random(8)  # noqa: S311 - nothing is kept secret by it
    truths = {"exponential": -math.log(0.05), "two humps": 10.0, "even": 0.95}
    for name, truth in truths.items():
        draw = {
            "exponential": lambda: drawn.expovariate(1),
            "two humps": lambda: 10.0 if drawn.random() < 0.1 else drawn.random(),
            "even": drawn.random,
        }[name]
        held = 0
        for _ in range(400):
            low, high = judge("load", [draw() for _ in range(93)], None).interval
            held += (low or 0) <= truth <= (math.inf if high is None else high)
        assert held >= 0.93 * 400, name


@pytest.mark.parametrize(("values", "verdict"), [([], "no data"), ([5, 7], "passed"), ([5, 8], "missed")])
def test_a_budget_is_kept_by_every_visit(values: list[float], verdict: str) -> None:
    assert within_budget("bytes", values, 7).verdict == verdict
