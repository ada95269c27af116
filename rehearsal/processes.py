"""Child processes that never outlive the world."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """For `preexec_fn`: have the kernel end this process when its parent is gone (prctl(2))."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def end_with_parent() -> None:
    """`die_with_parent` for a process that has something to clean up: SIGTERM, which it must handle in bounded time."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdout: int | IO[Any] = subprocess.DEVNULL,
    stderr: int | IO[Any] = subprocess.DEVNULL,
    preexec: Any = None,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own that dies with this one. The environment is exactly `env`.

    PDEATHSIG belongs to the *thread* that forks: call this from a thread that lives as long as the world.
    """

    def prepare() -> None:
        _prepare()
        if preexec is not None:
            preexec()

    return subprocess.Popen(
        list(argv),
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
        preexec_fn=prepare,  # noqa: PLW1509 - it makes one system call and takes no lock
    )


async def spawn_async(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdout: int | IO[Any] = subprocess.DEVNULL,
    stderr: int | IO[Any] = subprocess.DEVNULL,
) -> asyncio.subprocess.Process:
    """`spawn` for the event loop (same guarantees)."""
    return await asyncio.create_subprocess_exec(
        *argv,
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
        preexec_fn=_prepare,
    )


async def communicated(process: asyncio.subprocess.Process, stdin: bytes = b"") -> tuple[bytes, bytes]:
    """What a process printed, on both ways. When the waiting task is cancelled the process is killed and its pipes are closed."""
    try:
        return await process.communicate(stdin)
    except BaseException:
        await ended(process)
        raise


async def ended(process: asyncio.subprocess.Process) -> None:
    """Kill a process of the event loop that nobody waits for any more, with its group where it leads one; returns when it is reaped
    and its pipes are closed: a loop that ends before would leave them to the garbage collector."""
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    if process.stdin is not None:
        process.stdin.close()
    await process.communicate()


def _prepare() -> None:
    """A world that nohup started ignores SIGHUP, and ignoring is inherited: the kernel could not tell a terminal's
    processes that it is gone."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    die_with_parent()


def end(process: subprocess.Popen[bytes], *, grace: float = 2.0) -> None:
    """SIGTERM to the whole group, SIGKILL after `grace` seconds; returns when the process is reaped."""
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=grace)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def marked(name: str, value: str) -> list[int]:
    """Process ids whose environment holds NAME=VALUE, this process excepted (finds what left its group and session)."""
    needle = f"{name}={value}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            environ = (folder / "environ").read_bytes()
        except OSError:
            continue
        if needle in environ.split(b"\0"):
            found.append(int(folder.name))
    return found


def reap(name: str, value: str) -> list[int]:
    """SIGKILL every process marked NAME=VALUE in its environment; the ids that were sent it."""
    killed = []
    for pid in marked(name, value):
        try:
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
        except ProcessLookupError:
            continue
    return killed


@dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """One process, and none that gets its number later."""

    pid: int
    started: str
    """The boot of the machine, and the clock tick after it at which the process started (proc(5), starttime)."""

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity | None:
        """None for a process that has ended, a zombie too."""
        try:
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
            state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if state in "ZX" else cls(pid=pid, started=f"{boot}:{fields[18]}")

    def runs(self) -> bool:
        return ProcessIdentity.of(self.pid) == self

    def send(self, number: int) -> bool:
        """Send it a signal; whether it was still there to get it."""
        if not self.runs():
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True


def descendants(pid: int) -> list[int]:
    """Process ids of its children, theirs, and so on, those of each of its threads."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            found += map(int, children.read_text().split())
    return [*found, *(below for child in found for below in descendants(child))]


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return
