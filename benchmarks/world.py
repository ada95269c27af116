"""How soon a world is ready, and what it holds in memory beyond Postgres, the browser and the apps.

`python -m benchmarks.world [--runs 3]`. The goals: ready in under 4 s, under 300 MB, also after a platform was delivered in it twice.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rehearsal.scenario.event_log import EventLog
from rehearsal.scenario.steps import Scenario
from rehearsal.stories.table import START, STORIES
from rehearsal.world.handle import World
from rehearsal.world.inspection import resident_kb

READY_LIMIT = 4.0
"""Seconds."""
MEMORY_LIMIT = 300
"""MB."""
ROOT = Path(__file__).parents[1]


def measure() -> tuple[float, float]:
    """Seconds until ready, and MB resident in the world's own process (Postgres and Redis are others)."""
    world = World(ROOT)
    with world as place:
        place.inspect("violations")
        return world.seconds_to_ready, resident_kb(world.pid) / 1024


def after_the_quick_start() -> tuple[float, float]:
    """MB resident in the world's own process after the quick start ran in it, and MB of its files."""
    world = World(ROOT)
    with world as client:
        STORIES[START].run(Scenario(world=client, log=EventLog(story=START)))
        files = sum(file.lstat().st_blocks * 512 for file in client.root.rglob("*") if file.is_file())
        return resident_kb(world.pid) / 1024, files / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    found = [measure() for _ in range(parser.parse_args().runs)]
    seconds, memory = sorted(s for s, _ in found), sorted(m for _, m in found)
    print(
        f"ready: median {seconds[len(seconds) // 2]:.2f} s (goal {READY_LIMIT} s), {seconds[0]:.2f} to {seconds[-1]:.2f} s"
    )
    print(f"memory: {memory[-1]:.0f} MB at the most (goal {MEMORY_LIMIT} MB)")
    resident, files = after_the_quick_start()
    print(f"memory after the quick start: {resident:.0f} MB (goal {MEMORY_LIMIT} MB), and {files:.0f} MB of files")


if __name__ == "__main__":
    main()
