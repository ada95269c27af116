"""shipmate.yml: typed (model.py, and a module for each of its larger sections), filled with the line of every mistake (fill.py),
cross-checked (reading.py), described (schema.py).

The names below are imported when they are first used: whoever needs a section's types alone need not wait for YAML and all other sections.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.manifest.model import Manifest
    from pipelines.manifest.reading import find, load, parse

__all__ = ["Manifest", "find", "load", "parse"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{'model' if name == 'Manifest' else 'reading'}"), name)
