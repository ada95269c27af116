"""Layers: tar archives that come out the same on every machine, whatever its clock, umask, user or locale."""

from __future__ import annotations

import io
import stat
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a layer. `link` makes it a symbolic link; `content` may be a path read when it is needed."""

    path: str
    content: bytes | Path = b""
    executable: bool = False
    link: str = ""

    def read(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


def tar(files: Iterable[File]) -> Iterator[bytes]:
    """The archive in chunks: sorted, folders first, times 0, owner 0:0, modes 0755 and 0644, PAX without extras."""
    ordered = sorted(files, key=lambda file: file.path)
    sink = _Sink()
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT, bufsize=1 << 20) as archive:  # type: ignore[call-overload]
        known: set[str] = set()
        for file in ordered:
            for folder in reversed(PurePosixPath(file.path).parents):
                name = str(folder)
                if name not in known and name != ".":
                    known.add(name)
                    archive.addfile(_entry(name, tarfile.DIRTYPE, 0o755))
            _add(archive, file)
            yield from sink.taken()
    yield from sink.taken()


def _add(archive: tarfile.TarFile, file: File) -> None:
    if file.link:
        entry = _entry(file.path, tarfile.SYMTYPE, 0o777)
        entry.linkname = file.link
        archive.addfile(entry)
        return
    content = file.read()
    entry = _entry(file.path, tarfile.REGTYPE, 0o755 if file.executable else 0o644)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime, entry.uid, entry.gid = kind, mode, 0, 0, 0
    return entry


class _Sink:
    """Collects what tarfile writes, to hand it on in chunks."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def write(self, chunk: bytes) -> int:
        self._chunks.append(bytes(chunk))
        return len(chunk)

    def taken(self) -> list[bytes]:
        chunks, self._chunks = self._chunks, []
        return chunks


def folder(root: Path, prefix: str = "", skip: frozenset[str] = frozenset()) -> Iterator[File]:
    """The files of a folder on disk; `skip` names paths relative to it that are left out."""
    for path in root.rglob("*"):
        relative = path.relative_to(root).as_posix()
        if relative in skip or (path.is_dir() and not path.is_symlink()):
            continue
        name = f"{prefix}/{relative}" if prefix else relative
        if path.is_symlink():
            yield File(path=name, link=path.readlink().as_posix())
        else:
            yield File(path=name, content=path, executable=bool(path.stat().st_mode & stat.S_IXUSR))
