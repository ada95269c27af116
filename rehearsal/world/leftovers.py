"""Folders of worlds whose owner was killed before it could remove them."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from itertools import chain
from pathlib import Path

from rehearsal import scratch

PREFIX = "shipmate-world-"
_NAME = re.compile(re.escape(PREFIX) + r"(\d+)-")


def folder() -> Path:
    """A new, empty folder for a world of this process, named after it."""
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=scratch.folder()))


def sweep(*within: Path) -> list[Path]:
    """Remove the folders whose owner is gone; which ones. What cannot be removed stays: it belongs to another user."""
    removed = []
    for found in chain.from_iterable(place.glob(f"{PREFIX}*") for place in within or scratch.folders()):
        match = _NAME.match(found.name)
        if match and not Path(f"/proc/{match[1]}").exists():
            shutil.rmtree(found, ignore_errors=True)
            removed += [] if found.exists() else [found]
    return removed
