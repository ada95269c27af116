"""uv: installed by pip, once for each pinned version, hashes checked; kept in the home."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from pipelines.errors import LocalError
from pipelines.toolchain import home as homes
from pipelines.toolchain.command import run

PINNED = Path(__file__).with_name("uv.txt")
"""Beside this module: installing the suite as a package installs it too."""
NO_PIP = "Debian, Ubuntu: apt-get install python3-pip (or python3-venv); elsewhere: python3 -m ensurepip --user"


def ensure(home: Path, say: homes.Say) -> Path:
    """Path of the uv binary that uv.txt pins. Raises LocalError."""
    kept = home / "uv" / homes.digest([PINNED])[:16]
    binary = kept / "bin" / "uv"
    if not binary.is_file():
        say("uv        installing with pip")
        with homes.replacing(kept) as fresh:
            _install(fresh)
    return binary


def _install(into: Path) -> None:
    """By the pip that is there, else by one in a private environment: a Debian Python may bring either, or neither."""
    asked = [
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
    ]
    if importlib.util.find_spec("pip"):
        pip = [sys.executable, "-m", "pip"]
    elif importlib.util.find_spec("ensurepip"):
        run([sys.executable, "-m", "venv", into / "pip"], doing="make an environment for pip", next_step=NO_PIP)
        pip = [str(into / "pip" / "bin" / "python"), "-m", "pip"]
    else:
        raise LocalError("this Python has neither pip nor ensurepip", where=sys.executable, next_step=NO_PIP)
    next_step = "look at pip's words above; `pip config list` shows which registry it asks"
    run([*pip, *asked, "--target", into, "-r", PINNED], doing="install uv", next_step=next_step)
