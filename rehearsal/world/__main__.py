"""`python -m rehearsal.world --root DIR --repository DIR`: one world, until SIGTERM, SIGINT or the end of its parent."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import shutil
import signal
import sys
from pathlib import Path

import yaml

from rehearsal import definition, processes
from rehearsal.contracts.fetch import ContractUnavailable
from rehearsal.services.availability import ServiceUnavailable
from rehearsal.world import snapshot
from rehearsal.world.composition import Composition, Options

MARK = "SHIPMATE_WORLD"
"""Environment variable with the world's process id in what its emulators start."""
STOP_SECONDS = 12
"""How long the world may take to end everything; its parent kills it after 15."""


async def serve(options: Options, from_snapshot: Path | None) -> int:
    """Start, say where everything is in ROOT/world.json, and wait to be ended. `from_snapshot`: a snapshot to start from."""
    world = Composition(options)
    over = world.over
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    if from_snapshot is not None:
        await asyncio.to_thread(snapshot.prepare, from_snapshot, options.root)
    try:
        if await _started(world, over):
            if from_snapshot is not None:
                snapshot.load(world, from_snapshot)
            # What is there by now stays to the end: the collector need not look through it again and again.
            gc.freeze()
            world.write_ready()
            await over.wait()
    finally:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(world.stop(), timeout=STOP_SECONDS)
    return 0


async def _started(world: Composition, over: asyncio.Event) -> bool:
    """Start, unless it is over before; whether everything is up. Raises what `Composition.start` raises."""
    starting, ended = asyncio.create_task(world.start()), asyncio.create_task(over.wait())
    await asyncio.wait({starting, ended}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    if not starting.done():
        starting.cancel()
        await asyncio.wait({starting})
        return False
    await starting
    return True


def run(options: Options, from_snapshot: Path | None) -> int:
    """`serve`; a known obstacle ends it with a message, a bug with its traceback."""
    manifest = options.repository / "shipmate.yml"
    try:
        definition.read(manifest)
    except (KeyError, ValueError, yaml.YAMLError, OSError) as error:
        message = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        print(f"{manifest} does not say what a world needs: {message}\n  next: shipmate manifest check")
        return 1
    try:
        return asyncio.run(serve(options, from_snapshot))
    except (ServiceUnavailable, ContractUnavailable, OSError) as error:
        print(f"{type(error).__name__}: {error}")
        return 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="rehearsal.world", description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--repository", type=Path, required=True)
    parser.add_argument("--time-scale", type=float, default=1.0)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--snapshot", type=Path)
    parser.add_argument("--changes", type=Path)
    given = parser.parse_args()
    parent = os.getppid()
    try:
        options = Options(
            root=given.root,
            repository=given.repository,
            time_scale=given.time_scale,
            port=given.port,
            changes=given.changes,
        )
        return run(options, given.snapshot)
    finally:
        if os.getppid() != parent:  # it was killed, and cannot clean up
            processes.reap(MARK, str(os.getpid()))
            shutil.rmtree(given.root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
