"""The system's package manager: the last way to what a machine has not, and only for root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache

from rehearsal.services.availability import ServiceUnavailable

_SECONDS = 600
_PATIENCE = ("-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3")
"""Another apt is waited for, and a connection that breaks is tried again."""
_QUIET = {"DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_OFFLINE": "1"}
"""Nothing is asked, and no server that comes with a package is started."""


def command(packages: Sequence[str]) -> str:
    """What a person types to get them."""
    return f"apt-get install --no-install-recommends {' '.join(packages)}"


def install(packages: Sequence[str]) -> None:
    """Install them all at once. Raises ServiceUnavailable for who is not root or has no apt, and with apt's own words when it fails."""
    apt = shutil.which("apt-get")
    if os.geteuid() != 0 or apt is None:
        raise ServiceUnavailable(f"Not root, or no apt-get here: have `{command(packages)}` done by someone who can.")
    _update(apt)
    _run([apt, "-q", *_PATIENCE, "install", "-y", "--no-install-recommends", *packages])


@cache
def _update(apt: str) -> None:
    """Once for each process: a new machine has no lists, an old one's lists name packages that are gone."""
    _run([apt, "-q", *_PATIENCE, "update"])


def _run(argv: list[str]) -> None:
    shown = " ".join(argv)
    try:
        done = subprocess.run(
            argv,
            env={**os.environ, **_QUIET},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ServiceUnavailable(f"`{shown}` took more than {_SECONDS} s.") from None
    if done.returncode:
        raise ServiceUnavailable(f"`{shown}` failed: {(done.stderr or done.stdout).strip()[-300:]}")
