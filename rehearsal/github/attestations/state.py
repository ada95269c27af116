"""Attestations: signed statements about artifacts, found by the artifacts' digests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(kw_only=True)
class Attestation:
    id: int
    bundle: dict[str, Any]
    """The Sigstore bundle, word for word."""
    digests: list[str]
    """sha256:<hex> of every subject of its statement."""
