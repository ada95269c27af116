"""One command of a check: no shell, its lines as they come, and nothing of it left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pipelines.errors import LocalError

DRAIN = 2.0
"""Seconds to read what is left in the pipe after the command ended: a process it left behind may hold the pipe open for ever."""


def stream(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], line: Callable[[str], None]) -> int:
    """Run it; its exit code (128 + signal when it was killed). Standard error goes where standard output goes.

    Raises LocalError when the command is not there.
    """
    try:
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,
        )
    except OSError as error:
        raise LocalError(
            f"{argv[0]} cannot be started: {error.strerror}",
            where=" ".join(argv),
            why="it is not installed, or not on PATH",
            next_step="make setup; in a workflow: look at `requirements` and `node` of the step `Set up`",
        ) from error
    with _ended(process):
        return _followed(process, line)


def _followed(process: subprocess.Popen[str], line: Callable[[str], None]) -> int:
    reader = threading.Thread(target=_read, args=(process.stdout, line), daemon=True)
    reader.start()
    code = process.wait()
    reader.join(DRAIN)
    if reader.is_alive():
        _kill(process.pid)
        reader.join(DRAIN)
    return code if code >= 0 else 128 - code


def _read(pipe: IO[str] | None, line: Callable[[str], None]) -> None:
    if pipe is not None:
        with pipe:
            for text in pipe:
                line(text.rstrip("\r\n"))


@contextmanager
def _ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """End the command and its children however the block is left; being asked to terminate leaves it too."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, _interrupt) if main else None
    try:
        yield
    finally:
        _kill(process.pid)
        process.wait()
        if main:
            signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
