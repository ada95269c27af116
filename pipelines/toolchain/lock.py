"""Resolve requirements/*.in again: for every platform, with hashes, without the address of any index."""

from __future__ import annotations

from pathlib import Path

from pipelines.toolchain import home as homes
from pipelines.toolchain.command import run

PYTHON = "3.11"
"""The oldest that is supported; a universal resolution holds for the newer ones."""

ORDER = (
    ("requirements/uv", None),
    ("requirements/dev", None),
    ("requirements/runtime", "requirements/dev.txt"),
    ("apps/backend/requirements", "requirements/dev.txt"),
    ("requirements/bench", "requirements/dev.txt"),
)
"""(file, constraints): what runs in production is a part of what was tested, at the same versions."""


def resolve(root: Path, uv: Path, say: homes.Say, *, upgrade: bool = False) -> None:
    """Write each `.txt` beside its `.in`; versions stay unless `upgrade`. Raises LocalError with the resolver's explanation."""
    for name, constraints in ORDER:
        say(f"lock      {name}.txt")
        asked: list[str | Path] = [
            uv,
            "pip",
            "compile",
            f"{name}.in",
            "--output-file",
            f"{name}.txt",
            "--quiet",
            "--universal",
        ]
        asked += [
            "--python-version",
            PYTHON,
            "--generate-hashes",
            "--no-emit-index-url",
            "--no-header",
            "--annotation-style",
            "line",
        ]
        asked += ["--constraint", constraints] if constraints else []
        asked += ["--upgrade"] if upgrade and not constraints else []
        run(asked, doing=f"resolve {name}.in", next_step="loosen what contradicts itself above", cwd=root)
