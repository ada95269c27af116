"""The processes of executions: one task each, tried as often as its template says."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

from rehearsal.emulators.cloud_run.executions import COMPLETED, NON_ZERO_EXIT_CODE, STARTED, Execution
from rehearsal.emulators.cloud_run.fleet import StartFailed
from rehearsal.emulators.cloud_run.launching import Launcher, TaskLaunch
from rehearsal.emulators.cloud_run.logs import LogBook, LogLine
from rehearsal.emulators.cloud_run.resources import RECONCILING, SUCCEEDED, Condition
from rehearsal.emulators.google.wire import duration
from rehearsal.processes import spawn_async


class Tasks:
    """What runs of executions, and what it printed."""

    def __init__(self, launcher: Launcher, clock: Callable[[], float]) -> None:
        self._launcher = launcher
        self._clock = clock
        self._logs: dict[str, LogBook] = {}
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    async def run(self, execution: Execution) -> None:
        """Have its task done; what came of it is in the execution."""
        execution.set(Condition(type=COMPLETED, state=RECONCILING, changed=self._clock()))
        try:
            launch = await self._launcher.prepare_task(execution)
        except StartFailed as failed:
            execution.fail(self._clock(), failed.message)
            return
        execution.started = self._clock()
        execution.set(Condition(type=STARTED, state=SUCCEEDED, changed=execution.started))
        for attempt in range(1 + int(execution.template["maxRetries"])):
            execution.attempts = attempt + 1
            await self._attempt(execution, launch, attempt)
            if execution.exit_code == 0:
                execution.completed = self._clock()
                execution.set(Condition(type=COMPLETED, state=SUCCEEDED, changed=execution.completed))
                return
        how = "The configured timeout was reached." if execution.signal else "The container exited with an error."
        message = f"Task {execution.name}-task0 failed with message: {how}"
        execution.fail(self._clock(), message, NON_ZERO_EXIT_CODE)

    async def _attempt(self, execution: Execution, launch: TaskLaunch, attempt: int) -> None:
        """One process until its end; a process that is still there at the end of its time, or of ours, is killed."""
        home = await asyncio.to_thread(self._launcher.home_of_task, execution)
        process = await self._spawned(launch, attempt, home)
        self._processes[execution.full_name] = process
        book = self._logs.setdefault(execution.full_name, LogBook())
        streams = [(name, each) for name, each in (("stdout", process.stdout), ("stderr", process.stderr)) if each]
        readers = [asyncio.create_task(book.follow(execution.name, name, each)) for name, each in streams]
        seconds = duration(execution.template["timeout"], field="timeout")
        try:
            await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            execution.signal = signal.SIGKILL
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            await asyncio.gather(*readers, return_exceptions=True)
            del self._processes[execution.full_name]
        code = process.returncode
        execution.exit_code = code if code is not None and code >= 0 and not execution.signal else None

    async def _spawned(self, launch: TaskLaunch, attempt: int, home: Path) -> asyncio.subprocess.Process:
        variables = {"HOME": str(home), "TMPDIR": str(home), **launch.command.env, **launch.env}
        return await spawn_async(
            launch.command.argv,
            env={**variables, "CLOUD_RUN_TASK_ATTEMPT": str(attempt)},
            cwd=launch.command.cwd,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    def logs(self, execution: Execution) -> list[LogLine]:
        """What it has printed, as far as it is kept."""
        book = self._logs.get(execution.full_name)
        return book.lines() if book is not None else []

    def pids(self, execution: Execution) -> list[int]:
        """Its process, while there is one."""
        process = self._processes.get(execution.full_name)
        return [process.pid] if process is not None else []
