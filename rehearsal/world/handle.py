"""A world as a child process: started, waited for, and ended with the process that started it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType

from rehearsal import processes
from rehearsal.home import home
from rehearsal.scenario.world_client import WorldClient
from rehearsal.world import leftovers

READY_SECONDS = 60
SAVE_SECONDS = 60
LOG = "world.log"
OUTPUT_LENGTH = 3000


TIME_SCALE = 0.05
"""How long a second of waiting takes in a world, unless another scale is given."""


class WorldFailed(RuntimeError):
    """The world did not become ready; the text is what it printed."""


class World:
    """`with World(repository) as place:` starts a world of its own in a temporary folder, and takes everything down after.

    `port`: of its GitHub; 0 takes a free one.
    `from_snapshot`: a folder that `save` of another world made; this one begins where that one was.
    `changes`: path -> content of files that main holds in place of the repository's; not with a snapshot, which has its own.
    """

    def __init__(
        self,
        repository: Path,
        *,
        time_scale: float = TIME_SCALE,
        port: int = 0,
        from_snapshot: Path | None = None,
        changes: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.repository = repository
        self.time_scale = time_scale
        self.port = port
        self.from_snapshot = from_snapshot
        self.changes = changes
        self.seconds_to_ready = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._place: WorldClient | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the world is not started")
        return self._process.pid

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def ended_well(self) -> bool:
        """Whether it has ended because it was asked to."""
        return self._process is not None and self._process.poll() == 0

    def output(self) -> str:
        """The last of what the world printed."""
        log = self._folder / LOG if self._folder else None
        return log.read_text(errors="replace")[-OUTPUT_LENGTH:] if log and log.is_file() else ""

    def save(self, folder: Path) -> None:
        """Keep this world as it is now (world/snapshot.py says what of it), in a folder that is not there yet.

        Raises WorldFailed while a job is at work, or when it cannot be written.
        """
        if self._place is None:
            raise RuntimeError("the world is not started")
        answer = self._place.ask_control("POST", "_world/save", timeout=SAVE_SECONDS)
        if answer.status_code != 200:
            raise WorldFailed(f"the world cannot be kept: {answer.text}")
        _move(Path(answer.json()["folder"]), folder)

    def end(self) -> None:
        """End its processes now, from whichever thread. A caller still inside sees its connections fail; leaving removes the folder."""
        if self._process is not None:
            processes.end(self._process, grace=15)
            processes.reap("SHIPMATE_WORLD", str(self._process.pid))

    def __enter__(self) -> WorldClient:
        require_linux()
        leftovers.sweep()
        root = self._folder = leftovers.folder()
        root.chmod(0o755)  # Postgres runs as another user when this is root
        started = time.monotonic()
        try:
            self._process = self._start_process(root)
            place = self._place = self._wait(root)
        except BaseException:  # Ctrl-C too: `with` calls __exit__ only for what was entered
            self.__exit__(None, None, None)
            raise
        self.seconds_to_ready = time.monotonic() - started
        return place

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _start_process(self, root: Path) -> subprocess.Popen[bytes]:
        """The process. It ends by itself, and removes its folder, when this one is killed."""
        argv = [sys.executable, "-P", "-m", "rehearsal.world", "--root", str(root)]
        argv += ["--repository", str(self.repository), "--time-scale", str(self.time_scale)]
        argv += ["--port", str(self.port)]
        argv += ["--snapshot", str(self.from_snapshot)] if self.from_snapshot is not None else []
        argv += ["--changes", str(self._write_changes(root / "changes"))] if self.changes else []
        with (root / LOG).open("wb") as stream:
            return processes.spawn(
                argv, env=_environment(), stdout=stream, stderr=subprocess.STDOUT, preexec=processes.end_with_parent
            )

    def _write_changes(self, folder: Path) -> Path:
        for path, content in self.changes.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content)
        return folder

    def _wait(self, root: Path) -> WorldClient:
        """Raises WorldFailed with what the world printed."""
        ready = root / "world.json"
        deadline = time.monotonic() + READY_SECONDS
        while not ready.is_file():
            if not self.alive():
                raise WorldFailed(f"the world did not start:\n{self.output()}")
            if time.monotonic() > deadline:
                raise WorldFailed(f"the world was not ready after {READY_SECONDS} s:\n{self.output()}")
            time.sleep(0.02)
        return WorldClient.read(ready)


def require_linux() -> None:
    """Raises WorldFailed on another system."""
    if sys.platform != "linux":
        raise WorldFailed(
            "a world needs Linux: it ends its processes by prctl(2) and looks at them in /proc. On macOS or Windows run it in a"
            " virtual machine or a container with Linux, on x86_64 or arm64; all commands but rehearse, up and down work here"
        )


def _move(saved: Path, folder: Path) -> None:
    """To where it is wanted, whole or not at all. One that is there stays. Raises WorldFailed."""
    part = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(saved, part)
        part.rename(folder)
    except OSError as error:
        if not folder.is_dir():  # else another world was first
            raise WorldFailed(f"the world cannot be kept in {folder}: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(saved, ignore_errors=True)


def _environment() -> dict[str, str]:
    """What the world itself needs of this terminal; nothing that could point it, or what it starts, elsewhere."""
    kept = ("PATH", "HOME", "LANG", "SHIPMATE_HOME", "SHIPMATE_BROWSER", "PYTHONDONTWRITEBYTECODE", "TMPDIR")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return {**found, "SHIPMATE_HOME": str(home()), "PYTHONPATH": str(Path(__file__).parents[2])}
