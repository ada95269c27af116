"""Ends a world that another process keeps, and removes what a killed one left."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import httpx

from rehearsal import processes
from rehearsal.processes import ProcessIdentity
from rehearsal.scenario.world_client import WorldClient
from rehearsal.world import leftovers
from rehearsal.world.record import Record, RecordPlace, Taken

MARK = "SHIPMATE_WORLD"
ASK_SECONDS = 5
GONE_SECONDS = 30
"""How long a world has to end by itself (it takes 12 at most); then its processes are killed."""
KILLED_SECONDS = 10


class Outcome(StrEnum):
    """What came of ending a world."""

    ENDED = "ended"
    """It was asked to end, and is gone."""
    SIGNALLED = "signalled"
    """It did not take the request: a signal ended it."""
    STALE = "stale"
    """It had been killed; what it left is gone."""
    NONE = "none"
    """There was none."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """`record`: of the world that is gone; None where there was none. `left`: processes that could not be ended."""

    outcome: Outcome
    record: Record | None = None
    left: tuple[int, ...] = ()


def end(place: RecordPlace) -> Ended:
    """End the world of a checkout; returns when its processes, and with them its ports, are gone, or cannot be ended."""
    try:
        with place.claimed():
            return clear(place)
    except Taken:
        pass
    record = place.read()
    if record is None:  # it began, or ended, in this moment
        return Ended(outcome=Outcome.NONE)
    members = _members(record.keeper)
    outcome = Outcome.ENDED if _asked(record) else Outcome.SIGNALLED
    if outcome is Outcome.SIGNALLED:
        record.keeper.send(signal.SIGTERM)
    left = _gone(members, GONE_SECONDS)
    if left:
        outcome = Outcome.SIGNALLED
        left = _killed(left)
    _remove(record)
    with suppress(Taken), place.claimed():  # the killed process could not; one that is taken again is another world's
        place.remove()
    return Ended(outcome=outcome, record=record, left=tuple(each.pid for each in left))


def clear(place: RecordPlace) -> Ended:
    """Remove what a world left whose keeper was killed; its lock must be held. A world that is still ending is waited for."""
    record = place.read()
    if record is None:
        return Ended(outcome=Outcome.NONE)
    left = _killed(_gone(_members(record.world), GONE_SECONDS))
    _remove(record)
    place.remove()
    return Ended(outcome=Outcome.STALE, record=record, left=tuple(each.pid for each in left))


def _asked(record: Record) -> bool:
    """Ask the world by its own port; whether it took it."""
    try:
        client = WorldClient.read(Path(record.root) / "world.json")
        return client.ask_control("POST", "_world/stop", timeout=ASK_SECONDS).status_code == 202
    except (OSError, ValueError, KeyError, httpx.HTTPError):
        return False


def _members(first: ProcessIdentity | None) -> list[ProcessIdentity]:
    """A process and all below it; none once it has ended."""
    if first is None or not first.runs():
        return []
    found = (ProcessIdentity.of(pid) for pid in processes.descendants(first.pid))
    return [first, *filter(None, found)]


def _gone(members: Iterable[ProcessIdentity], seconds: float) -> list[ProcessIdentity]:
    """Wait until they have ended; those that have not in time."""
    deadline = time.monotonic() + seconds
    while (left := [each for each in members if each.runs()]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _killed(members: list[ProcessIdentity]) -> list[ProcessIdentity]:
    """SIGKILL to each; those that are there even so."""
    for each in members:
        each.send(signal.SIGKILL)
    return _gone(members, KILLED_SECONDS)


def _remove(record: Record) -> None:
    """What a killed world could not remove: processes that left its session, and its folder."""
    if record.world is not None and ProcessIdentity.of(record.world.pid) is None:
        processes.reap(MARK, str(record.world.pid))
    folder = Path(record.root)
    if record.ready and folder.name.startswith(leftovers.PREFIX):
        shutil.rmtree(folder, ignore_errors=True)
