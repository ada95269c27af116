"""What Play holds of an app: bundles, tracks and their releases, edits, and what waits for review."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rehearsal.emulators.google_play.vitals import Vitals

INTERNAL, CLOSED, OPEN, PRODUCTION = "internal", "alpha", "beta", "production"
TRACKS = (PRODUCTION, OPEN, CLOSED, INTERNAL)
DRAFT, STAGED, HALTED, COMPLETED = "draft", "inProgress", "halted", "completed"

VIEW, TO_TESTERS, TO_PRODUCTION, DRAFTS, QUALITY = (
    "CAN_VIEW_NON_FINANCIAL_DATA",
    "CAN_MANAGE_TRACK_APKS",
    "CAN_MANAGE_PUBLIC_APKS",
    "CAN_MANAGE_DRAFT_APPS",
    "CAN_VIEW_APP_QUALITY",
)
DEPLOYER = frozenset({VIEW, TO_TESTERS, TO_PRODUCTION, DRAFTS, QUALITY})
"""Permissions of an account that releases to every track and reads vitals."""


@dataclass(kw_only=True)
class Bundle:
    """An uploaded Android App Bundle. Hashes are hexadecimal."""

    version_code: int
    version_name: str
    sha1: str
    sha256: str


@dataclass(kw_only=True)
class Release:
    """A release of a track. `fraction` is that of a staged or halted one; `notes` are by language."""

    version_codes: list[int]
    status: str
    name: str = ""
    fraction: float | None = None
    notes: dict[str, str] = field(default_factory=dict)
    priority: int = 0
    countries: dict[str, Any] | None = None


Tracks = dict[str, list[Release]]


@dataclass(kw_only=True)
class Edit:
    """Changes of one app that nobody sees until they are committed. Times are seconds since 1970."""

    id: str
    owner: str
    based_on: int
    """`App.revision` when it was opened."""
    expires: float
    tracks: Tracks
    bundles: dict[int, Bundle] = field(default_factory=dict)
    """What was uploaded to it."""
    end: str = ""
    """"deleted" or "committed"; "" while it is open."""


@dataclass(kw_only=True)
class App:
    """An app as Play holds it."""

    package: str
    draft: bool = False
    """Never published: it was not reviewed yet."""
    upload_key: str | None = None
    """SHA-1 of the certificate that bundles must be signed with; that of the first upload when it is None."""
    revision: int = 0
    """Rises with each change of what is committed, by an edit or in the console."""
    used: dict[int, Bundle] = field(default_factory=dict)
    """Every number that cannot be used again, whether or not it is in a track. No call lists them."""
    keeps_discarded: bool = False
    """Whether the number of a bundle stays used when its edit is never committed. Public threads report both."""
    tracks: Tracks = field(default_factory=lambda: {track: [] for track in TRACKS})
    """As committed."""
    live: Tracks = field(default_factory=lambda: {track: [] for track in TRACKS})
    """As users have it: what is committed lags behind a review here."""
    pending: dict[str, str] = field(default_factory=dict)
    """Track whose committed releases are not live -> their ReleaseSummary.releaseLifecycleState."""
    review_due: float | None = None
    """When the review in progress ends."""
    verdict: str = "approve"
    """How the next review ends: "approve" or "reject"."""
    rejected: bool = False
    """A rejection is outstanding: changes must be committed unsent, and be sent from the console."""
    managed_publishing: bool = False
    """Approved changes wait in the console until they are published."""
    edits: dict[str, Edit] = field(default_factory=dict)
    vitals: Vitals = field(default_factory=Vitals)


def seeded(package: str, version_name: str = "0.9.0") -> App:
    """An app that was made in the console and whose first bundle, number 1, was uploaded and released by hand."""
    app = App(package=package)
    app.used[1] = Bundle(version_code=1, version_name=version_name, sha1="0" * 40, sha256="0" * 64)
    for tracks in (app.tracks, app.live):
        for track in (INTERNAL, PRODUCTION):
            tracks[track] = [Release(version_codes=[1], status=COMPLETED, name=version_name)]
    return app


def codes(releases: list[Release], *, but: str = "") -> set[int]:
    """Version codes of releases, those of status `but` left out."""
    return {code for release in releases if release.status != but for code in release.version_codes}
