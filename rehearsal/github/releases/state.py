"""Releases and their assets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(kw_only=True)
class Asset:
    id: int
    name: str
    label: str | None
    content_type: str
    size: int
    digest: str
    """sha256:<hex>"""
    uploader: str
    state: str = "uploaded"
    """uploaded; open while the bytes have not all come"""
    download_count: int = 0
    created_at: datetime
    updated_at: datetime


@dataclass(kw_only=True)
class Release:
    id: int
    tag_name: str
    target_commitish: str
    name: str | None
    body: str | None
    draft: bool
    prerelease: bool
    author: str
    created_at: datetime
    """Of the tagged commit, as on GitHub; of the draft while there is no tag."""
    published_at: datetime | None = None
    updated_at: datetime
    immutable: bool = False
    make_latest: str = "true"
    """"true", "false" or "legacy" """
    assets: list[Asset] = field(default_factory=list)
    hidden_reads: int = 0
    """Reads of lists that shall not see it yet."""

    def asset_named(self, name: str) -> Asset | None:
        return next((asset for asset in self.assets if asset.name == name), None)
