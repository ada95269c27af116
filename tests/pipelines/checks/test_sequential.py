"""The claims of the sequential test: a stake that is fair at every step, and what follows from it on generated traffic."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.checks import sequential
from pipelines.checks.sequential import (
    Comparison,
    Outcome,
    Settings,
    found,
    log_stake,
    lower_bound,
    needed,
    quantile_bounds,
    upper_bound,
)

COUNTS = st.integers(0, 400)
SHARES = st.floats(0.0, 1.0)


def fair(now: float, then: list[tuple[float, float]]) -> float:
    """What a stake is expected to be multiplied by, given (probability, logarithm of the stake after it)."""
    return sum(probability * math.exp(log - now) for probability, log in then if probability > 0)


@given(COUNTS, COUNTS, COUNTS, st.floats(-0.9, 0.9), SHARES)
def test_a_stake_does_not_grow_by_itself(up: int, down: int, alike: int, mean: float, spread: float) -> None:
    now = log_stake(up, down, alike, mean)
    least = abs(mean) + (1 - abs(mean)) * spread
    p_up, p_down = (least + mean) / 2, (least - mean) / 2
    then = [
        (p_up, log_stake(up + 1, down, alike, mean)),
        (p_down, log_stake(up, down + 1, alike, mean)),
        (1 - p_up - p_down, log_stake(up, down, alike + 1, mean)),
    ]
    assert fair(now, then) == pytest.approx(1.0)


@given(COUNTS, COUNTS, COUNTS, COUNTS, SHARES, SHARES, SHARES)
def test_the_stake_against_a_candidate_that_is_worse_does_not_grow(
    alone: int, live: int, both: int, neither: int, rate: float, excess: float, overlap: float
) -> None:
    settings = Settings()
    least = max(rate + settings.worse_by, rate * (1 + settings.relative))
    if least > 1:
        return
    worse = least + (1 - least) * excess
    together = max(0.0, worse + rate - 1) + overlap * (rate - max(0.0, worse + rate - 1))
    stake = sequential._log_harmless
    now = stake(alone, live, both, neither, settings)
    then = [
        (worse - together, stake(alone + 1, live, both, neither, settings)),
        (rate - together, stake(alone, live + 1, both, neither, settings)),
        (together, stake(alone, live, both + 1, neither, settings)),
        (1 - worse - rate + together, stake(alone, live, both, neither + 1, settings)),
    ]
    assert fair(now, then) <= 1 + 1e-9


@given(st.integers(0, 300), st.integers(0, 300), st.floats(0.05, 0.95), SHARES)
def test_the_stake_of_a_quantile_does_not_grow(above: int, below: int, share: float, excess: float) -> None:
    now = sequential._share_stake(above, below, share)
    really = share + (1 - share) * excess
    then = [
        (1 - really, sequential._share_stake(above + 1, below, share)),
        (really, sequential._share_stake(above, below + 1, share)),
    ]
    assert fair(now, then) <= 1 + 1e-9


@given(COUNTS, COUNTS, COUNTS, st.floats(0.001, 0.3))
def test_bounds_hold_what_was_seen(up: int, down: int, alike: int, alpha: float) -> None:
    seen = (up - down) / max(1, up + down + alike)
    assert lower_bound(up, down, alike, alpha) <= seen <= upper_bound(up, down, alike, alpha)
    assert lower_bound(up, down, alike, alpha) <= lower_bound(up + 1, down, alike, alpha)


def test_all_looks_together_err_as_seldom_as_is_claimed_exactly() -> None:
    """Every way 300 pairs that differ can come, each side as likely as the other, summed up."""
    ways, alarmed = {0: 1.0}, 0.0
    for pairs in range(1, 301):
        after: dict[int, float] = {}
        for ups, probability in ways.items():
            for more in (0, 1):
                after[ups + more] = after.get(ups + more, 0.0) + probability / 2
        for ups in [ups for ups in after if log_stake(ups, pairs - ups, 0) >= math.log(100)]:
            alarmed += after.pop(ups)
        ways = after
    assert 0.001 < alarmed <= 0.01


def pairs(
    seed: int, candidate: Callable[[random.Random], Outcome], live: Callable[[random.Random], Outcome]
) -> Iterator[tuple[Outcome, Outcome]]:
    chance = random.Random(seed)  # noqa: S311
    while True:
        yield candidate(chance), live(chance)


def side(failing: float = 0.0, slow: float = 0.0) -> Callable[[random.Random], Outcome]:
    """Answers around 40 ms with a long tail, a share of which fails, and a share takes three seconds."""

    def answer(chance: random.Random) -> Outcome:
        ms = 3000.0 if chance.random() < slow else 40 * chance.lognormvariate(0, 0.5)
        return Outcome(chance.random() < failing, ms)

    return answer


def decided(
    seed: int,
    candidate: Callable[[random.Random], Outcome],
    live: Callable[[random.Random], Outcome],
    settings: Settings = Settings(parts=4),  # noqa: B008 - it is frozen
    *,
    every: int = 1,
    most: int = 6000,
    least: int = 0,
) -> tuple[str, int]:
    """(decision, pairs) of one comparison that is looked at after `every` pairs."""
    comparison, traffic = Comparison(settings), pairs(seed, candidate, live)
    while True:
        for _ in range(every):
            comparison.add(*next(traffic))
        decision = comparison.decision()
        if decision == "worse" or (decision == "not worse" and comparison.pairs >= least) or comparison.pairs >= most:
            return decision, comparison.pairs


@pytest.mark.parametrize("failing", [0.0, 0.05, 0.2, 0.5, 1.0])
def test_a_release_as_good_as_live_is_called_worse_at_most_once_in_a_hundred(failing: float) -> None:
    """Looked at after every fifth of 400 pairs, over errors and times together."""
    same = side(failing, slow=0.05)
    found = [decided(seed, same, same, Settings(), every=5, most=400, least=400)[0] for seed in range(200)]
    assert found.count("worse") <= 2


@pytest.mark.parametrize(("live", "more"), [(0.0, 0.02), (0.05, 0.02), (0.2, 0.08)])
def test_a_candidate_that_is_worse_by_what_was_declared_passes_at_most_five_times_in_a_hundred(
    live: float, more: float
) -> None:
    found = [decided(seed, side(live + more), side(live), every=10, most=3000)[0] for seed in range(100)]
    assert found.count("not worse") <= 5


@pytest.mark.parametrize(
    ("candidate", "live", "within"),
    [
        (side(1.0), side(), 11),
        (side(1.0), side(0.2), 30),
        (side(slow=1.0), side(), 16),
        (side(slow=0.1), side(), 350),
        (side(0.2), side(), 130),
        (side(0.05), side(), 600),
        (side(0.4), side(0.2), 600),
        (side(0.1), side(0.05), 3500),
        (side(0.2, slow=0.1), side(0.2), 6000),
    ],
)
def test_what_is_worse_is_found(
    candidate: Callable[[random.Random], Outcome], live: Callable[[random.Random], Outcome], within: int
) -> None:
    for seed in range(10):
        decision, count = decided(seed, candidate, live, least=10**9)
        assert decision == "worse"
        assert count <= within


def test_one_more_in_a_hundred_is_found_within_the_pairs_that_theory_needs() -> None:
    """Of those who know both rates beforehand: Wald's bound of the expected number, for the same share of errors."""
    settings = Settings(worse_by=0.01, parts=4)
    counts = [decided(seed, side(0.01), side(), settings, least=10**9)[1] for seed in range(40)]
    wald = settings.threshold / (0.01 * math.log(2))
    assert sum(counts) / len(counts) <= 1.3 * wald
    assert found(settings, 0.01) == pytest.approx(sum(counts) / len(counts), rel=0.15)


