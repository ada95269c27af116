"""Resolve what pyproject.toml and requirements/*.in name: for every platform, with hashes, without the address of any index."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipelines.toolchain import home as homes
from pipelines.toolchain.command import run

PYTHON = "3.11"
"""The oldest that is supported; a universal resolution holds for the newer ones."""

OPTIONS = ("--quiet", "--universal", "--python-version", PYTHON, "--generate-hashes", "--no-emit-index-url",
           "--annotation-style", "line")  # fmt: skip

DEV = "requirements/dev.txt"
LOCKS: Mapping[str, tuple[str, ...]] = {
    "pipelines/toolchain/uv.txt": ("pipelines/toolchain/uv.in",),
    DEV: ("pyproject.toml", "--all-extras", "requirements/dev.in"),
    "requirements/runtime.txt": ("pyproject.toml",),
    "pipelines/images/migrator.txt": ("pipelines/images/migrator.in",),
    "apps/backend/requirements.txt": ("apps/backend/requirements.in",),
    "requirements/bench.txt": ("requirements/bench.in",),
}
"""Lock -> what it resolves, in this order."""
CONSTRAINED = (
    "requirements/runtime.txt",
    "pipelines/images/migrator.txt",
    "apps/backend/requirements.txt",
    "requirements/bench.txt",
)
"""By DEV: what runs in production is a part of what was tested, at the same versions."""


def resolve(root: Path, uv: Path, say: homes.Say, *, upgrade: bool = False) -> None:
    """Write each lock; versions stay unless `upgrade`. Raises LocalError with the resolver's explanation."""
    for name, sources in LOCKS.items():
        say(f"lock      {name}")
        asked: list[str | Path] = [uv, "pip", "compile", *sources, "--output-file", name, *OPTIONS]
        if name in CONSTRAINED:
            asked += ["--constraint", DEV]
        elif upgrade:
            asked += ["--upgrade"]
        run(asked, doing=f"resolve {sources[-1]}", next_step="loosen what contradicts itself above", cwd=root)
