"""What a release may be and become, who sees drafts, which release is the latest, and the order of version tags."""

from __future__ import annotations

import re

from rehearsal.github.accounts.rules import may
from rehearsal.github.identity import Identity
from rehearsal.github.problems import custom, invalid, unprocessable
from rehearsal.github.releases.state import Asset, Release
from rehearsal.github.repositories.state import Repository

_VERSION = re.compile(r"(?P<prefix>.*?)(?P<numbers>\d+(?:\.\d+){0,2})(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+.*)?$")

_LONGEST_BODY = 125_000


def precedence(tag: str) -> tuple[tuple[int, ...], int, str]:
    """A key that sorts tags by their version; one without a version comes first."""
    match = _VERSION.match(tag)
    if match is None:
        return (), 0, tag
    numbers = tuple(int(part) for part in match["numbers"].split("."))
    padded = (*numbers, 0, 0, 0)[:3]
    return padded, 0 if match["pre"] else 1, match["pre"] or ""


def latest(repository: Repository) -> Release | None:
    """The one marked as latest; without such, the newest full release by the date of its commit."""
    full = [one for one in repository.releases.values() if not one.draft and not one.prerelease]
    marked = next((one for one in full if one.id == repository.latest_release_id), None)
    return marked or max(full, key=lambda one: (one.created_at, one.id), default=None)


def latest_by_version(repository: Repository, release: Release) -> Release:
    """Which one `make_latest: legacy` marks: the highest version of all full releases and this one."""
    full = [one for one in repository.releases.values() if not one.draft and not one.prerelease]
    return max([*full, release], key=lambda one: (precedence(one.tag_name), one.created_at))


def sees_drafts(identity: Identity, repository: Repository) -> bool:
    """Drafts are for those who may write."""
    return may(identity, repository, "contents:write")


def check_tag_free(repository: Repository, tag: str, release: Release | None) -> None:
    """Raise Problem 422 for a tag of another release, or one that an immutable release had."""
    other = repository.release_tagged(tag)
    if other is not None and other is not release:
        raise invalid("Release", "tag_name", "already_exists")
    if tag in repository.burnt_tags:
        raise custom("Release", "tag_name was used by an immutable release")


def check_mutable(release: Release) -> None:
    """Raise Problem 422 for an immutable release, of which neither tag nor assets change."""
    if release.immutable:
        raise unprocessable("Cannot upload assets to, or change the tag or assets of, an immutable release.")


def check_delete_asset(release: Release) -> None:
    """Raise Problem 422 for an immutable release."""
    if release.immutable:
        raise unprocessable("Cannot delete assets from an immutable release.")


def check_asset_name(release: Release, name: str, asset: Asset | None = None) -> None:
    """Raise Problem 422 for the name of another asset of the release."""
    taken = release.asset_named(name)
    if taken is not None and taken is not asset:
        raise invalid("ReleaseAsset", "name", "already_exists")


def check_body(body: str | None) -> None:
    """Raise Problem 422 for one that is too long."""
    if body is not None and len(body) > _LONGEST_BODY:
        raise custom("Release", f"body is too long (maximum is {_LONGEST_BODY} characters)")
