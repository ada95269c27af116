"""How often do our 95 % intervals hold the truth? Known servers, Poisson arrivals, seeded runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from loadtests.recording import Recording, Sample

Floats = NDArray[numpy.float64]
Dice = numpy.random.Generator


@dataclass(frozen=True, kw_only=True)
class Server:
    name: str
    answers: Callable[[Dice, Floats, float], Floats]
    """Milliseconds (infinity: it failed) of requests due at these seconds of a run of so many."""


def normal_log(dice: Dice, count: int, median: float, sigma: float) -> Floats:
    return median * numpy.exp(sigma * dice.standard_normal(count))


def constant(dice: Dice, due: Floats, seconds: float) -> Floats:
    return numpy.full(len(due), 50.0)


def log_normal(dice: Dice, due: Floats, seconds: float) -> Floats:
    return normal_log(dice, len(due), 80.0, 0.5)


def bimodal(dice: Dice, due: Floats, seconds: float) -> Floats:
    slow = dice.random(len(due)) < 0.08
    return numpy.where(slow, normal_log(dice, len(due), 250.0, 0.2), normal_log(dice, len(due), 20.0, 0.2))


def waiting(begins: Floats, lengths: Floats, due: Floats) -> Floats:
    """Milliseconds until the stall is over that each is due in; 0 outside of them."""
    at = numpy.searchsorted(begins, due, side="right") - 1
    end = numpy.where(at >= 0, (begins + lengths)[at], -1.0)
    return numpy.maximum(0.0, end - due) * 1000


def stalls(dice: Dice, due: Floats, seconds: float) -> Floats:
    begins = dice.random() * 10 + numpy.arange(-10.0, seconds + 10, 10)
    return normal_log(dice, len(due), 8.0, 0.2) + waiting(begins, numpy.ones(len(begins)), due)


def stalls_at_random(dice: Dice, due: Floats, seconds: float) -> Floats:
    gaps = dice.exponential(9.0, size=int(seconds / 5) + 50) + 1.0
    begins = numpy.cumsum(gaps) - 60
    return normal_log(dice, len(due), 8.0, 0.2) + waiting(begins, numpy.ones(len(begins)), due)


def leak(dice: Dice, due: Floats, seconds: float) -> Floats:
    return normal_log(dice, len(due), 50.0, 0.3) * (1 + due / seconds)


def error_bursts(dice: Dice, due: Floats, seconds: float) -> Floats:
    gaps = dice.exponential(18.0, size=int(seconds / 9) + 50) + 2.0
    begins = numpy.cumsum(gaps) - 60
    inside = waiting(begins, numpy.full(len(begins), 2.0), due) > 0
    failed = inside & (dice.random(len(due)) < 0.3)
    return numpy.where(failed, math.inf, normal_log(dice, len(due), 60.0, 0.4))


def slow_phases(dice: Dice, due: Floats, seconds: float) -> Floats:
    """Twice as slow for twenty seconds at a time, at random."""
    edges = numpy.cumsum(dice.exponential(15.0, size=int(seconds / 5) + 50)) - 60
    slow = numpy.searchsorted(edges, due) % 2 == 0
    return normal_log(dice, len(due), 50.0, 0.3) * numpy.where(slow, 1.6, 1.0)


SERVERS = [
    Server(name=f.__name__, answers=f)
    for f in (constant, log_normal, bimodal, stalls, stalls_at_random, leak, error_bursts, slow_phases)
]


def truth(server: Server, seconds: float, first: float, shares: list[float]) -> list[float]:
    """Of two million requests, at the same moments of the run as those that are measured."""
    many = []
    rounds = 100 if server.name in ("stalls_at_random", "error_bursts", "slow_phases","stalls") else 1
    span = 20_000.0 if rounds > 1 else seconds
    for seed in range(rounds):
        dice = numpy.random.default_rng([999, seed])
        due = numpy.sort(dice.random(2_000_000 // rounds) * span)
        if rounds == 1:
            due = numpy.sort(first + dice.random(2_000_000) * (seconds - first))
        many.append(server.answers(dice, due, span))
    return [float(each) for each in numpy.quantile(numpy.concatenate(many), shares, method="inverted_cdf")]


def play(server: Server, seed: int, seconds: float, rate: float) -> Recording:
    dice = numpy.random.default_rng([seed, 1])
    due = numpy.sort(dice.random(dice.poisson(rate * seconds)) * seconds)
    recording = Recording.of_shard(profile="bench", environment="bench", release="", seed=seed, start=0.0, seconds=seconds)
    for at, ms in zip(due.tolist(), server.answers(dice, due, seconds).tolist(), strict=True):
        failed = math.isinf(ms)
        recording.add(Sample(due=at, endpoint="GET /", ms=0.0 if failed else ms, error="failed" if failed else ""))
    return recording
