"""The Python that images run with: this machine's, with no packages of its own.

`python -s` keeps the base's site-packages, `-S` drops them but not for the processes an app starts with
`sys.executable`. A virtual environment without pip does both: its site-packages are empty, the base's are out of reach,
`PYTHONPATH` of the image works, and `sys.executable` is the environment's own.
"""

from __future__ import annotations

import venv
from pathlib import Path


def empty_interpreter(folder: Path) -> Path:
    """The path of a Python without packages, made in `folder` at the first call (about 50 ms)."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.EnvBuilder(with_pip=False, symlinks=True, system_site_packages=False).create(folder)
    return python
