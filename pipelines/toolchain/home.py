"""The one folder where what was fetched is kept between checkouts, and the lock that lets several set-ups run at once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import LocalError

Say = Callable[[str], None]


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """`$SHIPMATE_HOME`, else `~/.cache/shipmate`; everything in it can be deleted at any time."""
    named = environ.get("SHIPMATE_HOME")
    return Path(named).absolute() if named else Path.home() / ".cache" / "shipmate"


def made(path: Path) -> Path:
    """The folder, made if it was not there. Raises LocalError where it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalError(
            f"cannot be made: {error.strerror}",
            where=str(path),
            next_step="name a folder of yours: SHIPMATE_HOME=/some/folder make setup",
        ) from error
    return path


@contextmanager
def locked(home: Path, say: Say) -> Iterator[None]:
    """Hold the home's lock: a second set-up waits, says so, and then finds everything done."""
    with (made(home) / "setup.lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting   another set-up is running")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A fresh folder that becomes `target` as a whole when the block ends well, and is removed when it does not.

    The second process leaves the folder of the first alone: targets are named after what they hold, and may be in use.
    """
    made(target.parent)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield fresh
        try:
            fresh.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def digest(files: Iterable[Path], *more: str) -> str:
    """SHA-256 over files (their bytes, in the order given) and words; a missing file counts as empty."""
    total = hashlib.sha256()
    for file in files:
        total.update(file.read_bytes() if file.is_file() else b"")
        total.update(b"\0")
    for word in more:
        total.update(word.encode() + b"\0")
    return total.hexdigest()
