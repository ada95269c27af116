"""The bytecode of a layer's Python modules: compiled once on this machine, not anew at each start of each revision.

The images bring none: they are made for the Python of their base, and are to have the same digest everywhere. A real instance
compiles what it imports at each cold start; here a second's worth of that at each start would be most of what it takes. Each
file of bytecode carries the hash of its source, which the interpreter compares (PEP 552): what a later layer replaces is compiled again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rehearsal.home import home

_WORTH_IT = 100
"""Modules of a layer from which on it is done: a process that compiles few takes longer than the instance that imports them."""
_FOLDER = "__pycache__"


def provide(layer: Path, digest: str) -> None:
    """Put bytecode beside the modules of an unpacked layer. Without any (a disk is full) instances compile as they always did."""
    modules = {path.parent for path in layer.rglob("*.py")}
    if sum(1 for folder in modules for _ in folder.glob("*.py")) < _WORTH_IT:
        return
    kept = home() / "bytecode" / f"{sys.implementation.cache_tag}-{digest}"
    try:
        if not kept.is_dir():
            _compile(layer)
            _keep(layer, kept)
        else:
            shutil.copytree(kept, layer, dirs_exist_ok=True, copy_function=shutil.copyfile)
    except OSError:
        return


def _compile(layer: Path) -> None:
    # Modules that are no Python of this version (templates, a later version's syntax) are left out, as the exit code says.
    command = [sys.executable, "-I", "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", str(layer)]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _keep(layer: Path, kept: Path) -> None:
    """Under its name at once or not at all: another world may do the same now. Raises OSError."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{kept.name[:24]}-", dir=kept.parent))
    try:
        for folder in layer.rglob(_FOLDER):
            shutil.copytree(folder, partial / folder.relative_to(layer), copy_function=shutil.copyfile)
        partial.rename(kept)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
