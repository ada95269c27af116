"""What only a rehearsal and the tests need: the providers' descriptions, and the services (Postgres, Redis, a browser)."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from pipelines.errors import LocalError
from pipelines.toolchain import home as homes

MODULES = {"contracts": "rehearsal.contracts", "services": "rehearsal.services"}
"""Each is run as `python -m`, prints a line for each thing it has, and on failure a line for what it could not get and how to get it."""

WIDTH = 100
"""Columns of a line that is passed on; a longer one is wrapped, for it may hold a command."""


def ready(part: str, root: Path, home: Path) -> bool:
    """Whether this very version of the part was fetched into this home before; starts no process."""
    return _mark(part, root, home).is_file()


def ensure(part: str, *, python: Path, root: Path, home: Path, say: homes.Say) -> None:
    """Run the module of `part` once for each version of it. Raises LocalError with its own line."""
    if ready(part, root, home):
        return
    import textwrap  # late: a set-up that has nothing to do is over in no time

    say(f"{part:<9} looking for what is there, fetching the rest")
    # Its progress is for the person who waits; its last line of failure goes into the error.
    done = subprocess.run(
        [python, "-m", MODULES[part]], cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    for line in done.stdout.splitlines():
        for part_of_line in textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False):
            say(f"          {part_of_line}")
    if done.returncode:
        raise LocalError(
            done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}",
            where=part,
            next_step=f"get what is named above, then: {_command(python, root)} -m {MODULES[part]}",
        )
    mark = _mark(part, root, home)
    homes.made(mark.parent)
    mark.touch()


def _mark(part: str, root: Path, home: Path) -> Path:
    return home / "done" / f"{part}-{homes.digest(_sources(part, root), str(root))[:16]}"


def _sources(part: str, root: Path) -> Sequence[Path]:
    place = root / MODULES[part].replace(".", "/")
    files = place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
    return [*sorted(files), root / "requirements" / "dev.txt"]


def _command(python: Path, root: Path) -> str:
    return str(python.relative_to(root)) if python.is_relative_to(root) else str(python)
