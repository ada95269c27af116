"""Keeps a world up until it is ended: by a signal, by `shipmate down`, or because its time is over.

`python -m rehearsal.world.keeper --repository DIR --hours N` does it without a terminal.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rehearsal import processes
from rehearsal.processes import ProcessIdentity
from rehearsal.scenario.world_client import WorldClient
from rehearsal.world import ending
from rehearsal.world.handle import READY_SECONDS, World, WorldFailed, require_linux
from rehearsal.world.record import Record, RecordPlace, Taken

HOURS = 12.0
"""How long a world without a terminal is kept by default."""
LOOKS_EVERY = 0.5
FAILED, TAKEN = 11, 3
LONGEST_END = 20.0
"""Seconds that ending a world takes at most."""


def keep(
    repository: Path,
    *,
    port: int = 0,
    hours: float | None,
    detached: bool,
    ready: Callable[[World, WorldClient, Record], None],
) -> str:
    """Start a world, call `ready`, and wait; why it was ended. What a killed world of this checkout left is removed first.

    `hours`: how long at most; None: until a signal. Raises Taken when there is such a world, and WorldFailed.
    """
    place = RecordPlace(repository)
    with place.claimed():
        ending.clear(place)
        record = _begun(place.repository, hours, detached)
        place.write(record)
        signal.signal(signal.SIGTERM, _interrupted)
        try:
            world = World(place.repository, port=port)
            with world as client:
                record = replace(record, root=str(client.root), world=ProcessIdentity.of(world.pid))
                place.write(record)
                stopped = _stopped_by_signal()
                ready(world, client, record)
                return wait_for_end(world, stopped, hours)
        finally:
            place.remove()


def start(place: RecordPlace, *, port: int, hours: float) -> bool:
    """Have a process of its own session keep a world of a checkout; returns when it is ready.

    False when another process began to keep one first. Raises WorldFailed with what was printed; nothing runs then.
    """
    place.make()
    argv = [sys.executable, "-P", "-m", "rehearsal.world.keeper", "--repository", str(place.repository)]
    argv += ["--port", str(port), "--hours", str(hours)]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with place.log.open("wb") as log:
        process = subprocess.Popen(
            argv, cwd="/", env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_until_ready(place, process)
    except BaseException as error:  # Ctrl-C too: what is not ready is not left behind
        code = process.poll()
        if code == TAKEN:
            return False
        processes.end(process, grace=LONGEST_END)
        if code is not None:
            printed = place.log.read_text(errors="replace").strip()
            raise WorldFailed(printed or "the world was ended before it was ready") from error
        raise
    process.returncode = 0  # it goes on without us: not a child to wait for
    return True


def wait_until_ready(place: RecordPlace, process: subprocess.Popen[bytes] | None = None) -> Record:
    """The record of a world that is starting, or up; `process`: the one that keeps it. Raises WorldFailed."""
    deadline = time.monotonic() + READY_SECONDS + ending.GONE_SECONDS  # a killed one may have to be waited for first
    while time.monotonic() < deadline:
        record = place.read()
        if record is not None and record.ready and (process is None or record.keeper.pid == process.pid):
            return record
        if (process.poll() is not None) if process is not None else not place.held():
            break
        time.sleep(0.02)
    raise WorldFailed(f"the world of {place.repository} is not ready\n  next: look at {place.log}, then run it again")


def _begun(repository: Path, hours: float | None, detached: bool) -> Record:
    require_linux()
    keeper, now = ProcessIdentity.of(os.getpid()), time.time()
    assert keeper is not None, "this very process runs"  # noqa: S101
    ends = None if hours is None else now + hours * 3600
    return Record(repository=str(repository), keeper=keeper, detached=detached, since=now, ends=ends)


def _interrupted(number: int, _frame: object) -> None:
    """While it starts: what there is of the world is taken down on the way out."""
    raise SystemExit(128 + number)


def _stopped_by_signal() -> threading.Event:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def wait_for_end(world: World, stopped: threading.Event, hours: float | None) -> str:
    """Raises WorldFailed when the world ends without having been asked to."""
    over = None if hours is None else time.monotonic() + hours * 3600
    while not stopped.wait(LOOKS_EVERY):
        if world.ended_well():
            return "it was asked to end"
        if not world.alive():
            raise WorldFailed(f"the world ended unexpectedly; its last output:\n{world.output()}")
        if over is not None and time.monotonic() > over:
            return f"its {hours:g} hours are over"
    return "it was sent a signal"


def _log(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="rehearsal.world.keeper", description=__doc__)
    parser.add_argument("--repository", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--hours", type=float, default=HOURS)
    given = parser.parse_args()

    def ready(world: World, client: WorldClient, record: Record) -> None:
        _log(f"up after {world.seconds_to_ready:.1f} s, as process {os.getpid()}, in {client.root}")

    try:
        why = keep(given.repository, port=given.port, hours=given.hours, detached=True, ready=ready)
    except Taken:
        return TAKEN
    except WorldFailed as error:
        _log(str(error))
        return FAILED
    _log(f"ended: {why}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
