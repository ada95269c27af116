"""How often do our 95 % intervals hold the truth? Known servers, Poisson arrivals, 200 seeded runs of each.

`python -m benchmarks.load_intervals [--runs 200]` prints the table of docs/PERFORMANCE.md; about ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: as many processes as cores are busy already

from benchmarks._load_servers import ENDPOINT, SERVERS, Server, answers, play, slices, truth
from loadtests.intervals import Estimate, Series, percentile

SHARES = (0.5, 0.95, 0.99)
FIRST = 10
"""Seconds of warm-up; none of these servers has any."""
RATE = 20.0
SECONDS = 310
LONG_SECONDS, LONG_RATE = 1810, 60.0
SHORT_SECONDS = 70
COVERED, WIDTH, NEAR = 0.93, 1.7, 0.03
"""Goals: the share of intervals that hold the truth; the median width, as a multiple of that of the best possible interval, which
is the range in which 95 % of the estimates themselves fall; how near the truth an estimate is."""
NAMED = {each.name: each for each in SERVERS}


@dataclass(frozen=True, kw_only=True)
class Row:
    """What came of all runs at one percentile of one server."""

    server: str
    share: float
    truth: float
    runs: int
    answered: int
    held: float
    """Share of the answered intervals with the truth in them."""
    wrong: float
    """Share of all runs that were answered without the truth in it."""
    width: float
    """Median, as a share of the truth; infinite where the interval is open."""
    best: float
    """Width of the range of the estimates, likewise."""


def of_run(name: str, seed: int, seconds: float, rate: float) -> list[Estimate]:
    series = Series(play(NAMED[name], seed, seconds, rate).slices(ENDPOINT), FIRST, int(seconds))
    return [percentile(series, share) for share in SHARES]


def points_of_run(name: str, seed: int, seconds: float, rate: float) -> list[float]:
    """The estimates alone: those of all seconds are those of their sum."""
    due, ms = answers(NAMED[name], seed, seconds, rate)
    measured = due >= FIRST
    series = Series(slices(0 * due[measured], ms[measured]), 0, 1)
    return [series.edges(series.column(share))[1] for share in SHARES]


def holds(estimate: Estimate, value: float) -> bool:
    """HDR keeps a value to a thousandth."""
    return estimate.low * 0.999 <= value <= estimate.high * 1.001


def rows(server: Server, runs: Sequence[Sequence[Estimate]], seconds: float) -> Iterator[Row]:
    values = truth(server, seconds, FIRST, SHARES)
    for share, value, estimates in zip(SHARES, values, zip(*runs, strict=True), strict=True):
        answered = [each for each in estimates if not each.why]
        points = sorted(each.value or 0.0 for each in estimates)
        cut = round(0.025 * len(points))
        yield Row(
            server=server.name,
            share=share,
            truth=value,
            runs=len(runs),
            answered=len(answered),
            held=statistics.fmean(holds(each, value) for each in answered) if answered else math.nan,
            wrong=sum(not holds(each, value) for each in answered) / len(runs),
            width=statistics.median((each.high - each.low) / value for each in answered)
            if answered and math.isfinite(value)
            else math.nan,
            best=(points[-1 - cut] - points[cut]) / value if math.isfinite(value) else math.nan,
        )


def coverage(pool: ProcessPoolExecutor, runs: int, seconds: float, rate: float) -> Iterator[Row]:
    for server in SERVERS:
        done = pool.map(of_run, *_arguments(server, runs, seconds, rate), chunksize=10)
        yield from rows(server, list(done), seconds)


def nearness(pool: ProcessPoolExecutor, runs: int) -> Iterator[tuple[str, list[float]]]:
    """(server, share of runs whose estimate is within `NEAR` of the truth, for each percentile), of long runs."""
    for server in SERVERS:
        done = list(pool.map(points_of_run, *_arguments(server, runs, LONG_SECONDS, LONG_RATE), chunksize=10))
        values = truth(server, LONG_SECONDS, FIRST, SHARES)
        yield (
            server.name,
            [
                statistics.fmean(point == value or abs(point / value - 1) <= NEAR for point in points)
                for value, points in zip(values, zip(*done, strict=True), strict=True)
            ],
        )


def _arguments(server: Server, runs: int, seconds: float, rate: float) -> list[Sequence[object]]:
    return [[server.name] * runs, range(runs), [seconds] * runs, [rate] * runs]


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{share * 100:.1f} %"


def _table(found: Iterator[Row]) -> int:
    missed = 0
    print("| server | percentile | truth ms | answered | interval holds the truth | width | of the best possible |")
    print("|---|---|---|---|---|---|---|")
    for row in found:
        ratio = row.width / row.best if row.best > 0.002 else math.nan
        few = 2 * row.answered < row.runs
        missed += row.wrong > 1 - COVERED if few else row.held < COVERED or ratio > WIDTH
        held = f"{_percent(row.wrong)} of all wrong" if few else _percent(row.held)
        print(
            f"| {row.server} | p{row.share * 100:g} | {row.truth:.1f} | {row.answered} of {row.runs} | {held} "
            f"| {_percent(row.width)} | {'–' if math.isnan(ratio) else f'{ratio:.2f} x'} |",
            flush=True,
        )
    return missed


def _short(found: Iterator[Row]) -> None:
    print("| server | percentile | too short to tell | answered wrongly |\n|---|---|---|---|")
    for row in found:
        short = 1 - row.answered / row.runs
        print(f"| {row.server} | p{row.share * 100:g} | {_percent(short)} | {_percent(row.wrong)} |", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=200)
    options.add_argument("--estimates-only", action="store_true", help="the last table alone")
    chosen = options.parse_args()
    runs, missed = chosen.runs, 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        if not chosen.estimates_only:
            print(f"{SECONDS - FIRST} s at {RATE:g} requests/s, {runs} runs of each server")
            print(
                f"(goals: at least {COVERED:.0%} hold the truth, at most {WIDTH:g} times as wide as the best possible)\n"
            )
            missed = _table(coverage(pool, runs, SECONDS, RATE))
            print(f"\n{SHORT_SECONDS - FIRST} s at {RATE:g} requests/s: too short to tell rather than wrong\n")
            _short(coverage(pool, runs, SHORT_SECONDS, RATE))
        print(f"\n{LONG_SECONDS - FIRST} s at {LONG_RATE:g} requests/s: estimates within {NEAR:.0%} of the truth\n")
        print("| server | p50 | p95 | p99 |\n|---|---|---|---|")
        for name, shares in nearness(pool, runs):
            print(f"| {name} | {' | '.join(map(_percent, shares))} |", flush=True)
    print(f"\ngoals of coverage and width missed: {missed}")


if __name__ == "__main__":
    main()