@pytest.mark.parametrize("live", [0.0, 0.05, 0.2, 1.0])
def test_a_perfect_candidate_passes_however_live_fails(live: float) -> None:
    for seed in range(10):
        decision, count = decided(seed, side(), side(live))
        assert decision == "not worse"
        assert count <= 220


@pytest.mark.parametrize("failing", [0.05, 0.2, 0.5, 1.0])
def test_a_candidate_as_bad_as_live_passes(failing: float) -> None:
    decisions = [decided(seed, side(failing), side(failing), every=10)[0] for seed in range(20)]
    assert decisions.count("worse") == 0
    assert decisions.count("not worse") >= 19


def test_a_candidate_that_never_fails_passes_after_exactly_the_pairs_that_are_announced() -> None:
    for settings in (Settings(), Settings(worse_by=0.01), Settings(worse_by=0.1, missed=0.01)):
        comparison, count = Comparison(settings), needed(settings)
        for _ in range(count - 1):
            comparison.add(Outcome(False, 20), Outcome(False, 20))
        assert comparison.decision() == "undecided"
        comparison.add(Outcome(False, 20), Outcome(False, 20))
        assert comparison.decision() == "not worse"


def test_less_can_be_announced_the_more_there_is_to_find() -> None:
    assert [needed(Settings(worse_by=share)) for share in (0.1, 0.02, 0.01)] == [74, 198, 399]
    assert needed(Settings(), failing=0.05) > needed(Settings(), failing=0.01) > needed(Settings())
    assert found(Settings(), 1.0) < 12 < found(Settings(), 0.2) < found(Settings(), 0.2, failing=0.2)


