"""A world as a child process: started, waited for, and ended with whoever started it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from rehearsal import processes
from rehearsal.home import home
from rehearsal.stories.place import Place

READY_SECONDS = 60


class WorldFailed(RuntimeError):
    """The world did not become ready; the text is what it said."""


class World:
    """`with World(repository) as place:` starts a world of its own in a temporary folder, and takes everything down after."""

    def __init__(self, repository: Path, *, time_scale: float = 0.2) -> None:
        self.repository = repository
        self.time_scale = time_scale
        self.seconds_to_ready = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the world is not started")
        return self._process.pid

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def said(self) -> str:
        """The last of what the world printed."""
        log = Path(self._folder.name) / "world.log" if self._folder else None
        return log.read_text(errors="replace")[-3000:] if log and log.is_file() else ""

    def __enter__(self) -> Place:
        self._folder = tempfile.TemporaryDirectory(prefix="shipmate-world-", ignore_cleanup_errors=True)
        root = Path(self._folder.name)
        root.chmod(0o755)  # Postgres runs as another user when this is root
        log = root / "world.log"
        started = time.monotonic()
        argv = [
            sys.executable,
            "-P",
            "-m",
            "rehearsal.world",
            "--root",
            str(root),
            "--repository",
            str(self.repository),
            "--time-scale",
            str(self.time_scale),
        ]
        with log.open("wb") as stream:
            self._process = processes.spawn(argv, env=_environment(), stdout=stream, stderr=subprocess.STDOUT)
        place = self._wait(root, log)
        self.seconds_to_ready = time.monotonic() - started
        return place

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            processes.end(self._process, grace=15)
            processes.reap("SHIPMATE_WORLD", str(self._process.pid))
        if self._folder is not None:
            self._folder.cleanup()

    def _wait(self, root: Path, log: Path) -> Place:
        ready = root / "world.json"
        deadline = time.monotonic() + READY_SECONDS
        while not ready.is_file():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace")[-3000:]
                self.__exit__(None, None, None)
                raise WorldFailed(f"the world did not start:\n{said}")
            time.sleep(0.02)
        return Place.read(ready)


def _environment() -> dict[str, str]:
    """What the world itself needs of this terminal; nothing that could point it, or what it starts, elsewhere."""
    kept = ("PATH", "HOME", "LANG", "SHIPMATE_HOME", "SHIPMATE_BROWSER", "PYTHONDONTWRITEBYTECODE", "TMPDIR")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return {**found, "SHIPMATE_HOME": str(home()), "PYTHONPATH": str(Path(__file__).parents[2])}
