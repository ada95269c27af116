"""The `release:` section of shipmate.yml."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Release:
    """Versions, changelog and GitHub releases."""
