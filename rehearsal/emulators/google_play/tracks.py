"""Releases of a track: what an update makes of them, and what Play refuses.

The description calls the releases of an update "desired changes": a list replaces drafts and roll-outs, while a completed
release goes on being served until another one is completed. A roll-out that is left out is halted (fastlane/fastlane#29447).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from rehearsal.emulators.google_play import errors
from rehearsal.emulators.google_play.errors import PlayError
from rehearsal.emulators.google_play.state import (
    COMPLETED,
    DRAFT,
    HALTED,
    PRODUCTION,
    STAGED,
    App,
    Edit,
    Release,
    codes,
)

LONGEST_NOTES = 500
"""Characters in one language."""
_HIGHEST_PRIORITY = 5
_LONGEST_NAME = 50


def update(app: App, edit: Edit, track: str, wanted: list[dict[str, Any]], now: float) -> None:
    """Set the releases of a track in an edit. Raises PlayError."""
    releases = [_read(each) for each in wanted]
    _check_counts(releases)
    for release in releases:
        release.name = release.name or _name(app, edit, release, now)
    edit.tracks[track] = [*releases, *_kept(app.tracks[track], releases)]


def refusals(app: App, edit: Edit) -> Iterator[PlayError]:
    """What validate and commit find wrong, worst first."""
    for track, releases in edit.tracks.items():
        if releases == app.tracks[track]:
            continue
        if app.draft and any(release.status != DRAFT for release in releases):
            yield errors.draft_app()
        unknown = codes(releases) - set(app.used) - set(edit.bundles)
        if unknown:
            yield errors.codes_not_found(sorted(unknown))
        for release in releases:
            yield from _change_refused(app, track, release)
            for language, text in release.notes.items():
                if len(text) > LONGEST_NOTES:
                    yield errors.notes_too_long(language, len(text), LONGEST_NOTES)


def _change_refused(app: App, track: str, release: Release) -> Iterator[PlayError]:
    served = [*app.live[track], *(each for each in app.tracks[track] if each.status != DRAFT)]
    before = next((each for each in app.tracks[track] if each.version_codes == release.version_codes), None)
    if release.status == DRAFT:
        return
    shipped = codes(served) | (codes(app.live[PRODUCTION]) if track != PRODUCTION else set())
    if any(code < max(shipped, default=0) for code in set(release.version_codes) - codes(served)):
        yield errors.no_upgrade()
    # General knowledge from here on: the console offers none of these, and no thread quotes what the API says.
    if release.status == HALTED and (before is None or before.status not in (STAGED, HALTED)):
        yield errors.bad_request("Only a staged release can be halted.")
    if before is not None and before.status == COMPLETED != release.status:
        yield errors.bad_request("A completed release cannot be staged again.")
    if release.fraction is not None and before is not None and (before.fraction or 0) > release.fraction:
        yield errors.bad_request("User fraction of a release must not be lowered.")


def _kept(before: list[Release], wanted: list[Release]) -> Iterator[Release]:
    """What of the committed releases stays although the update does not name it."""
    named = codes(wanted)
    staged = any(release.status in (STAGED, HALTED) for release in wanted)
    completed = max((c for r in wanted if r.status == COMPLETED for c in r.version_codes), default=0)
    for release in before:
        if release.status == COMPLETED and not completed and named.isdisjoint(release.version_codes):
            yield release
        overtaken = staged or completed > max(release.version_codes, default=0)
        if release.status in (STAGED, HALTED) and not overtaken and named.isdisjoint(release.version_codes):
            yield Release(**{**vars(release), "status": HALTED})


def _check_counts(releases: list[Release]) -> None:
    for kind, statuses in (("completed", (COMPLETED,)), ("staged", (STAGED, HALTED)), ("draft", (DRAFT,))):
        if sum(release.status in statuses for release in releases) > 1:
            raise errors.too_many(kind)


def _read(wanted: dict[str, Any]) -> Release:
    """A TrackRelease; its types were held against the description before. Raises PlayError."""
    status = wanted.get("status", "statusUnspecified")
    if status == "statusUnspecified":
        raise errors.bad_request("Release status must be specified.")
    numbers = wanted.get("versionCodes", [])
    if not all(number.isdecimal() for number in numbers):
        raise errors.bad_request("Version codes must be positive numbers.")
    if not numbers and status != DRAFT:
        raise errors.bad_request("Release must have version codes.")
    notes = wanted.get("releaseNotes", [])
    if len({note.get("language") for note in notes}) < len(notes):
        raise errors.bad_request("Release notes must not name a language twice.")
    priority = wanted.get("inAppUpdatePriority", 0)
    if not 0 <= priority <= _HIGHEST_PRIORITY:
        raise errors.bad_request(f"In-app update priority must be between 0 and {_HIGHEST_PRIORITY}.")
    if len(wanted.get("name", "")) > _LONGEST_NAME:
        raise errors.bad_request(f"Release name must not be longer than {_LONGEST_NAME} characters.")
    return Release(
        version_codes=sorted({int(number) for number in numbers}),
        status=status,
        name=wanted.get("name", ""),
        fraction=_fraction(status, wanted.get("userFraction")),
        notes={note.get("language", ""): note.get("text", "") for note in notes},
        priority=priority,
        countries=wanted.get("countryTargeting"),
    )


def _fraction(status: str, fraction: float | None) -> float | None:
    if fraction is None:
        if status == STAGED:
            raise errors.fraction_missing()
        return None
    if status in (DRAFT, COMPLETED):
        raise errors.fraction_unwanted(status)
    if fraction >= 1:
        raise errors.fraction_too_high()
    if fraction <= 0:
        raise errors.fraction_too_low()
    return float(fraction)


def _name(app: App, edit: Edit, release: Release, now: float) -> str:
    """As the description has it: the version's name, or the date where there are several numbers."""
    if len(release.version_codes) == 1:
        [code] = release.version_codes
        bundle = edit.bundles.get(code) or app.used.get(code)
        if bundle is not None:
            return bundle.version_name
    return datetime.datetime.fromtimestamp(now, datetime.UTC).strftime("%d %b %Y")
