"""One act process: its arguments, its environment, its life."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal import processes
from rehearsal.runner.derive import LABEL, MAIN

MARK = "ACT_RUN_MARK"
"""Environment variable by which everything a job started is found again."""
_CHUNK = 1 << 16
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """Everything that determines one act process."""

    act: Path
    folder: Path
    """The job's own folder: workflow, event, HOME, workspace; deleted afterwards."""
    event: str
    actor: str
    actions: Mapping[str, Path] = field(default_factory=dict)
    """`owner/name@ref` -> folder."""
    mark: str

    def argv(self) -> list[str]:
        """Secrets, variables and environment come from files: a command line can be read by anyone."""
        folder = self.folder
        argv = [
            *(str(self.act), self.event, "-C", str(folder), "-W", MAIN, "-e", str(folder / "event.json")),
            *("--json", "--rm", "--action-offline-mode", "--no-cache-server", "--no-skip-checkout", "--pull=false"),
            *("--env", f"{MARK}={self.mark}", "-P", f"{LABEL}=-self-hosted", "-a", self.actor),
            *("--action-cache-path", str(folder / "act")),
            *("--env-file", str(folder / "env.yml"), "--input-file", "/dev/null"),
            *("--secret-file", str(folder / "secrets.yml"), "--var-file", str(folder / "variables.yml")),
        ]
        for reference, path in self.actions.items():
            argv += ["--local-repository", f"{reference}={path}"]
        return argv

    def environment(self) -> dict[str, str]:
        """Of act itself. Without PATH it starts 30 ms faster (it finds no node to ask for its version); steps get theirs."""
        home = self.folder / "home"
        return {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "LANG": "C.UTF-8",
            "ACT_DISABLE_VERSION_CHECK": "1",
            # An act process lives for one job and holds little: collecting garbage before it holds this much took a third of its time.
            "GOGC": "off",
            "GOMEMLIMIT": "128MiB",
            MARK: self.mark,
        }


class ActProcess:
    """A running act. `lines` yields its JSON log; `interrupt` and `kill` end it early; `finish` leaves nothing behind."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._process: asyncio.subprocess.Process | None = None
        self._stderr: asyncio.Task[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of act; `start` must have returned."""
        return self._started().pid

    async def start(self) -> None:
        self._process = await processes.spawn_async(
            self._invocation.argv(),
            env=self._invocation.environment(),
            cwd=self._invocation.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        if self._process.stderr is not None:
            self._stderr = asyncio.create_task(self._process.stderr.read())

    async def lines(self) -> AsyncIterator[bytes]:
        """Lines of the log as they come; a line may be as long as a step summary."""
        stream = self._started().stdout
        rest = b""
        while stream is not None and (chunk := await stream.read(_CHUNK)):
            *complete, rest = (rest + chunk).split(b"\n")
            for line in complete:
                yield line
        if rest:
            yield rest

    async def finish(self) -> tuple[int, str]:
        """Exit code (negative: the signal that ended it) and what act wrote to stderr."""
        code = await self._started().wait()
        self.reap()
        return code, (await self._stderr).decode(errors="replace") if self._stderr is not None else ""

    def spent(self) -> float:
        """Processor time of the steps' processes that have ended, in seconds (proc(5): cutime and cstime of act)."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return 0.0  # act is gone
        user, system = stat.rpartition(")")[2].split()[13:15]
        return (int(user) + int(system)) / _TICKS

    def interrupt(self) -> None:
        """Ask act to cancel: the step is killed, `always()` and `cancelled()` steps still run."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End act and everything its steps started."""
        self._signal(signal.SIGKILL)
        self.reap()

    def reap(self) -> list[int]:
        """Kill what the job left running, in whatever session; the process ids."""
        return processes.reap(MARK, self._invocation.mark)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _started(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("act was not started")
        return self._process
