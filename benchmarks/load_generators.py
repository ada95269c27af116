"""Load generators on the same endpoint, which stalls: who tells the truth, and who asks least while it matters.

`python -m benchmarks.load_generators [--seconds 100] [--only NAME]`. The server (`benchmarks._latency_server`) answers after 3 ms, but
nothing at all in the first second of every ten. For who comes by chance or evenly, one in ten waits between 0 and 1 s for the end of a
stall, so the truth is known: p50 3 ms, p95 503 ms, p99 903 ms.

- ours: 100 visits a second, Poisson, of one request.
- k6 constant-arrival-rate: 100 iterations a second, 200 virtual users ready.
- k6, few users: the same with 20 virtual users, which all wait in a stall; what it cannot start it drops, and says so.
- Locust, Locust paced, k6 closed: 10 users who ask again once they were answered; 2 users who aim at 10 requests a second each
  (`constant_throughput`); 10 virtual users.

The goal: ours and k6's constant arrival rate within 10 % of the truth for p95 and p99, the closed ones wrong by far.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks._latency_service import latency_server
from loadtests.arrivals import Profile
from loadtests.run import run
from pipelines.manifest.model import Journey, JourneyRequest

ROOT = Path(__file__).parents[1]
K6 = ROOT / ".venv-bench" / "bin" / "k6"
PATH = "/stall?every=10&for=1&ms=3"
RATE = 100
TRUTH = {"p50": 3.0, "p95": 503.0, "p99": 903.0}
NEAR = 0.1
LOCUST = """
import json, sys
import gevent
from locust import FastHttpUser, constant, constant_throughput, task
from locust.env import Environment

class Asking(FastHttpUser):
    host = sys.argv[1]
    wait_time = constant_throughput(10) if sys.argv[4] == "paced" else constant(0)
    @task
    def ask(self):
        self.client.get(sys.argv[2])

environment = Environment(user_classes=[Asking])
runner = environment.create_local_runner()
users = 2 if sys.argv[4] == "paced" else 10
runner.start(users, spawn_rate=users)
gevent.sleep(float(sys.argv[3]))
total = environment.stats.total
print(json.dumps([total.num_requests, *(total.get_response_time_percentile(share) for share in (0.5, 0.95, 0.99))]))
runner.quit()
"""
SCRIPT = """
import http from 'k6/http';
export const options = {
  summaryTrendStats: ['p(50)', 'p(95)', 'p(99)'],
  scenarios: { load: SCENARIO },
};
export default function () { http.get(__ENV.URL); }
export function handleSummary(data) { return { stdout: JSON.stringify(data.metrics) }; }
"""


@dataclass(frozen=True)
class Figures:
    """What a generator says of the server, in milliseconds."""

    requests: int
    p50: float
    p95: float
    p99: float
    missed: str = ""
    """What it says of visits that it did not make, or made late."""

    @property
    def near(self) -> bool:
        """Whether p95 and p99 are the truth."""
        values = {"p95": self.p95, "p99": self.p99}
        return all(abs(ms / TRUTH[name] - 1) <= NEAR for name, ms in values.items())


def ours(url: str, seconds: float) -> Figures:
    recording = run(
        Profile(name="stalls", rate=RATE, seconds=seconds),
        {"ask": Journey(component="backend", requests=(JourneyRequest(path=PATH),))},
        {"backend": url},
        hosts=["127.0.0.1"],
        environment="bench",
        seed=1,
    )
    times = recording.total().times
    p50, p95, p99 = (times.quantile(share) or 0.0 for share in (0.5, 0.95, 0.99))
    late = recording.lag.above(10) / max(1, recording.lag.total)
    return Figures(times.total, p50, p95, p99, f"{late:.1%} late, {recording.waited.total} without a user")


def locust(url: str, seconds: float, way: str) -> Figures:
    argv = [sys.executable, "-c", LOCUST, url, PATH, str(seconds), way]
    message = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=ROOT)
    requests, p50, p95, p99 = json.loads(message.stdout)
    return Figures(requests, p50, p95, p99)


def k6(url: str, seconds: float, scenario: dict[str, object]) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.js"
        script.write_text(SCRIPT.replace("SCENARIO", json.dumps({**scenario, "duration": f"{seconds:g}s"})))
        argv = [str(K6), "run", "--quiet", "--no-usage-report", "--address", "127.0.0.1:0", str(script)]
        message = subprocess.run(
            [*argv, "--env", f"URL={url}{PATH}"], check=True, capture_output=True, text=True, cwd=folder
        )
    metrics = json.loads(message.stdout)
    times = metrics["http_req_duration"]["values"]
    dropped = metrics.get("dropped_iterations", {}).get("values", {}).get("count", 0)
    missed = f"{dropped} iterations dropped" if "rate" in scenario else ""
    requests = int(metrics["http_reqs"]["values"]["count"])
    return Figures(requests, times["p(50)"], times["p(95)"], times["p(99)"], missed)


def arriving(users: int) -> dict[str, object]:
    return {
        "executor": "constant-arrival-rate",
        "rate": RATE,
        "timeUnit": "1s",
        "preAllocatedVUs": users,
        "maxVUs": users,
    }


GENERATORS: dict[str, Callable[[str, float], Figures]] = {
    "ours": ours,
    "k6 constant-arrival-rate": partial(k6, scenario=arriving(200)),
    "k6 constant-arrival-rate, few users": partial(k6, scenario=arriving(20)),
    "Locust, 10 users": partial(locust, way="closed"),
    "Locust, 2 users, constant_throughput(10)": partial(locust, way="paced"),
    "k6, 10 users": partial(k6, scenario={"executor": "constant-vus", "vus": 10}),
}


def line(name: str, figures: Figures) -> str:
    times = "".join(f"{ms:>8.0f}" for ms in (figures.p50, figures.p95, figures.p99))
    return f"{name:<42}{figures.requests:>9}{times}  {'near' if figures.near else 'wrong':<6} {figures.missed}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=100)
    parser.add_argument("--only", choices=GENERATORS)
    options = parser.parse_args()
    if not K6.exists():
        sys.exit("k6 is not there: python setup_environment.py --only bench")
    print(f"{'milliseconds':<42}{'requests':>9}{'p50':>8}{'p95':>8}{'p99':>8}")
    print(f"{'the truth':<42}{'':>9}{TRUTH['p50']:>8.0f}{TRUTH['p95']:>8.0f}{TRUTH['p99']:>8.0f}")
    for name, generator in GENERATORS.items():
        if options.only in (None, name):
            with latency_server() as url:
                print(line(name, generator(url, options.seconds)), flush=True)


if __name__ == "__main__":
    main()
