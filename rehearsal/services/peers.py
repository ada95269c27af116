"""Other people's programs that the tests hold the emulators and our clients against. A rehearsal does without them."""

from __future__ import annotations

import shutil
from pathlib import Path

from rehearsal.services import packages
from rehearsal.services.availability import ServiceUnavailable

PEERS = ("gh", "skopeo", "docker-registry")
"""Each is the name of a program, and of the Debian package that holds it."""


def find(name: str) -> Path:
    """The program of one of PEERS. Raises ServiceUnavailable with the command that gets it."""
    path = shutil.which(name)
    if path is None:
        raise ServiceUnavailable(f"{name} is not installed. As root: {packages.command([name])}")
    return Path(path)


def missing() -> list[str]:
    return [name for name in PEERS if shutil.which(name) is None]


def get() -> list[Path]:
    """All of PEERS, those that are missing by the package manager first. Raises ServiceUnavailable."""
    lacking = missing()
    if lacking:
        packages.install(lacking)
    return [find(name) for name in PEERS]
