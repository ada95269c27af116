"""Intervals hold the truth of servers that are known, and where they could not the run is too short to tell."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator

import numpy
import pytest

from benchmarks._load_servers import ENDPOINT, SERVERS, Server, play, slices, truth
from benchmarks.load_intervals import FIRST, holds, of_run
from loadtests.intervals import Estimate, Series, of_independent, percentile, ratio, student, tail_share
from loadtests.recording import Recording, Sample, Slice

NAMED = {each.name: each for each in SERVERS}


def series(name: str, seed: int, seconds: float = 310, rate: float = 10.0) -> Series:
    return Series(play(NAMED[name], seed, seconds, rate).slices(ENDPOINT), FIRST, int(seconds))


def of_values(*seconds: list[float]) -> Series:
    """Milliseconds of each second; infinity failed."""
    made = {}
    for second, values in enumerate(seconds):
        made[second] = Slice()
        for ms in values:
            if math.isinf(ms):
                made[second].errors["failed"] += 1
            else:
                made[second].times.record(ms)
    return Series(made, 0, len(seconds))


@pytest.mark.parametrize("server", SERVERS[:7], ids=lambda server: server.name)
def test_of_twelve_intervals_at_most_two_miss_the_truth(server: Server) -> None:
    """The seeds are fixed; benchmarks/load_intervals.py has 200 of them, and asks for 93 %."""
    runs = [of_run(server.name, seed, 310, 10.0) for seed in range(12)]
    for value, estimates in zip(truth(server, 310, FIRST, (0.5, 0.95, 0.99)), zip(*runs, strict=True), strict=True):
        answered = [each for each in estimates if not each.why]
        assert len(answered) >= 8
        assert sum(not holds(each, value) for each in answered) <= 2


def test_a_run_too_short_for_its_stalls_says_so() -> None:
    """Six stalls in a minute: no interval can be trusted, and a gate must not pass on it."""
    whys = [percentile(series("stalls 1 s in 10", seed, seconds=70), 0.95).why for seed in range(10)]
    assert all("at least" in why for why in whys)
    assert any("comes of" in why for why in whys)


def test_a_run_too_short_for_what_holds_its_answers_together_says_so() -> None:
    whys = [percentile(series("slow phases", seed, seconds=160), 0.95).why for seed in range(10)]
    assert sum("hang together" in why for why in whys) >= 8


@pytest.mark.parametrize(("share", "needed"), [(0.5, 30), (0.95, 300), (0.99, 1500)])
def test_so_many_samples_are_needed(share: float, needed: int) -> None:
    for count, enough in ((needed, True), (needed - 1, False)):
        dealt = [[50.0] * (count // 40 + (at < count % 40)) for at in range(40)]
        found = percentile(of_values(*dealt), share)
        assert (found.samples, not found.why) == (count, enough)
    assert f"at least {needed:,} are needed" in found.why


def test_nothing_is_known_of_nothing() -> None:
    for empty in (of_values(), of_values([]), of_values([], [], [])):
        found = percentile(empty, 0.95)
        assert (found.value, found.samples, found.why) == (None, 0, "there are no samples")


def test_one_sample_or_one_second_is_too_short_to_tell() -> None:
    assert percentile(of_values([12.0]), 0.95).why
    found = percentile(of_values([12.0] * 1000), 0.95)
    assert found.value == pytest.approx(12.0, rel=0.001)
    assert "needed" in found.why


def test_a_failed_answer_is_slower_than_any_other() -> None:
    few = percentile(of_values(*[[10.0] * 96 + [math.inf] * 4] * 60), 0.95)
    assert few.value == pytest.approx(10.0, rel=0.001)
    many = percentile(of_values(*[[10.0] * 94 + [math.inf] * 6] * 60), 0.95)
    assert (many.value, many.low, many.high) == (math.inf, math.inf, math.inf)


def test_slow_answers_that_come_together_make_the_interval_wider() -> None:
    """The same answers, scattered and in stalls: only their order differs."""
    dice = numpy.random.default_rng(5)
    scattered = numpy.where(dice.random((300, 10)) < 0.1, dice.uniform(10, 1000, (300, 10)), 10.0)
    together = numpy.sort(scattered.ravel()).reshape(300, 10)[dice.permutation(300)]
    apart, held = (percentile(of_values(*values.tolist()), 0.95) for values in (scattered, together))
    assert apart.value == held.value
    assert held.stalls >= 10
    assert held.high - held.low > 1.5 * (apart.high - apart.low)


def test_blocks_are_twice_as_long_as_the_longest_stall() -> None:
    calm, stall = [10.0] * 10, [900.0] * 10
    seconds = [stall if at % 50 < 4 else calm for at in range(600)]
    blocks = of_values(*seconds).blocks
    assert (blocks.stalls, blocks.longest) == (12, 4)
    assert blocks.length >= 8


def test_a_leak_is_no_stall_and_a_long_run_is_reckoned_in_larger_units() -> None:
    dice = numpy.random.default_rng(3)
    due = numpy.sort(dice.uniform(0, 7200, 7200 * 3))
    leak = Series(slices(due, 50 * (1 + due / 7200) * dice.lognormal(0, 0.3, len(due))), 10, 7200)
    assert leak.unit == 3
    assert leak.blocks.stalls == 0
    found = percentile(leak, 0.95)
    assert not found.why
    assert found.value == pytest.approx(132.9, rel=0.03)


def test_a_spike_is_a_load_of_its_own_and_no_stall() -> None:
    """A minute of ten times the load, under which answers take twice as long, as the profile asked for it."""
    dice = numpy.random.default_rng(4)
    due = numpy.sort(numpy.concatenate([dice.uniform(0, 600, 3000), dice.uniform(270, 330, 2700)]))
    ms = numpy.where((due > 270) & (due < 330), 100.0, 50.0) * dice.lognormal(0, 0.3, len(due))
    spike = Series(slices(due, ms), 10, 600)
    assert spike.blocks.longest <= 3
    found = percentile(spike, 0.95)
    assert not found.why
    assert found.low <= numpy.quantile(ms, 0.95) <= found.high


def test_the_same_run_gives_the_same_interval() -> None:
    assert percentile(series("stalls at random", 4), 0.95) == percentile(series("stalls at random", 4), 0.95)


def test_the_ratio_of_two_runs_is_about_one_when_nothing_changed_and_found_when_it_did() -> None:
    def low_and_high(factor: float) -> tuple[float, float]:
        dice = numpy.random.default_rng(7)
        before = of_values(*dice.lognormal(4, 0.5, (200, 10)).tolist())
        now = of_values(*(factor * dice.lognormal(4, 0.5, (200, 10))).tolist())
        return ratio(now, before, 0.95)

    low, high = low_and_high(1.0)
    assert low < 1 < high
    low, high = low_and_high(1.3)
    assert 1 < low < 1.3 < high


@pytest.mark.parametrize(("share", "freedom", "known"), [(0.975, 5, 2.571), (0.975, 15, 2.131), (0.995, 10, 3.169)])
def test_students_quantiles_are_those_of_the_tables(share: float, freedom: float, known: float) -> None:
    assert student(share, freedom) == pytest.approx(known, rel=0.005)


def test_few_blocks_leave_out_less_of_the_draws() -> None:
    assert tail_share(1e6, 1, 0.95) == pytest.approx(0.025, rel=0.01)
    assert tail_share(12, 3, 0.95) < tail_share(40, 10, 0.95) < 0.025


@pytest.mark.parametrize(("count", "closed"), [(71, False), (72, True)])
def test_independent_samples_have_an_upper_end_from_72_on(count: int, closed: bool) -> None:
    """The 95th percentile is below the largest of 72 with 97.5 % confidence: 0.95 to the power of 72 is 0.0249."""
    found = of_independent([float(at) for at in range(count)], 0.95)
    assert math.isfinite(found.high) == closed
    assert bool(found.why) != closed


def test_intervals_of_independent_samples_hold_the_truth() -> None:
    dice = numpy.random.default_rng(11)
    runs: Iterator[Estimate] = (of_independent(dice.lognormal(0, 1, 150).tolist(), 0.95) for _ in range(400))
    value = math.exp(statistics.NormalDist().inv_cdf(0.95))
    assert sum(each.low <= value <= each.high for each in runs) >= 0.93 * 400


def test_thousands_of_independent_samples_are_no_trouble() -> None:
    found = of_independent([float(at) for at in range(5000)], 0.95)
    assert found.value == 4749
    assert 4700 < found.low < found.value < found.high < 4800


def test_the_quick_way_of_the_bench_records_what_add_does() -> None:
    dice = numpy.random.default_rng(2)
    due = numpy.sort(dice.uniform(0, 5, 400))
    ms = numpy.where(dice.random(400) < 0.1, math.inf, dice.lognormal(3, 2, 400))
    recording = Recording.of_shard(profile="", environment="", release="", seed=0, start=0.0, seconds=5)
    for at, each in zip(due.tolist(), ms.tolist(), strict=True):
        lost = math.isinf(each)
        recording.add(Sample(at, ENDPOINT, 0.0 if lost else each, error="failed" if lost else ""))
    assert slices(due, ms) == recording.slices(ENDPOINT)
