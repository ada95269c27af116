"""Which world of a checkout is up: one record for each checkout, which every terminal of this user finds.

A record has a lock that the process holds which keeps the world, for as long as it lives: the kernel releases it however that process
ends, so a record without a holder is what a killed world left.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from rehearsal.processes import ProcessIdentity

PATIENCE = 0.2
"""Seconds to wait for a lock: a process that only looks whether it is held has it for less."""


def state_folder() -> Path:
    """`$XDG_STATE_HOME/shipmate/worlds`, by default below `~/.local/state` (XDG Base Directory Specification 0.8)."""
    named = os.environ.get("XDG_STATE_HOME", "")
    base = Path(named) if named.startswith("/") else Path.home() / ".local" / "state"
    return base / "shipmate" / "worlds"


@dataclass(frozen=True, kw_only=True)
class Record:
    """A world that is kept up, or is starting: `world` and `root` are empty until it is ready."""

    repository: str
    """The checkout."""
    keeper: ProcessIdentity
    """Who holds the lock, and ends the world."""
    detached: bool
    since: float
    """Seconds since 1970."""
    ends: float | None
    """When it ends by itself, seconds since 1970; None: with its terminal alone."""
    world: ProcessIdentity | None = None
    root: str = ""

    @property
    def ready(self) -> bool:
        return bool(self.root)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Record:
        """Raises KeyError, TypeError for what is no record."""
        world = raw.pop("world")
        return cls(
            keeper=ProcessIdentity(**raw.pop("keeper")),
            world=None if world is None else ProcessIdentity(**world),
            **raw,
        )


class Taken(RuntimeError):
    """Another process keeps a world of this checkout."""


class RecordPlace:
    """Where the record of one checkout is: a folder of its own, with `lock`, `record.json` and `up.log` in it."""

    def __init__(self, repository: Path) -> None:
        self.repository = repository.resolve()
        digest = hashlib.sha256(os.fsencode(self.repository)).hexdigest()[:12]
        self.folder = state_folder() / f"{self.repository.name}-{digest}"

    @property
    def log(self) -> Path:
        """What a keeper without a terminal prints; it outlives the world, to say why that ended."""
        return self.folder / "up.log"

    def read(self) -> Record | None:
        """The record, whether or not its world is still there; None without one, or for one that cannot be read."""
        try:
            return Record.from_json(json.loads(self._file.read_text()))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def held(self) -> bool:
        """Whether a process keeps a world of this checkout, or starts one."""
        try:
            with self.claimed(patience=0):
                return False
        except Taken:
            return True

    @contextmanager
    def claimed(self, patience: float = PATIENCE) -> Iterator[None]:
        """Hold the lock: no other process keeps a world of this checkout meanwhile. Raises Taken after `patience` seconds."""
        self.make()
        with (self.folder / "lock").open("a") as file:
            _lock(file, time.monotonic() + patience)
            yield

    def make(self) -> None:
        """Make the folder, readable by this user alone."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, record: Record) -> None:
        """All of it or nothing. The lock must be held."""
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(asdict(record), indent=1))
        part.chmod(0o600)
        part.rename(self._file)

    def remove(self) -> None:
        """Forget the world. The lock must be held. Idempotent."""
        self._file.unlink(missing_ok=True)

    @property
    def _file(self) -> Path:
        return self.folder / "record.json"


def _lock(file: IO[str], deadline: float) -> None:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise Taken(file.name) from error
            time.sleep(0.01)
