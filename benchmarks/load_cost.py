"""What a request costs our load generator, beside a plain FastHttpUser on the same server.

`python -m benchmarks.load_cost [--seconds 8] [--rounds 5]`. All make the same visits without thinking. The plain users go in Locust's own
loop, ten of them, as fast as one core lets them: once on connections that they keep for ever, once hanging up after each visit as ours
do. Ours come as they arrive, with all that this takes: due times, free users, filling in, judging bodies, histograms. Each is one
process; what counts is requests for a second of its CPU. The goal: ours at least 80 % of the plain one's that keeps its connections, for
visits as the sample platform's users make them; and of the one that hangs up, for any visit.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks._latency_service import latency_server
from loadtests.arrivals import Profile
from loadtests.run import Caps, run
from pipelines.manifest.model import Journey, JourneyRequest

GOAL = 0.8
VISITS = {
    "one request": ("read",),
    "three requests": ("write read remove",),
    "1 or 4, as here": ("read", "read", "read", "read", "write read read remove", "read read read read"),
}
"""Visits that are equally likely; the last are the sample platform's journeys by their weights: two requests on average."""
PLAIN = """
import json, random, sys, time
from locust import FastHttpUser, task
import gevent
from locust.env import Environment

VISITS = [visit.split() for visit in json.loads(sys.argv[3])]

class Plain(FastHttpUser):
    host = sys.argv[1]
    @task
    def visit(self):
        if sys.argv[4] == "hang up":
            self.client.client.clientpool.close()
        for step in random.choice(VISITS):
            if step == "read":
                self.client.get("/items")
            elif step == "write":
                item = self.client.post("/items", data='{"text": "a"}').json()["id"]
            else:
                self.client.delete(f"/items/{item}", name="/items/item")

environment = Environment(user_classes=[Plain])
runner = environment.create_local_runner()
runner.start(10, spawn_rate=10)
gevent.sleep(1)
before, cpu = environment.stats.total.num_requests, time.process_time()
gevent.sleep(float(sys.argv[2]))
print(json.dumps([environment.stats.total.num_requests - before, time.process_time() - cpu]))
runner.quit()
"""


def plain(url: str, seconds: float, visits: Sequence[str], connections: str) -> float:
    """Requests for a second of CPU. `connections`: `keep` or `hang up`."""
    argv = [sys.executable, "-c", PLAIN, url, str(seconds), json.dumps(visits), connections]
    message = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    made, cpu = json.loads(message.stdout)
    return float(made / cpu)


def journey(visit: str) -> Journey:
    """The same visit as the manifest would declare it."""
    steps = visit.split()
    made = {
        "write": JourneyRequest(
            method="POST", path="/items", body='{"text": "{visit}"}', status=201, save={"item": "id"}
        ),
        "read": JourneyRequest(path="/items", contains=("{item}" if "write" in steps else '"items"',), think_seconds=0),
        "remove": JourneyRequest(method="DELETE", path="/items/{item}", status=204, always=True, think_seconds=0),
    }
    return Journey(component="backend", requests=tuple(made[step] for step in steps))


def ours(url: str, seconds: float, requests: float, visits: Sequence[str]) -> float:
    """Requests for a second of CPU. `requests`: a second."""
    recording = run(
        Profile(name="cost", rate=requests * len(visits) / len(" ".join(visits).split()), seconds=seconds),
        {f"visit {number}": journey(visit) for number, visit in enumerate(visits)},
        {"backend": url},
        hosts=["127.0.0.1"],
        environment="bench",
        caps=Caps(rate=10_000),
        timeout=5.0,
    )
    whole = recording.total()
    assert not whole.failed, whole.errors
    # Of the whole seconds: the last is not over when the last visit is.
    last = int(seconds) - 1
    made = sum(each.count for second, each in recording.slices().items() if second < last)
    return made / (sum(share for second, share in recording.cpu.items() if 1 <= second <= last) / 1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=float, default=1200, help="a second, of ours")
    options = parser.parse_args()
    print("requests for a second of CPU, median of rounds in turn\n")
    print(f"{'a visit of':<16}{'plain':>10}{'plain, hanging up':>20}{'arrivals':>10}{'ratio':>8}{'ratio':>8}")
    for name, visits in VISITS.items():
        with latency_server() as url:
            rounds = [
                (
                    plain(url, options.seconds, visits, "keep"),
                    plain(url, options.seconds, visits, "hang up"),
                    ours(url, options.seconds, options.requests, visits),
                )
                for _ in range(options.rounds)
            ]
        kept, hung_up, own = (statistics.median(each[side] for each in rounds) for side in range(3))
        # Round by round: what else the machine does meanwhile changes both sides.
        ratios = [statistics.median(each[2] / each[side] for each in rounds) for side in (0, 1)]
        print(f"{name:<16}{kept:>10.0f}{hung_up:>20.0f}{own:>10.0f}{ratios[0]:>8.2f}{ratios[1]:>8.2f}", flush=True)
    print(f"\ngoal: {GOAL} and more beside the plain ones that hang up; for visits as here beside both")


if __name__ == "__main__":
    main()
