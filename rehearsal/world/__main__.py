"""`python -m rehearsal.world --root DIR --repository DIR`: one world, until SIGTERM, SIGINT or the end of its parent."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from rehearsal.world.composition import Composition, Options


async def serve(options: Options) -> int:
    """Start, say where everything is in ROOT/world.json, and wait to be ended."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    world = Composition(options)
    try:
        await world.start()
        world.write_ready()
        await over.wait()
    finally:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(world.stop(), timeout=12)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="rehearsal.world", description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--repository", type=Path, required=True)
    parser.add_argument("--time-scale", type=float, default=1.0)
    given = parser.parse_args()
    return asyncio.run(serve(Options(root=given.root, repository=given.repository, time_scale=given.time_scale)))


if __name__ == "__main__":
    sys.exit(main())
