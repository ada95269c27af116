"""Folders of worlds whose owner was killed before it could remove them."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

PREFIX = "shipmate-world-"
_NAME = re.compile(re.escape(PREFIX) + r"(\d+)-")


def folder() -> Path:
    """A new, empty folder for a world of this process, named after it."""
    import os

    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))


def sweep(within: Path | None = None) -> list[Path]:
    """Remove the folders whose owner is gone; which ones. What cannot be removed stays: it belongs to somebody else."""
    removed = []
    for found in (within or Path(tempfile.gettempdir())).glob(f"{PREFIX}*"):
        match = _NAME.match(found.name)
        if match and not Path(f"/proc/{match[1]}").exists():
            shutil.rmtree(found, ignore_errors=True)
            removed += [] if found.exists() else [found]
    return removed
