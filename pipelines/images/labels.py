"""What an image says about itself, whichever builder made it."""

from __future__ import annotations

import re
from pathlib import Path

from pipelines.images.sources import Commit

SCHEMA = "shipmate.schema"
BUILDER = "shipmate.builder"


def common(commit: Commit, *, migrations: str | None, source: str, builder: str) -> dict[str, str]:
    """`migrations`: folder of SQL migrations. `source`: the repository's public address, or nothing."""
    labels = {
        "org.opencontainers.image.revision": commit.sha,
        # The image is built once and promoted by digest: its release is recorded when it is deployed.
        "org.opencontainers.image.version": commit.sha[:12],
        SCHEMA: schema_of(commit, migrations),
        BUILDER: builder,
    }
    return {**labels, **({"org.opencontainers.image.source": source} if source else {})}


def schema_of(commit: Commit, migrations: str | None) -> str:
    """The highest migration number the commit knows, as four digits; 0000 for none."""
    names = [Path(path).name for path in commit.names(migrations)] if migrations else []
    return max((name[:4] for name in names if re.match(r"\d{4}_.*\.sql$", name)), default="0000")
