"""The Python environment: locked requirements in a venv, the suite itself linked in, and a stamp that says what it holds."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.errors import LocalError
from pipelines.toolchain import home as homes
from pipelines.toolchain.command import run

STAMP = "shipmate-stamp"
RUNTIME = "requirements/runtime.txt"
DEV = "requirements/dev.txt"
"""Holds everything of RUNTIME at the same versions (a test says so), so an environment with DEV also serves code that needs RUNTIME."""
BENCH = "requirements/bench.txt"
"""What benchmarks compare with; in an environment of its own."""
NEXT = "read its words above; `make lock` resolves requirements/*.in again"


def requirement_lines(root: Path, files: Sequence[str]) -> set[str]:
    """What a stamp must hold for these requirement files (relative to `root`, or absolute)."""
    held = {*files, *([RUNTIME] if DEV in files else [])}
    return {f"{file} {homes.digest([root / file])}" for file in held}


def wanted(root: Path, files: Sequence[str]) -> set[str]:
    """The whole stamp of an environment for this checkout and this interpreter."""
    place = {f"python {platform.python_version()} {platform.machine()}", f"root {root}", f"version {_version(root)}"}
    return requirement_lines(root, files) | place


def stamp(venv: Path) -> set[str]:
    """What an environment says it holds; nothing when it is missing or its making was interrupted."""
    file = venv / STAMP
    return set(file.read_text().splitlines()) if file.is_file() and (venv / "bin" / "python").exists() else set()


def holds(venv: Path, lines: set[str]) -> bool:
    return lines <= stamp(venv)


def build(venv: Path, files: Sequence[str], *, uv: Path, root: Path, home: Path, say: homes.Say) -> None:
    """Make `venv` hold exactly these requirements and the suite. One whose making was interrupted is made anew. Raises LocalError."""
    asked = wanted(root, files)
    before = stamp(venv)
    (venv / STAMP).unlink(missing_ok=True)
    if not {line for line in asked if line.startswith(("python ", "root "))} <= before:
        say(f"python    new environment ({platform.python_version()}) in {_shown(venv)}")
        argv: list[str | Path] = [uv, "venv", "--quiet", "--clear", "--no-project", "--python", sys.executable, venv]
        run(argv, doing=f"make {venv}", next_step=NEXT, env=_settings())
    say(f"python    installing {', '.join(files)}")
    _sync(venv, [root / file for file in files], uv)
    link(venv, root, uv)
    # A temporary name first: a stamp is there as a whole, or not at all.
    fresh = venv / f"{STAMP}.new"
    fresh.write_text("".join(f"{line}\n" for line in sorted({*asked, f"home {home}"})))
    fresh.replace(venv / STAMP)


def _sync(venv: Path, files: Sequence[Path], uv: Path) -> None:
    """From uv's cache when it holds everything (no network is touched), else from the registry."""
    sync: list[str | Path] = [
        uv,
        "pip",
        "sync",
        "--quiet",
        "--require-hashes",
        "--python",
        venv / "bin" / "python",
        *files,
    ]
    try:
        run([*sync, "--offline"], doing="install from the cache", next_step=NEXT, env=_settings())
    except LocalError:
        run(sync, doing=f"install {', '.join(file.name for file in files)}", next_step=NEXT, env=_settings())


def link(venv: Path, root: Path, uv: Path) -> None:
    """The suite in the environment as a developer needs it: importable from the checkout, its command, its version. uv builds it by itself:
    no network. Raises LocalError."""
    asked: list[str | Path] = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--python",
        venv / "bin" / "python",
    ]
    run([*asked, "--editable", root], doing="link the suite", next_step=NEXT, env=_settings())


def _version(root: Path) -> str:
    found = re.search(r'^version = "([^"]+)"', (root / "pyproject.toml").read_text(), re.MULTILINE)
    return found[1] if found else "0"


def _settings() -> dict[str, str]:
    """uv's own certificates, unless the machine brings some: a company's proxy signs with its own."""
    certificates = "SSL_CERT_FILE" in os.environ or Path("/etc/ssl/certs/ca-certificates.crt").is_file()
    return {"UV_NO_PROGRESS": "1", **({"UV_SYSTEM_CERTS": "1"} if certificates else {})}


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
