"""`shipmate up` as a process, and what is left of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
READY_SECONDS = 120
GONE_SECONDS = 40


def until(condition: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not {what} after {seconds} s"
        time.sleep(0.05)


@dataclass
class Up:
    """A running `shipmate up`; `output` grows until the world is up."""

    process: subprocess.Popen[str]
    output: str = ""
    owned: list[int] = field(default_factory=list)
    ports: set[int] = field(default_factory=set)

    @property
    def root(self) -> Path:
        found = re.search(r"(/\S+)/world\.json", self.output)
        assert found is not None, self.output
        return Path(found[1])

    def look(self) -> None:
        """Remember every process below, and every port they listen on."""
        self.owned = [self.process.pid, *descendants(self.process.pid)]
        self.ports = listening(self.owned)
        assert len(self.owned) > 4, "the world, Postgres, Redis and the runner's watchdog"
        assert len(self.ports) > 10, "the emulators, the services"

    def gone(self) -> bool:
        return not any(Path(f"/proc/{pid}").exists() and not _zombie(pid) for pid in self.owned)

    def nothing_is_left(self) -> None:
        """Processes, ports and the folder are gone, or will be in a moment."""
        until(self.gone, "every process gone", GONE_SECONDS)
        until(lambda: not self.root.exists(), f"{self.root} removed", GONE_SECONDS)
        # Its ports may be another process's by now, so it is the processes that are looked for, also those it does not descend from.
        assert not knowing(str(self.root))


@contextmanager
def up() -> Iterator[Up]:
    """Start it in a session of its own; the block begins when it has printed everything."""
    argv = [sys.executable, "-P", "-m", "pipelines.cli", "up"]
    state = tempfile.mkdtemp()  # another test may keep a world of this checkout, too
    env = {
        "XDG_STATE_HOME": state,
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/root"),
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
    }
    env |= {name: os.environ[name] for name in ("SHIPMATE_HOME", "SHIPMATE_BROWSER") if name in os.environ}
    process = subprocess.Popen(
        argv, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    started = Up(process)
    try:
        assert process.stdout is not None
        deadline = time.monotonic() + READY_SECONDS
        while "The others' terminals" not in started.output:
            line = process.stdout.readline()
            assert line, f"it ended: {started.output}"
            assert time.monotonic() < deadline, started.output
            started.output += line
        started.look()
        yield started
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
        shutil.rmtree(state)


def children(pid: int) -> list[int]:
    """Of any thread. Who ends while we look has none."""
    found: list[int] = []
    for thread in _listed(f"/proc/{pid}/task"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, (thread / "children").read_text().split())
    return found


def descendants(pid: int) -> list[int]:
    """Children, and theirs."""
    own = children(pid)
    return [*own, *(below for child in own for below in descendants(child))]


def listening(pids: list[int]) -> set[int]:
    """Loopback TCP ports that these processes listen on (proc(5): state 0A in /proc/net/tcp)."""
    inodes = {
        link[8:-1]
        for pid in pids
        for descriptor in _listed(f"/proc/{pid}/fd")
        if (link := _target(descriptor)).startswith("socket:[")
    }
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A" and row[9] in inodes}


def _listed(folder: str) -> list[Path]:
    """What a folder of /proc holds; nothing once its process has ended."""
    try:
        return list(Path(folder).iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return []


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""


def _zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def knowing(folder: str) -> list[int]:
    """Processes whose command or environment names a folder, zombies left out."""
    needle, found = folder.encode(), []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            message = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
        except OSError:
            continue
        if needle in message and not _zombie(int(place.name)):
            found.append(int(place.name))
    return found
