"""Is the capacity of servers found whose capacity is known? `python -m benchmarks.load_capacity`; about ten minutes for each, in real time.

A server of a fixed number of slots and a fixed service time: the rate at which the 95th percentile of an hour is at the limit is reckoned,
and searched as `shipmate loadtest --capacity` does, against the real server with the real generator.
"""

from __future__ import annotations

import argparse

from benchmarks._latency_service import latency_server
from benchmarks._slots import Slots
from loadtests.arrivals import Profile
from loadtests.capacity import STEP_SECONDS, Bounds, Search
from loadtests.recording import Recording
from loadtests.report import capacity as report
from loadtests.run import run
from pipelines.manifest.model import Journey, JourneyRequest
from pipelines.manifest.performance import PerformanceTarget

LIMIT_MS = 500.0
SERVERS = ((1, 0.05), (4, 0.05), (8, 0.2))
"""Slots, and seconds that each request takes."""
TARGETS = {"responses": PerformanceTarget(of="response", component="server", p95_ms=LIMIT_MS)}


def search(slots: int, service: float, bounds: Bounds) -> None:
    """Print what is true, and what is found."""
    path = f"/slots?slots={slots}&ms={service * 1000:g}"
    journeys = {"ask": Journey(component="server", requests=(JourneyRequest(path=path),))}

    def play(profile: Profile, draw: int) -> Recording:
        return run(profile, journeys, {"server": url}, hosts=["127.0.0.1"], environment="bench", seed=draw)

    with latency_server() as url:
        found = Search(play, TARGETS, bounds).run()
    knee = Slots(slots, service).knee(LIMIT_MS / 1000)
    off = "–" if found.low is None else f"{found.low / knee - 1:+.0%}"
    took = sum(step.took for step in found.steps)
    print(
        f"| {slots} x {service * 1000:g} ms | {knee:.1f} | {report.headline(found)} | {off} | {len(found.steps)} in {took:.0f} s |",
        flush=True,
    )
    for message in report.reasons(found):
        print(f"  {message}", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--start", type=float, default=6.0, help="visits a second of the first step")
    options.add_argument("--most", type=float, default=150.0, help="visits a second that may be asked")
    options.add_argument("--server", type=int, choices=range(1, len(SERVERS) + 1), help="only this one")
    options.add_argument("--step-seconds", type=float, default=STEP_SECONDS)
    given = options.parse_args()
    bounds = Bounds(start=given.start, most=given.most, total_seconds=7200, step_seconds=given.step_seconds)
    print("| slots | true, visits/s | found | off | steps |\n|---|---|---|---|---|")
    for slots, service in SERVERS[given.server - 1 : given.server] if given.server else SERVERS:
        search(slots, service, bounds)


if __name__ == "__main__":
    main()
