"""Bytecode of what jobs run from their checkout: compiled once on this machine, not anew in each of some sixty jobs of a delivery.

A machine of GitHub's compiles what it imports in every job; here that is a twentieth of a rehearsal. Each file of bytecode carries the
hash of its source, which the interpreter compares (PEP 552): what another commit has otherwise is compiled there, as ever.
"""

from __future__ import annotations

import contextlib
import importlib.util
import py_compile
import sys
from pathlib import Path

from rehearsal.home import home

PACKAGES = ("pipelines", "actions", "release", "e2e")
"""Folders of a checkout whose modules most jobs import."""
_HASH = slice(8, 16)
"""Of a file of bytecode made for its source's hash."""


def refresh(checkout: Path) -> Path:
    """A folder with bytecode of a checkout's modules, each where the checkout would have its own; only what changed is compiled.

    Without any (a disk is full) jobs compile as they would.
    """
    kept = home() / "bytecode" / f"checkout-{sys.implementation.cache_tag}"
    for package in PACKAGES:
        for source in (checkout / package).rglob("*.py"):
            # A module that is none is told of by the job that imports it.
            with contextlib.suppress(OSError, ValueError, py_compile.PyCompileError):
                _compile(source, kept / source.relative_to(checkout).parent)
    return kept


def _compile(source: Path, folder: Path) -> None:
    """Raises OSError, ValueError and PyCompileError."""
    target = folder / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
    known = target.read_bytes()[_HASH] if target.exists() else b""
    if known != importlib.util.source_hash(source.read_bytes()):
        mode = py_compile.PycInvalidationMode.CHECKED_HASH
        py_compile.compile(str(source), str(target), doraise=True, invalidation_mode=mode)
