"""Unpack an archive that code of a release made: plain files and folders below one folder, nothing else, and not without end."""

from __future__ import annotations

import tarfile
from pathlib import Path

MOST_FILES = 100_000
LARGEST = 2 * 1024**3
"""Bytes of all files together."""


def extract_all(archive: tarfile.TarFile, folder: Path) -> None:
    """Every member, below `folder`, without owners and special modes.

    Raises tarfile.TarError for a link, a device, one that would land outside, and too much of anything. This project packs plain files
    and folders only, and without links no name can lead elsewhere on any version of Python.
    """
    files = total = 0
    for member in archive:
        files, total = files + 1, total + member.size
        if files > MOST_FILES or total > LARGEST:
            raise tarfile.ExtractError(f"it holds more than {MOST_FILES} files or {LARGEST} bytes")
        _plain(member, folder)
        if hasattr(tarfile, "data_filter"):
            archive.extract(member, folder, filter="data")
        else:
            archive.extract(member, folder)


def _plain(member: tarfile.TarInfo, folder: Path) -> None:
    """Check a member, and take away its owner and special modes. Raises tarfile.ExtractError."""
    if not (member.isreg() or member.isdir()):
        raise tarfile.ExtractError(f"{member.name!r} is neither a file nor a folder")
    if Path(member.name).is_absolute() or not (folder / member.name).resolve().is_relative_to(folder.resolve()):
        raise tarfile.ExtractError(f"{member.name!r} would land outside {folder}")
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    member.uid, member.gid, member.uname, member.gname = 0, 0, "", ""
