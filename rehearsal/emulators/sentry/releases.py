"""Releases that are announced (https://docs.sentry.io/api/releases/create-a-new-release-for-an-organization/)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rehearsal.emulators.sentry.errors import ApiError
from rehearsal.emulators.sentry.state import Organization, Release

_TAKEN = ("ref", "url", "dateReleased")


def announce(organization: Organization, body: Any) -> tuple[dict[str, Any], int]:
    """The release, made or changed, and the status: 201, or 208 for one that was there. Raises ApiError (400)."""
    version, projects = (body.get("version"), body.get("projects")) if isinstance(body, dict) else (None, None)
    if not isinstance(version, str) or not version.strip() or {"\n", "/", "\\"} & set(version):
        raise ApiError(400, "version: This field is required.")
    if not isinstance(projects, list) or not projects or not set(projects) <= organization.projects.keys():
        raise ApiError(400, "projects: Invalid project ids or slugs")
    held = organization.releases.get(version)
    release = held or Release(version=version, created=organization.clock())
    release.projects = sorted({*release.projects, *projects})
    release.given |= {name: body[name] for name in _TAKEN if body.get(name)}
    organization.releases[version] = release
    return _view(organization, release), 208 if held else 201


def _view(organization: Organization, release: Release) -> dict[str, Any]:
    """As the description has it; what came by SDKs alone is not counted into it."""
    projects = [organization.projects[slug] for slug in release.projects]
    return {
        "id": list(organization.releases).index(release.version) + 1,
        "version": release.version,
        "shortVersion": release.version,
        "versionInfo": None,
        "status": "open",
        "ref": release.given.get("ref"),
        "url": release.given.get("url"),
        "dateReleased": release.given.get("dateReleased"),
        "dateCreated": datetime.fromtimestamp(release.created, UTC)
        .isoformat(timespec="microseconds")
        .replace("+00:00", "Z"),
        "data": {},
        "newGroups": 0,
        "owner": None,
        "commitCount": 0,
        "lastCommit": None,
        "deployCount": 0,
        "lastDeploy": None,
        "authors": [],
        "projects": [
            {
                "id": int(one.id),
                "slug": one.slug,
                "name": one.slug,
                "newGroups": 0,
                "platform": None,
                "platforms": [],
                "hasHealthData": False,
            }
            for one in projects
        ],
        "firstEvent": None,
        "lastEvent": None,
        "currentProjectMeta": {},
        "userAgent": None,
    }
