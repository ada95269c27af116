"""How often a target is met by servers whose 95th percentile is known, for limits below and above it.

`python -m benchmarks.load_verdicts [--runs 60]`. Poisson arrivals, seeded runs of each server, of 60 s at 20 requests a second, 120 s at 4
and 120 s at 20. A pass with a limit below the truth is wrong; one with a limit far above it is what a healthy platform must get. In
brackets the passes without an interval: hardly any answer came near the limit.
"""

from __future__ import annotations

import argparse

from benchmarks._load_servers import ENDPOINT, SERVERS, Server, play, truth
from loadtests.verdicts import SHARE, judge
from loadtests.warmup import SECONDS
from pipelines.manifest.performance import PerformanceTarget

SETTINGS = ((60.0, 20.0), (120.0, 4.0), (120.0, 20.0))
FACTORS = (0.5, 0.8, 0.95, 1.5, 3.0, 20.0)
"""The limit, as a multiple of the true 95th percentile."""


def passes(server: Server, seconds: float, rate: float, runs: int) -> dict[float, tuple[int, int]]:
    """For each factor: how many runs passed, and how many of those without an interval."""
    (p95,) = truth(server, seconds, min(SECONDS, seconds / 10), [SHARE])
    component = ENDPOINT.partition(" ")[0]
    targets = {
        str(factor): PerformanceTarget(of="response", component=component, p95_ms=p95 * factor) for factor in FACTORS
    }
    found = dict.fromkeys(FACTORS, (0, 0))
    for seed in range(runs):
        for answer in judge(play(server, seed, seconds, rate), targets).answers:
            if answer.verdict == "passed":
                all_of_them, bare = found[float(answer.target)]
                found[float(answer.target)] = all_of_them + 1, bare + bool(answer.estimate.why)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=60)
    runs = parser.parse_args().runs
    wrong = [0, 0]
    for seconds, rate in SETTINGS:
        print(f"\n{seconds:g} s at {rate:g} a second; passed, of {runs}, with a limit of … times the true p95")
        print(f"{'':<20}" + "".join(f"{factor:>10g}" for factor in FACTORS))
        for server in SERVERS:
            found = passes(server, seconds, rate, runs)
            print(f"{server.name:<20}" + "".join(f"{f'{n} ({bare})':>10}" for n, bare in found.values()), flush=True)
            for factor in FACTORS:
                if factor < 1:
                    wrong = [sum(pair) for pair in zip(wrong, found[factor], strict=True)]
    judged = len(SETTINGS) * len(SERVERS) * sum(factor < 1 for factor in FACTORS) * runs
    print(f"\nwrong passes: {wrong[0]} of {judged:,}, {wrong[1]} of them without an interval")


if __name__ == "__main__":
    main()
