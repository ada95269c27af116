"""How often is a run called slower than the last good one: when nothing changed, and when everything takes 30 % longer?

`python -m benchmarks.load_comparison [--pairs 200]`; about five minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: as many processes as cores are busy already

import numpy

from benchmarks._load_servers import SERVERS, slices
from loadtests.comparison import compare
from loadtests.recording import Recording
from loadtests.window import Window

SECONDS, RATE, ENDPOINTS = 310.0, 10.0, 2
SLOWER = 1.3
FALSE_ALARMS = 0.05
NAMED = {each.name: each for each in SERVERS}
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


def _regressed(now: Window, before: Window) -> bool:
    return any(change.regression for change in compare(now, before)[0])


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


if __name__ == "__main__":
    main()
