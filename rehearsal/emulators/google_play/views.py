"""What Play holds, as the JSON of its two interfaces. Fields without a value are left out, as Google's JSON mapping does."""

from __future__ import annotations

from typing import Any

from rehearsal.emulators.google_play.state import Bundle, Edit, Release

_MOST_SUMMARIES = 20


def edit(shown: Edit) -> dict[str, Any]:
    """AppEdit."""
    return {"id": shown.id, "expiryTimeSeconds": str(int(shown.expires))}


def bundle(shown: Bundle) -> dict[str, Any]:
    """Bundle."""
    return {"versionCode": shown.version_code, "sha1": shown.sha1, "sha256": shown.sha256}


def bundles(shown: list[Bundle]) -> dict[str, Any]:
    """BundlesListResponse."""
    listed = {"bundles": [bundle(each) for each in shown]} if shown else {}
    return {"kind": "androidpublisher#bundlesListResponse", **listed}


def track(name: str, releases: list[Release]) -> dict[str, Any]:
    """Track."""
    return {"track": name, **({"releases": [release(each) for each in releases]} if releases else {})}


def tracks(shown: dict[str, list[Release]]) -> dict[str, Any]:
    """TracksListResponse: also tracks without a release."""
    listed = [track(name, releases) for name, releases in shown.items()]
    return {"kind": "androidpublisher#tracksListResponse", "tracks": listed}


def release(shown: Release) -> dict[str, Any]:
    """TrackRelease."""
    fields: dict[str, Any] = {
        "name": shown.name,
        "versionCodes": [str(code) for code in shown.version_codes],
        "userFraction": shown.fraction,
        "releaseNotes": [{"language": language, "text": text} for language, text in shown.notes.items()],
        "inAppUpdatePriority": shown.priority,
        "countryTargeting": shown.countries,
    }
    return {**{name: value for name, value in fields.items() if value}, "status": shown.status}


def summaries(name: str, shown: list[tuple[Release, str]]) -> dict[str, Any]:
    """ListReleaseSummariesResponse."""
    listed = [
        {
            "releaseName": each.name,
            "track": name,
            "releaseLifecycleState": state,
            "activeArtifacts": [{"versionCode": code} for code in each.version_codes],
        }
        for each, state in shown
    ]
    return {"releases": listed[:_MOST_SUMMARIES]} if listed else {}
