"""Where the rehearsal keeps what it fetched once: contracts, a template database, a browser."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """`$SHIPMATE_HOME`, else `~/.cache/shipmate`. It may not exist yet; everything in it can be deleted at any time."""
    named = os.environ.get("SHIPMATE_HOME")
    return Path(named).absolute() if named else Path.home() / ".cache" / "shipmate"
