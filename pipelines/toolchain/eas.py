"""The `eas` program, in the version that the suite was tried with: the one on PATH if it is that, else the locked one."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from pipelines.toolchain import home as homes
from pipelines.toolchain import node

FOLDER = "requirements/eas"
PROGRAM = "eas"


def ensure(root: Path, home: Path, say: homes.Say) -> Path | None:
    """The folder to put in front of PATH; None when what is there serves. Raises LocalError."""
    wanted = version(root)
    if _offered() == wanted:
        return None
    folder = root / FOLDER
    node.ensure(folder, home, say)
    return folder / "node_modules" / ".bin"


def version(root: Path) -> str:
    """As it is locked: `24.8.0`."""
    found: str = json.loads((root / FOLDER / "package.json").read_text())["dependencies"]["eas-cli"]
    return found


def _offered() -> str:
    """The version of the program on PATH; empty where there is none, or it does not say."""
    found = shutil.which(PROGRAM)
    if found is None:
        return ""
    try:
        asked = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.split()[0].rpartition("/")[2] if asked.returncode == 0 and asked.stdout.split() else ""
