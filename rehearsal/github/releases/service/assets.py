"""Release assets: bytes on disk under their id, digest and size in the state."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.releases.rules import check_asset_name, check_delete_asset, check_mutable
from rehearsal.github.releases.state import Asset, Release


async def upload(
    instance: GitHubInstance,
    release: Release,
    *,
    name: str,
    label: str | None,
    content_type: str,
    content: AsyncIterator[bytes],
    by: Identity,
) -> Asset:
    """Store an asset. Until its last byte is here its state is `open`, and a broken upload leaves it so, as on
    GitHub. Raises Problem 422 for a name that is taken, 422 for an immutable release."""
    check_mutable(release)
    check_asset_name(release, name)
    now = instance.now()
    asset = Asset(
        id=instance.database.next_id("asset"),
        name=name,
        label=label,
        content_type=content_type,
        size=0,
        digest="",
        uploader=by.login,
        state="open",
        created_at=now,
        updated_at=now,
    )
    release.assets.append(asset)
    digest = hashlib.sha256()
    with instance.asset_path(asset.id).open("wb") as file:
        async for chunk in content:
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
            asset.size += len(chunk)
    asset.digest = f"sha256:{digest.hexdigest()}"
    asset.state = "uploaded"
    asset.updated_at = instance.now()
    return asset


def rename(release: Release, asset: Asset, *, name: str | None, label: str | None) -> None:
    """Raises Problem 422 for a name that is taken, or an immutable release."""
    check_mutable(release)
    if name is not None:
        check_asset_name(release, name, asset)
    asset.name = name or asset.name
    asset.label = label if label is not None else asset.label


def delete(instance: GitHubInstance, release: Release, asset: Asset) -> None:
    """Raises Problem 422 for an immutable release."""
    check_delete_asset(release)
    release.assets.remove(asset)
    instance.asset_path(asset.id).unlink(missing_ok=True)
