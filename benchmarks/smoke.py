"""Smoke checks at the same time: 100 of them, one of which takes a second, beside the same checks one after the other.

`python -m benchmarks.smoke [--checks 100]`. The goal: done in under 1.5 s.
"""

from __future__ import annotations

import argparse
import asyncio
import time

from starlette.types import Receive, Scope, Send

from pipelines.checks import smoke
from pipelines.http import Http
from pipelines.manifest.model import Smoke
from pipelines.overlay import Overlay
from rehearsal.serving import running

LIMIT = 1.5
"""Seconds."""
SLOW = 1.0


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers at once, /slow after a second."""
    await asyncio.sleep(SLOW if scope["path"] == "/slow" else 0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def measure(count: int) -> tuple[float, float]:
    """Seconds for all of them together, and seconds for all but the slow one, one after the other."""
    quick = [Smoke(name=f"check {n}", component="backend", contains=("ok",)) for n in range(count - 1)]
    slow = Smoke(name="slow", component="backend", path="/slow")
    with running(app) as server:
        http, urls = Http(overlay=Overlay()), {"backend": server.url}
        smoke.run(quick[:1], urls, {}, http)  # the first request pays for imports
        together = smoke.run([slow, *quick], urls, {}, http)
        started = time.perf_counter()
        for check in quick:
            assert not smoke.run([check], urls, {}, http).failed
        one_by_one = time.perf_counter() - started
    assert not together.failed
    assert len(together.results) == count
    return together.seconds, one_by_one


def main() -> None:
    """Print the figures; exit 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=100)
    count = parser.parse_args().checks
    together, one_by_one = measure(count)
    print(f"{count} checks, one of them {SLOW:.0f} s: {together:.2f} s (goal {LIMIT} s)")
    print(f"the same without the slow one, one after the other: {one_by_one:.2f} s")
    raise SystemExit(0 if together < LIMIT else 1)


if __name__ == "__main__":
    main()
