"""Unpack an archive so that nothing lands outside the folder, on every Python that is supported."""

from __future__ import annotations

import tarfile
from pathlib import Path


def extract_all(archive: tarfile.TarFile, folder: Path) -> None:
    """Every member, below `folder`; owners are ignored. Raises tarfile.TarError for one that would land outside, a link or a device.

    tarfile's "data" filter (PEP 706) checks it. Python 3.11.0 to 3.11.3, Debian 12's own among them, have none: there only plain
    files and folders are taken, which is all that this project packs.
    """
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, filter="data")
        return
    for member in archive:
        _plain(member, folder)
        archive.extract(member, folder)


def _plain(member: tarfile.TarInfo, folder: Path) -> None:
    """Check a member, and take away its owner and special modes. Raises tarfile.ExtractError."""
    if not (member.isreg() or member.isdir()):
        raise tarfile.ExtractError(f"{member.name!r} is neither a file nor a folder")
    if not (folder / member.name).resolve().is_relative_to(folder.resolve()):
        raise tarfile.ExtractError(f"{member.name!r} would land outside {folder}")
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    member.uid, member.gid, member.uname, member.gname = 0, 0, "", ""
