"""Releases in GraphQL."""

from __future__ import annotations

from typing import Any

from rehearsal.github.graphql.reader import Node, Reader, cut, time_or_none
from rehearsal.github.releases import rules
from rehearsal.github.releases.service import releases
from rehearsal.github.releases.state import Release
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import node_id, quoted, stamp


def of_repository(reader: Reader, one: Repository) -> Node:
    """The fields of a repository that lead to its releases."""

    drafts = rules.sees_drafts(reader.identity, one)

    def by_tag(_: Any, tagName: str) -> Node | None:
        found = one.release_tagged(tagName) or next(
            (draft for draft in one.releases.values() if draft.tag_name == tagName and drafts), None
        )
        return release(reader, one, found) if found is not None else None

    def every(_: Any, first: int | None = None, after: str | None = None, **__: Any) -> Node:
        reader.allow(one, "contents:read")
        found = releases.visible(one, with_drafts=drafts)
        return cut(found, lambda found: release(reader, one, found), first=first, after=after, last=None)

    def latest(_: Any) -> Node | None:
        found = rules.latest(one)
        return release(reader, one, found) if found is not None else None

    return {"release": by_tag, "releases": every, "latestRelease": latest}


def release(reader: Reader, of: Repository, one: Release) -> Node:
    page = f"{reader.view.page(of)}/releases/tag/{quoted(one.tag_name)}"
    return {
        "id": node_id("Release", one.id),
        "databaseId": one.id,
        "name": one.name,
        "tagName": one.tag_name,
        "isDraft": one.draft,
        "isPrerelease": one.prerelease,
        "isLatest": one is rules.latest(of),
        "createdAt": stamp(one.created_at),
        "publishedAt": time_or_none(one.published_at),
        "description": one.body,
        "url": page,
    }
