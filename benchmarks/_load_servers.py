"""Servers whose response times are known: what requests of them take, and what a percentile of them truly is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from loadtests.histogram import Histogram
from loadtests.recording import Recording, Slice

Floats = NDArray[numpy.float64]
Dice = numpy.random.Generator

ENDPOINT = "server GET /"
_SEVERAL = 100


@dataclass(frozen=True, kw_only=True)
class Server:
    """`answers`: milliseconds (infinity: it failed) of requests due at given seconds, in order, of a run of so many seconds."""

    name: str
    answers: Callable[[Dice, Floats, float], Floats]
    drifts: bool = False
    """What it does depends on how far the run is; the truth is then the mixture over the measured part."""


def _log_normal(dice: Dice, count: int, median: float, sigma: float) -> Floats:
    return median * numpy.exp(sigma * dice.standard_normal(count))


def constant(dice: Dice, due: Floats, seconds: float) -> Floats:
    return numpy.full(len(due), 50.0)


def log_normal(dice: Dice, due: Floats, seconds: float) -> Floats:
    return _log_normal(dice, len(due), 80.0, 0.5)


def bimodal(dice: Dice, due: Floats, seconds: float) -> Floats:
    """Eight in a hundred miss the cache."""
    slow = dice.random(len(due)) < 0.08
    return numpy.where(slow, _log_normal(dice, len(due), 250.0, 0.2), _log_normal(dice, len(due), 20.0, 0.2))


def _until_over(begins: Floats, length: float, due: Floats) -> Floats:
    """Seconds until the stall is over in which each is due; 0 outside of them."""
    at = numpy.searchsorted(begins, due, side="right") - 1
    return numpy.maximum(0.0, numpy.where(at >= 0, begins[at] + length - due, 0.0))


def _at_random(dice: Dice, mean: float, length: float, seconds: float) -> Floats:
    """When stalls begin that are `mean` seconds apart on average; the first ones are before the run."""
    gaps = length + dice.exponential(mean - length, size=int(2 * seconds / mean) + 50)
    return numpy.cumsum(gaps) - 6 * mean


def stalls(dice: Dice, due: Floats, seconds: float) -> Floats:
    """One second in ten, whatever is due waits until it is over."""
    begins = dice.random() * 10 + numpy.arange(-10.0, seconds + 10, 10)
    return _log_normal(dice, len(due), 8.0, 0.2) + _until_over(begins, 1.0, due) * 1000


def stalls_at_random(dice: Dice, due: Floats, seconds: float) -> Floats:
    """The same, but nobody knows when: ten seconds apart on average."""
    begins = _at_random(dice, 10.0, 1.0, seconds)
    return _log_normal(dice, len(due), 8.0, 0.2) + _until_over(begins, 1.0, due) * 1000


def slow_leak(dice: Dice, due: Floats, seconds: float) -> Floats:
    """Twice as slow at the end as at the beginning."""
    return _log_normal(dice, len(due), 50.0, 0.3) * (1 + due / seconds)


def error_bursts(dice: Dice, due: Floats, seconds: float) -> Floats:
    """Every twenty seconds or so, for two, three in ten fail: three in a hundred altogether."""
    within = _until_over(_at_random(dice, 20.0, 2.0, seconds), 2.0, due) > 0
    return numpy.where(within & (dice.random(len(due)) < 0.3), math.inf, _log_normal(dice, len(due), 60.0, 0.4))


def slow_phases(dice: Dice, due: Floats, seconds: float) -> Floats:
    """A neighbour makes it 1.6 times as slow, for fifteen seconds on average, and leaves it alone as long."""
    edges = numpy.cumsum(dice.exponential(15.0, size=int(2 * seconds / 15) + 50)) - 90
    return _log_normal(dice, len(due), 50.0, 0.3) * numpy.where(numpy.searchsorted(edges, due) % 2, 1.6, 1.0)


SERVERS = (
    Server(name="constant", answers=constant),
    Server(name="log-normal", answers=log_normal),
    Server(name="bimodal", answers=bimodal),
    Server(name="stalls 1 s in 10", answers=stalls),
    Server(name="stalls at random", answers=stalls_at_random),
    Server(name="slow leak", answers=slow_leak, drifts=True),
    Server(name="errors in bursts", answers=error_bursts),
    Server(name="slow phases", answers=slow_phases),
)


def truth(server: Server, seconds: float, first: float, shares: Sequence[float]) -> list[float]:
    """Percentiles of two million requests, due in the measured part of a run (from `first` on) if it matters when."""
    found = []
    for seed in range(_SEVERAL):
        dice = numpy.random.default_rng([2_000_000, seed])
        long = seconds if server.drifts else 20_000.0
        due = numpy.sort(dice.uniform(first, long, 20_000))
        found.append(server.answers(dice, due, long))
    return [float(each) for each in numpy.quantile(numpy.concatenate(found), shares, method="inverted_cdf")]


def answers(server: Server, seed: int, seconds: float, rate: float) -> tuple[Floats, Floats]:
    """(due, milliseconds) of a run with Poisson arrivals."""
    dice = numpy.random.default_rng([seed, 1])
    due = numpy.sort(dice.uniform(0.0, seconds, dice.poisson(rate * seconds)))
    return due, server.answers(dice, due, seconds)


def play(server: Server, seed: int, seconds: float, rate: float) -> Recording:
    """What a load test records of it."""
    recording = Recording.of_shard(
        profile="bench", environment="bench", release="", seed=seed, start=0.0, seconds=seconds
    )
    recording.endpoints[ENDPOINT] = slices(*answers(server, seed, seconds, rate))
    return recording


def slices(due: Floats, ms: Floats) -> dict[int, Slice]:
    """What `Recording.add` makes of these samples, thirty times as fast; infinity failed."""
    second, failed = due.astype(int), numpy.isinf(ms)
    made = {int(each): Slice() for each in numpy.unique(second)}
    for each, count in Counter(second[failed].tolist()).items():
        made[each].errors["failed"] = count
    us = numpy.rint(ms[~failed] * 1000).astype(numpy.int64)
    bucket = numpy.maximum(0, numpy.floor(numpy.log2(numpy.maximum(us, 1))).astype(int) - 10)
    index = (bucket << 10) + (us >> bucket)
    both, counts = numpy.unique(numpy.stack([second[~failed], index]), axis=1, return_counts=True)
    histograms: dict[int, Histogram] = {each: found.times for each, found in made.items()}
    for each, at, count in zip(*both.tolist(), counts.tolist(), strict=True):
        histograms[each].counts[at] = count
    return made
