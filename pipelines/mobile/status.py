"""What the stores have of the apps: for each track its builds, how many get them, what they wait for, and how they do on phones.

What cannot be read is unknown, with the reason, and hides nothing else. Nothing is changed; Play alone tells a share within an edit, which
is opened only where a track has two releases, since it makes another open edit of the same account void.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from pipelines.errors import ShipmateError
from pipelines.mobile.promoted import Candidate, percent_text
from pipelines.mobile.watch import shown

if TYPE_CHECKING:
    from pipelines.manifest.mobile import Platform
    from pipelines.mobile.promotion import Promotions
    from pipelines.mobile.promotion_app_store import AppStorePromotion
    from pipelines.mobile.promotion_play import PlayPromotion
    from pipelines.providers.app_store import Build
    from pipelines.providers.google_play import Committed, Released

UNKNOWN = "unknown"
COLUMNS = ("platform", "track", "version", "build", "percent", "state", "review", "crash_free")
_REVIEWS = {
    "IN_REVIEW": "in review",
    "NOT_SENT_FOR_REVIEW": "not sent",
    "APPROVED_NOT_PUBLISHED": "approved",
    "NOT_APPROVED": "rejected",
    "PUBLISHED": "passed",
}
_ROLLED_OUT = {"inProgress": "rolling out", "halted": "halted", "completed": "released"}
_APPLE_REVIEWS = {
    "WAITING_FOR_REVIEW": "waiting",
    "WAITING_FOR_BETA_REVIEW": "waiting",
    "IN_REVIEW": "in review",
    "IN_BETA_REVIEW": "in review",
    "REJECTED": "rejected",
    "METADATA_REJECTED": "rejected",
    "BETA_REJECTED": "rejected",
    "PENDING_DEVELOPER_RELEASE": "approved",
    "PENDING_APPLE_RELEASE": "approved",
    "BETA_APPROVED": "passed",
    "IN_BETA_TESTING": "passed",
    "READY_FOR_DISTRIBUTION": "passed",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """A build on a track of a store. Texts are for people; `unknown` where something cannot be read, and `why` says why."""

    platform: Platform
    store: str
    track: str
    version: str = ""
    build: str = ""
    percent: str = ""
    state: str = ""
    review: str = ""
    crash_free: str = ""
    why: str = ""

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def status(promotions: Promotions) -> list[Row]:
    """Rows of every platform that the apps are on, in the order of their tracks."""
    rows: list[Row] = []
    if promotions.android is not None:
        android = promotions.android
        for track in dict.fromkeys((android.settings.track, "beta", "production")):
            row = Row(platform="android", store="Google Play", track=track)
            rows += _known(row, _play_rows(row, android))
    if promotions.ios is not None:
        row = Row(platform="ios", store="TestFlight", track="testflight")
        rows += _known(row, _testflight_rows(row, promotions.ios))
        row = Row(platform="ios", store="App Store", track="production")
        rows += _known(row, _store_rows(row, promotions.ios))
    return rows


def _known(row: Row, rows: Iterator[Row]) -> list[Row]:
    """What can be read of a track; one row that says so where nothing can, or nothing is there."""
    try:
        return list(rows) or [replace(row, state="nothing")]
    except ShipmateError as error:
        return [replace(row, state=UNKNOWN, why=error.what)]


# Google Play -----------------------------------------------------------------------------------------------------------


def _play_rows(row: Row, promotion: PlayPromotion) -> Iterator[Row]:
    released = promotion.play.released(row.track)
    shares, why = _shares(promotion, row.track, released)
    for each in released:
        yield _with_health(_play_row(row, each, shares, why), promotion)


def _shares(promotion: PlayPromotion, track: str, released: Sequence[Released]) -> tuple[dict[int, Committed], str]:
    """Number -> what was committed, where there is more than one; and why it cannot be read."""
    if len(released) < 2:
        return {}, ""
    try:
        edit = promotion.play.open()
        found = promotion.play.releases(edit, track)
        promotion.play.drop(edit)
    except ShipmateError as error:
        return {}, error.what
    return {number: each for each in found for number in each.numbers}, ""


def _play_row(row: Row, released: Released, shares: dict[int, Committed], why: str) -> Row:
    number = max(released.numbers, default=0)
    committed = shares.get(number)
    percent, state = ("100 %", "released") if not why else (UNKNOWN, UNKNOWN)
    if shares and committed is None:
        percent, state, why = (
            UNKNOWN,
            "being replaced",
            "Play tells no share of what a newer version takes the place of",
        )
    if committed is not None:
        percent, state = percent_text(committed.percent), _ROLLED_OUT.get(committed.status, committed.status)
    review = "" if row.track == "internal" else _REVIEWS.get(released.state, released.state.lower())
    return replace(row, version=released.name, build=str(number), percent=percent, state=state, review=review, why=why)


# App Store Connect -----------------------------------------------------------------------------------------------------


def _testflight_rows(row: Row, promotion: AppStorePromotion) -> Iterator[Row]:
    """The newest build, as the team has it and as others have it."""
    version = promotion.store.newest_version()
    builds = promotion.store.builds(version) if version else []
    newest: Build | None = next(iter(builds), None)
    if newest is None:
        return
    known = replace(row, version=version, build=newest.number)
    if newest.state != "VALID":
        yield replace(known, state=_words(newest.state))
        return
    states = promotion.store.beta_state(newest.id)
    for track, state in zip(("internal", "external"), states or (UNKNOWN, UNKNOWN), strict=True):
        why = "" if states else "TestFlight does not know the build yet"
        message = replace(known, track=track, state=_words(state), review=_APPLE_REVIEWS.get(state, ""), why=why)
        yield _with_health(message if track == "external" else replace(message, review=""), promotion)


def _store_rows(row: Row, promotion: AppStorePromotion) -> Iterator[Row]:
    for version in promotion.versions.all():
        if version.over and not version.on_sale:
            continue
        phased = promotion.versions.phased(version.id)
        state, percent = _words(version.state), ""
        if version.on_sale:
            state, percent = "on sale", percent_text(phased.percent if phased is not None else 100)
            state += f", day {phased.day} of 7" if phased is not None and phased.state == "ACTIVE" else ""
            state += ", paused" if phased is not None and phased.state == "PAUSED" else ""
        message = replace(
            row, version=version.version, build=version.number, percent=percent, state=state,
            review=_APPLE_REVIEWS.get(version.state, ""),
        )  # fmt: skip
        yield _with_health(message, promotion) if version.on_sale else message


def _with_health(row: Row, promotion: PlayPromotion | AppStorePromotion) -> Row:
    if not row.build.isdecimal():
        return row
    health = promotion.health(Candidate(version=row.version, number=int(row.build)))
    if health.crash_free_percent is not None:
        return replace(row, crash_free=f"{shown(health.crash_free_percent)} %")
    return replace(row, crash_free=UNKNOWN, why="; ".join(each for each in (row.why, health.says) if each))


def _words(state: str) -> str:
    return state.lower().replace("_", " ")
