"""Worlds that the quick start left, kept so that a single story need not run it again.

Kept under SHIPMATE_HOME by a digest of the delivered tree and of this suite: another byte in either is another world.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from rehearsal.home import home
from rehearsal.world.snapshot import FORMAT

KEPT = 2
"""Worlds that stay; about 90 MB each."""
SUITE = Path(__file__).parents[2]


def folder(repository: Path) -> Path | None:
    """Where the world of this tree is or would be kept; None for a tree that git cannot list."""
    delivered, suite = digest(repository), digest(SUITE)
    if delivered is None or suite is None:
        return None
    name = hashlib.sha256(f"{FORMAT} {sys.version} {delivered} {suite}".encode()).hexdigest()[:24]
    return home() / "worlds" / name


def restore(repository: Path, to: Path) -> bool:
    """Copy a kept world of this tree to a folder that is not there yet, and mark it as used; whether there is one."""
    kept = folder(repository)
    if kept is None or not kept.is_dir():
        return False
    try:
        os.utime(kept)
        shutil.copytree(kept, to)
    except OSError:  # another rehearsal evicted it meanwhile
        shutil.rmtree(to, ignore_errors=True)
        return False
    return True


def keep(left: Path, repository: Path) -> Path | None:
    """Keep a copy of the world that the quick start left, unless it is kept already; and evict the oldest. Raises OSError."""
    kept = folder(repository)
    if kept is None or kept.is_dir():
        return kept
    part = kept.with_name(f".{kept.name}.{os.getpid()}")
    try:
        shutil.copytree(left, part)
        part.rename(kept)
    except OSError:
        if not kept.is_dir():  # else another rehearsal was first
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    _evict(kept.parent)
    return kept


def _evict(worlds: Path) -> None:
    """Remove all but the newest, and what was left by a process that was killed while it wrote."""
    whole = [one for one in worlds.iterdir() if not one.name.startswith(".")]
    oldest_last = sorted(whole, key=lambda one: -one.stat().st_mtime)
    parts = [one for one in worlds.glob(".*.*") if not Path("/proc", one.name.rpartition(".")[2]).exists()]
    for old in (*oldest_last[KEPT:], *parts):
        shutil.rmtree(old, ignore_errors=True)


def kept_on(kept: Path) -> str:
    """When it was kept, for the reader of a report."""
    return time.strftime("%-d %B %Y, %H:%M UTC", time.gmtime((kept / "state.json").stat().st_mtime))


def digest(tree: Path) -> str | None:
    """Over names, modes and contents of every file that git does not ignore; None where there is no git repository."""
    listed = subprocess.run(
        ["git", "-C", str(tree), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        return None
    whole = hashlib.sha256()
    for name in sorted(filter(None, listed.stdout.split(b"\0"))):
        file = tree / os.fsdecode(name)
        if file.is_file():
            content = hashlib.sha256(file.read_bytes()).digest()
            whole.update(name + b"\0" + (b"x" if os.access(file, os.X_OK) else b"-") + content)
    return whole.hexdigest()
