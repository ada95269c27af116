"""Processes that publish, started through the launcher, and killed when a test says so."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.release.platform import ROOT, Platform

PATIENCE = 60


@dataclass
class Launched:
    """One process."""

    pid: int
    out: Path
    code: int | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> int:
        assert self.ended.wait(PATIENCE), self.out.read_text()
        assert self.code is not None
        return self.code

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class Launcher:
    """Starts release commands in a platform's clone."""

    def __init__(self, github: Platform, process: subprocess.Popen[str], folder: Path) -> None:
        self._github = github
        self._process = process
        self._folder = folder
        self._started: queue.Queue[int] = queue.Queue()
        self._running: dict[int, Launched] = {}
        self._count = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self, *arguments: str, **environ: str) -> Launched:
        self._count += 1
        out = self._folder / f"out-{self._count}"
        out.write_text("")
        env = {**self._github.environ(), **environ}
        order: dict[str, Any] = {"argv": list(arguments), "env": env, "cwd": str(self._github.clone), "out": str(out)}
        launched = Launched(0, out)
        self._running[-1] = launched
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        launched.pid = self._started.get(timeout=PATIENCE)
        return launched

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for row in self._process.stdout:
            answer = json.loads(row)
            if "code" in answer:
                launched = self._running.pop(answer["pid"])
                launched.code = answer["code"]
                launched.ended.set()
            else:
                self._running[answer["pid"]] = self._running.pop(-1)
                self._started.put(answer["pid"])


@contextlib.contextmanager
def launcher(github: Platform, folder: Path) -> Iterator[Launcher]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.release.launcher"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Launcher(github, process, folder)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(PATIENCE)
        assert process.stdout is not None
        process.stdout.close()
