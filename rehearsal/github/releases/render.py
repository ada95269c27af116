"""Releases and assets."""

from __future__ import annotations

from typing import Any

from rehearsal.github.accounts.render import simple_user
from rehearsal.github.releases.state import Asset, Release
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import View, maybe_stamp, node_id, quoted, stamp


def release(view: View, repository: Repository, one: Release) -> dict[str, Any]:
    here = f"{view.repo(repository)}/releases/{one.id}"
    return {
        "url": here,
        "assets_url": f"{here}/assets",
        "upload_url": f"{here}/assets{{?name,label}}",
        "html_url": f"{view.page(repository)}/releases/{_page(one)}",
        "id": one.id,
        "node_id": node_id("Release", one.id),
        "tag_name": one.tag_name,
        "target_commitish": one.target_commitish,
        "name": one.name,
        "body": one.body,
        "draft": one.draft,
        "prerelease": one.prerelease,
        "immutable": one.immutable,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "published_at": maybe_stamp(one.published_at),
        "author": simple_user(view, one.author),
        "assets": [asset(view, repository, one, found) for found in one.assets],
        "tarball_url": None if one.draft else f"{view.repo(repository)}/tarball/{quoted(one.tag_name)}",
        "zipball_url": None if one.draft else f"{view.repo(repository)}/zipball/{quoted(one.tag_name)}",
    }


def _page(one: Release) -> str:
    return f"tag/untagged-{one.id}" if one.draft else f"tag/{quoted(one.tag_name)}"


def asset(view: View, repository: Repository, of: Release, one: Asset) -> dict[str, Any]:
    tag = f"untagged-{of.id}" if of.draft else quoted(of.tag_name)
    return {
        "url": f"{view.repo(repository)}/releases/assets/{one.id}",
        "id": one.id,
        "node_id": node_id("ReleaseAsset", one.id),
        "name": one.name,
        "label": one.label,
        "uploader": simple_user(view, one.uploader),
        "content_type": one.content_type,
        "state": one.state,
        "size": one.size,
        "digest": one.digest or None,
        "download_count": one.download_count,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "browser_download_url": f"{view.page(repository)}/releases/download/{tag}/{quoted(one.name)}",
    }
