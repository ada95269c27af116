"""How often is a run called slower than the last good one, or found to fail more: when nothing changed, and when something did?

`python -m benchmarks.load_comparison [--pairs 200]`; about five minutes on two cores.
"""

from __future__ import annotations

import argparse
import math
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: as many processes as cores are busy already

import numpy

from benchmarks._load_servers import SERVERS, slices
from loadtests.comparison import ALPHA, comparable, compare, failures
from loadtests.recording import Recording
from loadtests.window import Window

SECONDS, RATE, ENDPOINTS = 310.0, 10.0, 2
SLOWER = 1.3
FALSE_ALARMS = 0.05
NAMED = {each.name: each for each in SERVERS}
IN_BURST = 0.3
FAILING = ((0.0005, 0.01, False), (0.01, 0.03, False), (0.02, 0.1, True))
"""Share of failed requests, a larger one, and whether they come in bursts."""
COMPARED = ("log-normal", "bimodal", "stalls 1 s in 10", "slow leak", "errors in bursts")


def window(name: str, seed: int, factor: float = 1.0) -> Window:
    """A run of several endpoints, each of which answers as the server does."""
    recording = Recording.of_shard(
        profile="bench", environment="bench", release="", seed=seed, start=0.0, seconds=SECONDS
    )
    for number in range(ENDPOINTS):
        dice = numpy.random.default_rng([seed, number])
        due = numpy.sort(dice.uniform(0.0, SECONDS, dice.poisson(RATE * SECONDS)))
        recording.endpoints[f"server GET /{number}"] = slices(due, factor * NAMED[name].answers(dice, due, SECONDS))
    return Window(recording)


def of_pair(name: str, pair: int) -> tuple[bool, bool]:
    """Was the same called slower, and the slower one?"""
    before = window(name, 2 * pair)
    same, slower = window(name, 2 * pair + 1), window(name, 2 * pair + 1, SLOWER)
    return _regressed(same, before), _regressed(slower, before)


def failing_run(seed: int, share: float, *, bursts: bool = False) -> Window:
    """A run of several endpoints of which a share fails: any of their requests, or three in ten within two seconds, now and then."""
    recording = Recording.of_shard(
        profile="bench", environment="bench", release="", seed=seed, start=0.0, seconds=SECONDS
    )
    dice = numpy.random.default_rng([seed, 3])
    within = dice.random(int(SECONDS // 2) + 1) < share / IN_BURST
    for number in range(ENDPOINTS):
        due = numpy.sort(dice.uniform(0.0, SECONDS, dice.poisson(RATE * SECONDS)))
        likely = numpy.where(within[(due // 2).astype(int)], IN_BURST, 0.0) if bursts else numpy.full(len(due), share)
        ms = numpy.where(dice.random(len(due)) < likely, math.inf, 60 * dice.lognormal(0, 0.4, len(due)))
        recording.endpoints[f"server GET /{number}"] = slices(due, ms)
    return Window(recording)


def more_failed(now: Window, before: Window) -> bool:
    """By the shares of failed requests alone."""
    groups = comparable(now, before)
    return any(each.regression for each in failures(now, before, groups, ALPHA / max(1, len(groups))))


def of_failing_pair(share: float, more: float, bursts: bool, pair: int) -> tuple[bool, bool]:
    """Was a run with the same share found to fail more, and one with a larger share?"""
    before = failing_run(2 * pair, share, bursts=bursts)
    return tuple(more_failed(failing_run(2 * pair + 1, each, bursts=bursts), before) for each in (share, more))  # type: ignore[return-value]


def _regressed(now: Window, before: Window) -> bool:
    found = compare(now, before)
    return any(each.regression for each in found.changes) or any(each.regression for each in found.failures)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=200)
    pairs = options.parse_args().pairs
    print(f"{pairs} pairs of runs of {SECONDS - 10:g} s, {ENDPOINTS} endpoints at {RATE:g} requests/s each")
    print(f"(goal: at most {FALSE_ALARMS:.0%} of pairs without a difference are called slower)\n")
    print(f"| server | nothing changed, called slower | {SLOWER - 1:.0%} slower, found |\n|---|---|---|")
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name in COMPARED:
            done = list(pool.map(of_pair, [name] * pairs, range(pairs), chunksize=10))
            same, slower = (sum(each[which] for each in done) / pairs for which in (0, 1))
            print(f"| {name} | {same:.1%} | {slower:.1%} |", flush=True)
        print("\n| failed | nothing changed, found to fail more | with so many, found |\n|---|---|---|")
        for share, more, bursts in FAILING:
            failed = partial(of_failing_pair, share, more, bursts)
            done = list(pool.map(failed, range(pairs), chunksize=10))
            same, found = (sum(each[which] for each in done) / pairs for which in (0, 1))
            how = " in bursts" if bursts else ""
            print(f"| {share:.2%}{how} | {same:.1%} | {more:.0%}: {found:.1%} |", flush=True)


if __name__ == "__main__":
    main()
