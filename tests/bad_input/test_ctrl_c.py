"""Ctrl-C at any moment: exit code 130 at once, one line that says what to do, nothing left running, and the next run finishes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.rehearsal.commands.upping import descendants, knowing, until
from tests.small_platform import Terminal, write

pytestmark = pytest.mark.world

ROOT = Path(__file__).parents[2]
WRITES = "POST|PUT|PATCH"
HELD_SECONDS = 30.0
GOES_ON = "interrupted; run it again: it finishes what was started"
AT_ONCE_SECONDS = 12.0
"""Much less than what is held; the machine may be busy."""


@contextmanager
def typed(argv: list[str], cwd: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A command in a process group of its own, as a shell starts it; gone at the end whatever happens."""
    process = subprocess.Popen(
        argv, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def ctrl_c(process: subprocess.Popen[str]) -> str:
    """What a terminal does: SIGINT to the whole group. It ends at once, with 130; its output."""
    os.killpg(process.pid, signal.SIGINT)
    started = time.monotonic()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert time.monotonic() - started < AT_ONCE_SECONDS, output
    assert "interrupted" in output
    assert "never retrieved" not in output
    assert "Traceback" not in output
    return output


def held(terminal: Terminal, fault: dict[str, object], argv: list[str], message: str = GOES_ON) -> bool:
    """Interrupt the command while the request is held; False when it ends before."""
    before = len(terminal.place.faults_fired())
    terminal.place.set_faults([{"kind": "delay", "seconds": HELD_SECONDS, **fault}])
    with typed(terminal.argv(*argv), terminal.checkout, terminal.environ()) as process:
        until(lambda: len(terminal.place.faults_fired()) > before or process.poll() is not None, "held, nor ended", 60)
        fired = len(terminal.place.faults_fired()) > before
        if fired:
            assert ctrl_c(process).endswith(f"{message}\n")
    terminal.place.clear_faults()
    return fired


def test_while_a_release_goes_out(terminal: Terminal) -> None:
    """At each write in turn, to any provider; then once more, to the end."""
    argv = terminal.deploying("sha-1")
    points = 0
    for number in range(0, 40, 2):
        if not held(terminal, {"method": WRITES, "after": number}, argv):
            break
        points += 1
    assert points >= 3
    assert "sha-1 is live in staging" in terminal.run(*argv).stdout
    deployments = terminal.place.deployments_of("sha-1")
    assert deployments["vercel"] == 1
    assert deployments["cloud-run"] <= 2
    assert terminal.live() == {"backend": "sha-1", "web": "sha-1"}
    rows = terminal.json("status", "-e", "staging")
    assert [row["drift"] for row in rows] == [None, None]


@pytest.mark.parametrize("emulator", ["vercel", "cloud-run", "github"])
def test_while_a_provider_is_asked(terminal: Terminal, emulator: str) -> None:
    """Several are asked at the same time, from threads; none is waited for."""
    assert held(terminal, {"method": "GET", "emulator": emulator}, ["status", "-e", "staging"], message="interrupted")


def test_while_it_goes_back(terminal: Terminal) -> None:
    for release in ("sha-1", "sha-2"):
        terminal.run(*terminal.deploying(release, release))
    assert held(terminal, {"method": WRITES, "emulator": "cloud-run"}, ["rollback", "-e", "staging"])
    assert held(terminal, {"method": WRITES, "emulator": "vercel"}, ["rollback", "-e", "staging"])
    terminal.run("rollback", "-e", "staging")
    assert terminal.live() == {"backend": "sha-1", "web": "sha-1"}


# the world ---------------------------------------------------------------------------------------------------------------


def starting(pids: list[int]) -> bool:
    """The world's own process is there."""
    return any(b"rehearsal.world" in _read(pid, "cmdline") for pid in pids)


def serving(pids: list[int]) -> bool:
    """Its database is there already."""
    return any(_read(pid, "comm").startswith(b"postgres") for pid in pids)


def acting(pids: list[int]) -> bool:
    """A workflow's job runs."""
    return any(_read(pid, "comm").strip() == b"act" for pid in pids)


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("moment", [starting, serving])
def test_while_a_world_starts(tmp_path: Path, moment: Callable[[list[int]], bool]) -> None:
    argv = ["up", "--repository", str(write(tmp_path / "repository"))]
    interrupted(argv, moment, tmp_path)


@pytest.mark.parametrize("moment", [starting, serving, acting])
def test_while_a_story_is_reported(tmp_path: Path, moment: Callable[[list[int]], bool]) -> None:
    argv = ["rehearse", "--story", "red-pull-request", "--output", str(tmp_path / "report")]
    interrupted(argv, moment, tmp_path)


def test_while_two_stories_are_notified(tmp_path: Path) -> None:
    argv = ["rehearse", "--fresh", "--story", "quick-start", "--story", "red-pull-request"]
    interrupted(
        [*argv, "--output", str(tmp_path / "report")], lambda pids: acting(pids) and worlds(pids) == 2, tmp_path
    )


def worlds(pids: list[int]) -> int:
    """How many there are."""
    return sum(b"rehearsal.world\0" in _read(pid, "cmdline") for pid in pids)


def interrupted(argv: list[str], moment: Callable[[list[int]], bool], folder: Path) -> None:
    """Ctrl-C at a moment: every process, port and folder is gone."""
    temporary = folder / "tmp"
    temporary.mkdir()
    temporary.chmod(0o755)
    env = {**os.environ, "TMPDIR": str(temporary), "XDG_STATE_HOME": str(folder / "state"), "PYTHONPATH": str(ROOT)}
    with typed([sys.executable, "-P", "-m", "pipelines.cli", *argv], ROOT, env) as process:
        until(lambda: moment(descendants(process.pid)) or process.poll() is not None, "there", 120)
        owned = descendants(process.pid)
        assert process.poll() is None, process.communicate()
        result = ctrl_c(process)
    assert "finishes" not in result, "a world is thrown away"
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in owned), "every process gone", 40)
    # Its ports may be another process's by now, so it is the processes that are looked for, also those it does not descend from.
    assert not knowing(str(temporary))
    until(lambda: not list(temporary.glob("shipmate-world-*")), "the folder gone", 40)
