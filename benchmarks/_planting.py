"""Faults planted in a copy of what is delivered."""

from __future__ import annotations

import re
from pathlib import Path


def plant(fault: str, folder: Path, glob: str, pattern: str, becomes: str) -> None:
    """What matches `pattern` (a regular expression) in the files of `glob` becomes `becomes`.

    Raises SystemExit naming `fault` unless there is exactly one such place: the sources have changed, and the fault would not be in them.
    """
    planted = 0
    for file in folder.glob(glob):
        content, count = re.subn(pattern, becomes, file.read_text())
        file.write_text(content)
        planted += count
    if planted != 1:
        raise SystemExit(f"{fault}: {planted} places in {glob} match {pattern}, not 1")
