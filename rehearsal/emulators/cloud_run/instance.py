"""One instance: a process of the image on a port of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.emulators.cloud_run.command import Command
from rehearsal.emulators.cloud_run.logs import LogBook
from rehearsal.emulators.cloud_run.probes import Probe
from rehearsal.processes import spawn_async

SYSTEM = "varlog/system"
_KILL_AFTER = 10.0  # seconds between SIGTERM and SIGKILL, as on Cloud Run
_READ_REST = 2.0
_ENDS_SOON = 0.5


@dataclass(frozen=True, kw_only=True)
class Probes:
    """Of one container; the startup probe is always there."""

    startup: Probe
    liveness: Probe | None = None
    readiness: Probe | None = None


class Instance:
    """A process and what is known of it. `serving` says whether requests may be sent to it."""

    def __init__(self, label: str, command: Command, probes: Probes, logs: LogBook) -> None:
        self.label = label
        self.port = free_port()
        self.serving = False
        self.in_flight = 0
        self._command = command
        self._probes = probes
        self._logs = logs
        self._idle = asyncio.Event()
        self._idle.set()
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int:
        """Of the process; 0 before the launch."""
        return self._process.pid if self._process is not None else 0

    async def launch(self, env: Mapping[str, str], home: Path) -> None:
        """Start the process, with `home` as its home and its folder for temporary files. Raises OSError."""
        variables = {
            "HOME": str(home),
            "TMPDIR": str(home),
            **self._command.env,
            **env,
            "PORT": str(self.port),
        }
        process = await spawn_async(
            self._command.argv,
            env=variables,
            cwd=self._command.cwd,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self._process = process
        for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
            if stream is not None:
                self._readers.append(asyncio.create_task(self._logs.follow(self.label, name, stream)))

    async def started(self) -> bool:
        """Whether the startup probe passes before its deadline, and before the process ends."""
        probe = asyncio.create_task(self._probes.startup.passes_in_time(self.port))
        ended = asyncio.create_task(self.ended())
        try:
            await asyncio.wait({probe, ended}, return_when=asyncio.FIRST_COMPLETED)
            return probe.done() and not ended.done() and probe.result()
        finally:
            await _cancelled(probe, ended)

    async def ended(self) -> int:
        """The exit code, once the process has ended and its last lines are read. It stops serving before that."""
        code = await self._exit()
        await asyncio.wait(self._readers, timeout=_READ_REST)
        return code

    async def broke_off(self) -> None:
        """Called when a connection broke: returns at once if the process has ended, else when it ends or a moment later.

        A connection is often the first sign of a crash. The client that sees it should not meet the dead instance again.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._exit(), _ENDS_SOON)

    async def fails(self) -> str:
        """Returns, with the reason, when the process ends or the liveness probe gives it up."""
        ended = asyncio.create_task(self.ended())
        watches = [asyncio.create_task(watch) for watch in (self._watch_liveness(), self._watch_readiness())]
        try:
            await asyncio.wait({ended, watches[0]}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                return f"Container called exit({ended.result()})."
            return "LIVENESS HTTP probe failed; the instance is restarted."
        finally:
            await _cancelled(ended, *watches)

    async def _exit(self) -> int:
        assert self._process is not None  # noqa: S101 - only asked after `launch`
        code = await self._process.wait()
        self.serving = False
        return code

    @contextlib.asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Counts a request under way, which `stop` waits for."""
        self.in_flight += 1
        self._idle.clear()
        try:
            yield
        finally:
            self.in_flight -= 1
            if not self.in_flight:
                self._idle.set()

    async def stop(self, *, drain: float) -> None:
        """Let requests finish for up to `drain` seconds, then SIGTERM, then SIGKILL. Idempotent."""
        self.serving = False
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), drain)
        if self._process is None:
            return
        if self._process.returncode is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _KILL_AFTER)
        await self.kill()

    async def kill(self) -> None:
        """SIGKILL to the whole group; nothing of it is left."""
        self.serving = False
        if self._process is None:
            return
        self._signal(signal.SIGKILL)
        await self._process.wait()
        await asyncio.wait(self._readers, timeout=_READ_REST)
        await _cancelled(*self._readers)

    async def _watch_liveness(self) -> None:
        """Ends when the probe has failed as often as allowed."""
        probe = self._probes.liveness
        if probe is None:
            await asyncio.Event().wait()
            return
        await asyncio.sleep(probe.delay)
        failed = 0
        while failed < probe.failures:
            await asyncio.sleep(probe.period)
            failed = 0 if await probe.passes(self.port) else failed + 1

    async def _watch_readiness(self) -> None:
        """Takes the instance out of service while the probe fails. Ends with the task."""
        probe = self._probes.readiness
        failed = 0
        while probe is not None:
            await asyncio.sleep(probe.period)
            failed = 0 if await probe.passes(self.port) else failed + 1
            if failed in (0, probe.failures):
                self.serving = not failed

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
