"""Recordings of a small platform under load, made without any: seeded, so that a page can be looked at and compared."""

from __future__ import annotations

import random

from loadtests.recording import Recording, Sample
from pipelines.manifest.performance import PerformanceTarget

TARGETS = {
    "API responses": PerformanceTarget(of="response", component="backend", p95_ms=500),
    "database queries": PerformanceTarget(of="database", component="backend", p95_ms=100),
}
ENDPOINTS = {"backend GET /notes": 40.0, "backend POST /notes": 90.0, "backend DELETE /notes/{note}": 60.0}


def recorded(
    seed: int = 1,
    *,
    seconds: int = 120,
    rate: float = 4.0,
    factor: float = 1.0,
    stalls: bool = False,
    failing: float = 0.0,
    lag_ms: float = 0.4,
    release: str = "1.4.0",
) -> Recording:
    """`stalls`: one second in ten everything waits. `failing`: share of requests, in the middle of the run."""
    dice = random.Random(seed)  # noqa: S311
    recording = Recording.of_shard(
        profile="smoke", environment="staging", release=release, seed=seed, start=1_795_860_000.0, seconds=seconds
    )
    due = sorted(dice.uniform(0, seconds) for _ in range(round(seconds * rate)))
    recording.expect(due)
    for moment in due:
        recording.arrived(moment, dice.expovariate(1 / lag_ms))
        for number, (endpoint, median) in enumerate(ENDPOINTS.items()):
            at = moment + number
            ms = factor * median * dice.lognormvariate(0, 0.4)
            ms += 1000 * (1 - at % 1) if stalls and at % 10 < 1 else 0.0
            failed = dice.random() < failing and 0.4 < at / seconds < 0.6
            error = dice.choice(["status 503", "timed out"]) if failed else ""
            recording.add(
                Sample(at, endpoint, ms, 503 if error == "status 503" else None if error else 200, error, ms / 4)
            )
    for second in range(seconds):
        recording.used_cpu(second, 0.2 + dice.random() / 10)
    return recording
