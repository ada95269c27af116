"""The record of a kept world: who holds it, whose process it names, and how long a world is kept."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from rehearsal.processes import ProcessIdentity
from rehearsal.world import ending, keeper
from rehearsal.world.handle import World, WorldFailed
from rehearsal.world.record import Record, RecordPlace, Taken, state_folder


@pytest.fixture
def sleeper() -> Iterator[ProcessIdentity]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        found = ProcessIdentity.of(process.pid)
        assert found is not None
        yield found
        process.kill()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordPlace:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return RecordPlace(tmp_path)


def record(of: ProcessIdentity, **more: object) -> Record:
    known = Record(repository="/checkout", keeper=of, detached=True, since=1.0, ends=2.0)
    return replace(known, **more)  # type: ignore[arg-type]


def test_a_number_that_another_process_got_is_sent_nothing(sleeper: ProcessIdentity) -> None:
    earlier = replace(sleeper, started="an earlier boot:1")
    assert not earlier.runs()
    assert not earlier.send(signal.SIGKILL)
    assert sleeper.runs()
    assert sleeper.send(signal.SIGKILL)


def test_a_process_that_has_ended_is_none() -> None:
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    identity = ProcessIdentity(pid=ended.pid, started="")
    assert ended.wait() == 0
    assert ProcessIdentity.of(ended.pid) is None
    assert not identity.runs()


def test_one_process_at_a_time_keeps_a_world_of_a_checkout(place: RecordPlace, tmp_path: Path) -> None:
    with place.claimed():
        assert place.held()
        with pytest.raises(Taken), RecordPlace(tmp_path / "." / "").claimed():
            pass
        assert not RecordPlace(tmp_path / "other").held()
    assert not place.held()


def test_the_record_is_read_as_it_was_written_by_its_owner_alone(place: RecordPlace, sleeper: ProcessIdentity) -> None:
    assert place.read() is None
    place.make()
    written = record(sleeper, world=sleeper, root="/dev/shm/shipmate-world-1-x")  # noqa: S108 - only a name
    place.write(written)
    assert place.read() == written
    assert all(file.stat().st_mode & 0o077 == 0 for file in (place.folder, place.folder / "record.json"))


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"keeper": {}, "world": None})])
def test_what_is_no_record_is_none(place: RecordPlace, text: str) -> None:
    place.make()
    (place.folder / "record.json").write_text(text)
    assert place.read() is None


def test_a_stale_record_kills_no_process_that_has_its_number_now(
    place: RecordPlace, sleeper: ProcessIdentity, tmp_path: Path
) -> None:
    left, foreign = tmp_path / "shipmate-world-1-x", tmp_path / "of-another"
    left.mkdir()
    foreign.mkdir()
    place.make()
    earlier = replace(sleeper, started="an earlier boot:1")
    for folder in (left, foreign):
        place.write(record(earlier, world=earlier, root=str(folder)))
        assert ending.end(place).outcome == "stale"
    assert sleeper.runs()
    assert not left.exists()
    assert foreign.exists(), "a record names folders of worlds alone"
    assert ending.end(place).outcome == "none"


def test_without_a_variable_it_is_below_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", value)
        assert state_folder() == tmp_path / ".local/state/shipmate/worlds"


class Kept:
    """A world as its keeper sees it."""

    def __init__(self, code: int | None) -> None:
        self.code = code

    def alive(self) -> bool:
        return self.code is None

    def ended_well(self) -> bool:
        return self.code == 0

    def output(self) -> str:
        return "out of memory"


def test_it_is_kept_until_its_time_is_over_or_it_ends() -> None:
    def wait(code: int | None, hours: float | None) -> str:
        return keeper.wait_for_end(cast(World, Kept(code)), threading.Event(), hours)

    assert wait(None, 1e-9) == "its 1e-09 hours are over"
    assert wait(0, None) == "it was asked to end"
    with pytest.raises(WorldFailed, match="out of memory"):
        wait(-9, None)
