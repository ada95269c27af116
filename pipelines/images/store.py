"""What was made or fetched once and can be had again by its digest: `$SHIPMATE_HOME/images`. It can be deleted at any time."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import LocalError
from pipelines.toolchain import home


@contextmanager
def disk(what: str, folder: Path) -> Iterator[None]:
    """Turns a failure to write into a LocalError that says what was being written, and where."""
    try:
        yield
    except OSError as error:
        raise LocalError(
            f"{what} cannot be written: {error.strerror or error}",
            where=str(folder),
            why="the disk is full or the folder is not writable",
            next_step="make room (`df -h`), or set SHIPMATE_HOME to a folder on another disk; then run this again",
        ) from error


class Store:
    """Files by name, written whole or not at all: a killed run leaves no half file under its final name."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or home.folder() / "images"

    def path(self, name: str) -> Path:
        """Where `name` is, if it is there."""
        return self.root / name

    def blob(self, digest: str) -> Path:
        """Where the bytes with this digest are, if they are there."""
        return self.root / "blobs" / digest.replace(":", "-")

    def read(self, name: str) -> bytes | None:
        """None when it is not there."""
        try:
            return self.path(name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Raises LocalError."""
        with self._fresh(self.path(name)) as file:
            file.write_bytes(content)

    def add(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Keep bytes under their digest; digest and size. Raises LocalError."""
        digest, size = hashlib.sha256(), 0
        with self._folder("blobs") as folder, disk("a layer", folder):
            handle, name = tempfile.mkstemp(dir=folder, prefix="part-")
            file = Path(name)
            try:
                with os.fdopen(handle, "wb") as stream:
                    for chunk in chunks:
                        digest.update(chunk)
                        size += len(chunk)
                        stream.write(chunk)
                final = self.blob(f"sha256:{digest.hexdigest()}")
                file.replace(final)
            finally:
                file.unlink(missing_ok=True)
        return f"sha256:{digest.hexdigest()}", size

    @contextmanager
    def _folder(self, name: str) -> Iterator[Path]:
        folder = self.root / name
        with disk("the cache", folder):
            folder.mkdir(parents=True, exist_ok=True)
        yield folder

    @contextmanager
    def _fresh(self, final: Path) -> Iterator[Path]:
        with disk(final.name, final.parent):
            final.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=final.parent, prefix="part-")
            os.close(handle)
            file = Path(name)
            try:
                yield file
                file.replace(final)
            finally:
                file.unlink(missing_ok=True)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder that is gone afterwards, on the store's own disk."""
        with (
            self._folder("scratch") as parent,
            disk("a temporary folder", parent),
            tempfile.TemporaryDirectory(dir=parent) as folder,
        ):
            yield Path(folder)
