"""Unpack archives so that nothing lands outside the folder, on every Python that is supported.

tarfile's "data" filter (PEP 706) does that. Python 3.11.0 to 3.11.3, Debian 12's own among them, have none: there its rules are here.
"""

from __future__ import annotations

import copy
import os
import tarfile
from pathlib import Path


def extract_all(archive: tarfile.TarFile, folder: Path) -> None:
    """Every member, below `folder`. Raises tarfile.TarError for one that would land outside, or is a device."""
    for member in archive:
        extract(archive, member, folder)


def extract(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """One member, below `folder`; its owner is ignored. Raises tarfile.TarError."""
    if hasattr(tarfile, "data_filter"):
        archive.extract(member, folder, filter="data")
    else:
        archive.extract(harmless(member, folder), folder)


def harmless(member: tarfile.TarInfo, folder: Path) -> tarfile.TarInfo:
    """The member as that filter leaves it: a relative name, plain modes, no owner. Raises tarfile.ExtractError for what it refuses."""
    kept = copy.copy(member)
    kept.name = member.name.lstrip("/" + os.sep)
    _inside(folder, folder / kept.name, member)
    if member.issym() or member.islnk():
        if Path(member.linkname).is_absolute():
            raise tarfile.ExtractError(f"{member.name!r} links to the absolute path {member.linkname!r}")
        start = (folder / kept.name).parent if member.issym() else folder
        _inside(folder, start / member.linkname, member)
    elif not (member.isreg() or member.isdir()):
        raise tarfile.ExtractError(f"{member.name!r} is a special file")
    kept.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    kept.uid, kept.gid, kept.uname, kept.gname = os.geteuid(), os.getegid(), "", ""
    return kept


def _inside(folder: Path, path: Path, member: tarfile.TarInfo) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise tarfile.ExtractError(f"{member.name!r} would land outside: {path}")
