"""Where files go that live no longer than a world: in memory where there is plenty of it, else on disk.

A rehearsal checks a repository out some fifty times, and the tests write as much: small files, soon deleted. Some file
systems make each new one a search for an inode that was not deleted lately (ext4 without a journal), which cost a
rehearsal a third of its time (docs/decisions/0304-scratch-in-memory.md).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a file system, not a file
MEMINFO = Path("/proc/meminfo")
_NEEDED = 2 << 30
_LEFT_TO_OTHERS = 2 << 30


def folder() -> Path:
    """An existing folder for temporary files. `TMPDIR` decides where it is set."""
    if os.environ.get("TMPDIR") or not _roomy(SHARED_MEMORY):
        return Path(tempfile.gettempdir())
    return SHARED_MEMORY


def folders() -> list[Path]:
    """Every folder that `folder` may have named, now or on an earlier day."""
    named = Path(tempfile.gettempdir())
    return [named, SHARED_MEMORY] if SHARED_MEMORY.is_dir() and named != SHARED_MEMORY else [named]


def _roomy(memory: Path) -> bool:
    """Whether programs can be run from there, it has room for us, and the machine has memory for that and for more."""
    try:
        runs = not os.statvfs(memory).f_flag & os.ST_NOEXEC
        return (
            runs
            and os.access(memory, os.W_OK | os.X_OK)
            and shutil.disk_usage(memory).free >= _NEEDED
            and _available() >= _NEEDED + _LEFT_TO_OTHERS
        )
    except (OSError, ValueError):
        return False


def _available() -> int:
    """Memory that programs can have without swapping, in bytes (proc(5), MemAvailable). Raises OSError, ValueError."""
    for line in MEMINFO.read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    raise ValueError("no MemAvailable")
