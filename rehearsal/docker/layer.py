"""One layer: what an instruction puts into the image's file system."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, kw_only=True)
class Owner:
    """As numbers: names would need the image's /etc/passwd."""

    uid: int = 0
    gid: int = 0


ROOT = Owner()


def tar(files: dict[str, Path | None], owner: Owner, time: int) -> bytes:
    """An archive of files, folders and links by their path in the image (no leading slash); None makes a folder.

    Folders above come with it, owned by root, as docker makes them.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for folder in sorted({str(above) for name in files for above in PurePosixPath(name).parents} - {".", *files}):
            archive.addfile(_entry(folder, tarfile.DIRTYPE, 0o755, ROOT, time))
        for name, source in sorted(files.items()):
            _add(archive, name, source, owner, time)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, source: Path | None, owner: Owner, time: int) -> None:
    if source is None:
        archive.addfile(_entry(name, tarfile.DIRTYPE, 0o755, owner, time))
    elif source.is_symlink():
        entry = _entry(name, tarfile.SYMTYPE, 0o777, owner, time)
        entry.linkname = str(source.readlink())
        archive.addfile(entry)
    elif source.is_dir():
        archive.addfile(_entry(name, tarfile.DIRTYPE, source.stat().st_mode & 0o7777, owner, time))
    else:
        content = source.read_bytes()
        entry = _entry(name, tarfile.REGTYPE, source.stat().st_mode & 0o7777, owner, time)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))


def _entry(name: str, kind: bytes, mode: int, owner: Owner, time: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime, entry.uid, entry.gid = kind, mode, time, owner.uid, owner.gid
    return entry