def test_a_journey_that_fails_alone_is_found_among_others_that_fail_on_both_sides() -> None:
    chance, names = random.Random(1), [f"journey {number}" for number in range(8)]  # noqa: S311
    comparison = Comparison(Settings(parts=4), names)
    while comparison.decision() != "worse":
        for name in names:
            failing = 1.0 if name == "journey 3" else 0.2
            comparison.add(side(failing)(chance), side(0.0 if name == "journey 3" else 0.2)(chance), name)
        assert comparison.pairs < 400
    assert "fails more often in journey 3 than live" in comparison.verdict().says


def test_a_small_slowdown_is_tolerated_however_long_it_is_watched() -> None:
    def later(chance: random.Random) -> Outcome:
        return Outcome(False, 80 + 40 * chance.lognormvariate(0, 0.5))

    assert decided(1, later, side(), every=20, most=8000, least=8000) == ("not worse", 8000)


def test_a_candidate_that_answers_late_what_live_does_not_answer_at_all_is_not_slower() -> None:
    """Live gives up on a fifth of its requests; the candidate answers them after four seconds."""

    def fixed(chance: random.Random) -> Outcome:
        return Outcome(False, 4000 if chance.random() < 0.2 else 40 * chance.lognormvariate(0, 0.5))

    assert [decided(seed, fixed, side(0.2))[0] for seed in range(20)].count("worse") == 0


def test_no_data_decides_nothing() -> None:
    comparison = Comparison(Settings())
    assert comparison.verdict().decision == "undecided"
    assert comparison.verdict().says == "nothing was measured"
    for _ in range(5):
        comparison.add(None, Outcome(False, 20))
    assert comparison.verdict().says == (
        "nothing was measured; 5 pairs say nothing: refused by a rate limit, or no side answered"
    )


def test_a_machine_without_a_network_measures_nothing() -> None:
    comparison, silence = Comparison(Settings()), Outcome(True, 2000, answered=False)
    for _ in range(500):
        comparison.add(silence, silence)
    assert (comparison.decision(), comparison.pairs, comparison.skipped) == ("undecided", 0, 500)
    for _ in range(12):
        comparison.add(silence, Outcome(True, 20))
        comparison.add(silence, Outcome(False, 20))
    assert (comparison.decision(), comparison.pairs) == ("worse", 24)


def test_an_answer_of_a_rate_limit_counts_neither_way_and_too_many_decide_nothing() -> None:
    comparison = Comparison(Settings())
    for _ in range(300):
        comparison.add(Outcome(False, 20), Outcome(False, 20))
        comparison.add(None, Outcome(True, 20))
    assert (comparison.pairs, comparison.skipped, comparison.live.failed) == (300, 300, 0)
    assert comparison.decision() == "not worse"
    comparison.add(Outcome(True, 20), None)
    assert comparison.decision() == "undecided"
    assert comparison.candidate.failed == 0


def test_the_candidate_alone_is_judged_by_its_failures() -> None:
    comparison = Comparison(Settings(), alone=True)
    for _ in range(9):
        comparison.add(Outcome(True, 20), Outcome(False, 20))
    assert comparison.verdict().says.startswith("the candidate fails: 9 of 9 visits failed; it fails at most")


def test_quantiles_are_within_their_bounds_at_every_look() -> None:
    outside = 0
    for seed in range(200):
        chance, values = random.Random(seed), list[float]()  # noqa: S311
        held = True
        for _ in range(25):
            values = sorted([*values, *(chance.random() for _ in range(8))])
            low, high = quantile_bounds(values, 0.9, 0.05)
            held = held and low <= 0.9 <= high
        outside += not held
    assert outside <= 10
    assert (low, high) != (0.0, math.inf)


def test_bounds_of_quantiles_close_with_more_values() -> None:
    assert quantile_bounds([], 0.5, 0.05) == (0.0, math.inf)
    few, many = (quantile_bounds([float(n) / count for n in range(count)], 0.5, 0.05) for count in (100, 10_000))
    assert few[0] < many[0] < 0.5 < many[1] < few[1]
