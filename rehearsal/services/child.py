"""A server process: started on a free port, waited for until it answers, ended when the world ends."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from rehearsal import processes
from rehearsal.services.availability import ServiceUnavailable, free_port

_TRIES = 5
_READY_SECONDS = 20.0
_POLL_SECONDS = 0.01
_LOG_TAIL = 600


class Child:
    """`command(port)` gives the argv; `is_ready(port)` says whether it answers. Its output goes to the file `log`."""

    def __init__(
        self,
        name: str,
        command: Callable[[int], Sequence[str]],
        is_ready: Callable[[int], Awaitable[bool]],
        *,
        env: Mapping[str, str],
        log: Path,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self._name = name
        self._command = command
        self._is_ready = is_ready
        self._env = env
        self._log = log
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    async def start(self) -> int:
        """Start, on another port when the first was taken meanwhile; the port. Raises ServiceUnavailable with the log's end.

        Call it on a thread that lives as long as the server should (rehearsal.processes.spawn says why).
        """
        for _ in range(_TRIES):
            self.port = free_port()
            with self._log.open("wb") as log:
                self._process = processes.spawn(self._command(self.port), env=self._env, stdout=log, stderr=log)
            if await self._answers(self._process):
                return self.port
            await self.stop()
            if not self._lost_its_port():
                break
        raise ServiceUnavailable(f"{self._name} does not start. The end of its log ({self._log}): {self._tail()}")

    async def stop(self) -> None:
        """End the process, kindly first. Idempotent."""
        process, self._process = self._process, None
        if process is not None:
            if process.poll() is None:
                process.send_signal(self._stop_signal)
            await asyncio.to_thread(_end, process)

    async def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = asyncio.get_running_loop().time() + _READY_SECONDS
        while process.poll() is None and asyncio.get_running_loop().time() < deadline:
            if await self._is_ready(self.port):
                return True
            await asyncio.sleep(_POLL_SECONDS)
        return False

    def _lost_its_port(self) -> bool:
        return "already in use" in self._tail()

    def _tail(self) -> str:
        return self._log.read_text(errors="replace")[-_LOG_TAIL:].strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=3)
    processes.end(process, grace=1)
