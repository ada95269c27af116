"""Arrival processes: their rates, their order, and that they depend on the seed alone."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests import arrivals
from loadtests.arrivals import Profile, due_times, expected_visits, highest_rate, share_of
from pipelines.errors import InputError
from pipelines.manifest.performance import Arrivals, Load, LoadProfile


def profile(kind: Arrivals = "poisson", **more: Any) -> Profile:
    return Profile(**{"name": "average", "arrivals": kind, "rate": 5.0, "seconds": 60.0, **more})


RATES = st.floats(0.1, 50)
PROFILES = st.builds(
    Profile,
    name=st.sampled_from(("smoke", "stress")),
    arrivals=st.sampled_from(arrivals.KINDS),
    rate=st.floats(20, 50),
    seconds=st.floats(1, 60),
    from_rate=st.floats(0.1, 19),
    rates=st.lists(RATES, min_size=1, max_size=8).map(tuple),
)
SEEDS = st.integers(0, 2**32)


@given(PROFILES, SEEDS)
def test_due_times_are_sorted_lie_within_the_run_and_depend_on_the_seed_alone(given: Profile, seed: int) -> None:
    due = due_times(given, seed)
    assert due == sorted(due) == due_times(given, seed)
    assert all(0 <= each < given.seconds * (1 + 1e-9) for each in due)


@given(PROFILES, SEEDS)
def test_the_number_of_visits_is_what_the_rate_says(given: Profile, seed: int) -> None:
    wanted, made = expected_visits(given), len(due_times(given, seed))
    if given.arrivals == "constant":
        assert abs(made - wanted) <= 1
    else:
        # Seven standard deviations of a Poisson number, which happen to nobody, and some for small means.
        assert abs(made - wanted) <= 7 * math.sqrt(wanted) + 10


@given(PROFILES, SEEDS, st.integers(1, 5))
def test_several_processes_play_each_arrival_exactly_once(given: Profile, seed: int, shares: int) -> None:
    number = len(due_times(given, seed))
    made = [index for share in range(shares) for index in share_of(given, number, share, shares, seed)]
    assert sorted(made) == list(range(number))


@given(PROFILES)
def test_no_stretch_goes_above_the_highest_rate_and_they_take_the_whole_time(given: Profile) -> None:
    parts = arrivals.stretches(given)
    assert math.isclose(sum(part.seconds for part in parts), given.seconds)
    assert max(max(part.first, part.last) for part in parts) == highest_rate(given)


@given(st.floats(1, 100), st.floats(0, 50), st.floats(0.01, 50), st.floats(0, 1))
def test_a_stretch_is_inverted_exactly(seconds: float, first: float, last: float, share: float) -> None:
    part = arrivals.Stretch(seconds, first, last)
    time = part.reached(share * part.visits) if share else 0.0
    slope = (last - first) / seconds
    assert math.isclose(first * time + slope * time**2 / 2, share * part.visits, rel_tol=1e-6, abs_tol=1e-6)


def counted(given: Profile, seeds: int, parts: int) -> list[float]:
    """Visits a second in equal parts of a profile, on average over seeds."""
    counts = [0] * parts
    for seed in range(seeds):
        for due in due_times(given, seed):
            counts[min(parts - 1, int(due / given.seconds * parts))] += 1
    return [count * parts / given.seconds / seeds for count in counts]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (profile("poisson"), [5, 5, 5]),
        (profile("constant"), [5, 5, 5]),
        (profile("ramp", rate=30), [5, 15, 25]),
        (profile("ramp", rate=0, from_rate=30), [25, 15, 5]),
        (profile("spike", rate=40, from_rate=5), [5, 40, 5]),
        (profile("soak", seconds=90, rate=20), [17, 20, 20]),
        (profile("replay", rates=(2, 30, 10)), [2, 30, 10]),
    ],
    ids=lambda value: value.arrivals if isinstance(value, Profile) else "",
)
def test_the_rate_over_time(given: Profile, wanted: list[float]) -> None:
    for found, rate in zip(counted(given, 40, 3), wanted, strict=True):
        assert abs(found - rate) < 5 * math.sqrt(rate / (40 * given.seconds / 3))


def test_a_poisson_process_has_exponential_gaps() -> None:
    """Their mean is their standard deviation; of a constant rate it is nothing."""
    due = due_times(profile(rate=100, seconds=200), 1)
    gaps = [after - before for before, after in itertools.pairwise(due)]
    mean = sum(gaps) / len(gaps)
    deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    assert abs(mean - 0.01) < 0.0005
    assert abs(deviation / mean - 1) < 0.05


def test_each_share_of_a_poisson_process_is_one_and_each_of_a_constant_is_constant() -> None:
    given = profile(rate=100, seconds=200)
    due = due_times(given, 3)
    mine = [due[index] for index in share_of(given, len(due), 1, 4, 3)]
    gaps = [after - before for before, after in itertools.pairwise(mine)]
    mean = sum(gaps) / len(gaps)
    assert abs(mean - 0.04) < 0.003
    assert abs(math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) / mean - 1) < 0.1

    even = profile("constant", rate=10)
    due = due_times(even, 3)
    mine = [due[index] for index in share_of(even, len(due), 2, 4, 3)]
    assert all(math.isclose(after - before, 0.4) for before, after in itertools.pairwise(mine))


def test_another_seed_is_another_run() -> None:
    assert due_times(profile(), 1) != due_times(profile(), 2)


def test_a_profile_is_as_declared() -> None:
    declared = LoadProfile(arrivals="spike", from_per_second=5, per_second=50, seconds=600)
    load = Load(visits_per_second=100, stop_at_errors=5)
    wanted = Profile(name="spike", arrivals="spike", rate=50, from_rate=5, seconds=600, stop_errors=0.05)
    assert Profile.declared("spike", declared, load) == wanted
    assert highest_rate(wanted) == declared.most_per_second


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (profile(seconds=0), "takes no time"),
        (profile(rate=0), "makes no visit"),
        (profile(rate=-1), "negative"),
        (profile(seconds=math.inf), "not finite"),
        (profile("replay"), "replays no recorded rate"),
        (profile("spike", from_rate=5), "no higher"),
    ],
)
def test_a_profile_that_says_nothing_is_refused(given: Profile, message: str) -> None:
    with pytest.raises(InputError, match=message):
        due_times(given, 1)
