"""The interpreters that images run with: this machine's, without what is installed beside them.

`python -s` keeps the base's site-packages, `-S` drops them but not for the processes an app starts with
`sys.executable`. A virtual environment without pip does both: its site-packages are empty, the base's are out of reach,
`PYTHONPATH` of the image works, and `sys.executable` is the environment's own.

Node takes modules from the folders above a script, then from its own global folders: those below HOME, which is the
revision's, and one of the machine, which stays in reach. A link to node in a folder of its own keeps the programs that
lie beside it off the image's PATH, unless it lies in /usr/bin.
"""

from __future__ import annotations

import contextlib
import shutil
import venv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Interpreters:
    """Paths of programs; `node` is None on a machine without one."""

    python: Path
    node: Path | None = None

    @classmethod
    def under(cls, folder: Path) -> Interpreters:
        """Those of this machine, made in `folder` at the first call."""
        return cls(python=empty_interpreter(folder / "python"), node=linked_node(folder / "node"))


def empty_interpreter(folder: Path) -> Path:
    """The path of a Python without packages, made in `folder` at the first call (about 50 ms)."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.EnvBuilder(with_pip=False, symlinks=True, system_site_packages=False).create(folder)
    return python


def linked_node(folder: Path) -> Path | None:
    """The machine's node under a path of our own; None without one."""
    found = shutil.which("node")
    if found is None:
        return None
    node = folder / "bin" / "node"
    if not node.is_symlink():
        node.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # two revisions may start at once
            node.symlink_to(Path(found).resolve())
    return node
