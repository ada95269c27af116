"""App Store versions: prepared, sent to review, and released in phases.

Sources: developer.apple.com/documentation/appstoreconnectapi (app store versions, app store version localizations, review submissions,
app store version phased releases).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.providers.app_store import AppleRefused

if TYPE_CHECKING:
    from pipelines.providers.app_store import AppStore

ON_SALE = "READY_FOR_DISTRIBUTION"
REPLACED = "REPLACED_WITH_NEW_VERSION"
REJECTED = ("REJECTED", "METADATA_REJECTED", "INVALID_BINARY")
EDITABLE = ("PREPARE_FOR_SUBMISSION", "READY_FOR_REVIEW", "DEVELOPER_REJECTED", *REJECTED)
"""States in which a build can be chosen and the version be sent to review."""
IN_REVIEW = ("WAITING_FOR_REVIEW", "IN_REVIEW")
DAYS = (1, 2, 5, 10, 20, 50, 100)
"""Per cent of a phased release by its day, as Apple documents them; it tells the day alone."""
_OPEN = ("READY_FOR_REVIEW", "UNRESOLVED_ISSUES")
"""States of a review submission that takes items and can be sent."""
_GONE = ("REMOVED_FROM_SALE", "DEVELOPER_REMOVED_FROM_SALE")
_APPROVED = ("ACCEPTED", "PENDING_DEVELOPER_RELEASE", "PENDING_APPLE_RELEASE", "PROCESSING_FOR_DISTRIBUTION")
"""Through the review, and not on sale yet."""


@dataclass(frozen=True, kw_only=True)
class Phased:
    """The phased release of a version."""

    id: str
    state: str
    """INACTIVE before the version is on sale, then ACTIVE, PAUSED or COMPLETE."""
    day: int
    """1 to 7; 0 before it begins."""

    @property
    def percent(self) -> int:
        """Of those who have updates installed by themselves; anybody may install it by hand."""
        if self.state == "COMPLETE":
            return 100
        return DAYS[min(self.day, len(DAYS)) - 1] if self.day and self.state != "INACTIVE" else 0


@dataclass(frozen=True, kw_only=True)
class Version:
    """An App Store version."""

    id: str
    version: str
    state: str
    """One of AppVersionState."""
    release: str
    """AFTER_APPROVAL, MANUAL or SCHEDULED."""
    build: str
    """Id of its build; empty before one is chosen."""
    number: str
    """Of that build."""

    @property
    def on_sale(self) -> bool:
        return self.state == ON_SALE

    @property
    def over(self) -> bool:
        """It was on sale at some time."""
        return self.state in (ON_SALE, REPLACED, *_GONE)

    @property
    def approved(self) -> bool:
        """It went through the review at some time, which closed its train: Apple takes no build of it, nor of a lower one."""
        return self.over or self.state in _APPROVED


class Versions:
    """The App Store versions of an app for iPhones, through the client of its account."""

    def __init__(self, store: AppStore) -> None:
        self._store = store

    def all(self) -> list[Version]:
        """The newest first. Of one version the build may be chosen and not shown any more: its number is empty then."""
        path = f"/v1/apps/{self._store.app}/appStoreVersions"
        query = {"filter[platform]": "IOS", "include": "build", "limit": "200"}
        found = list(self._store.documents(path, query))
        numbers = {
            str(each["id"]): str(each["attributes"].get("version", ""))
            for page in found
            for each in page.get("included", [])
            if each["type"] == "builds"
        }
        return [_version(each, numbers) for page in found for each in page.get("data", [])]

    def create(self, version: str) -> str:
        """A version to prepare, which goes on sale once it is approved; its id. AppleRefused while another is being prepared."""
        about = {"platform": "IOS", "versionString": version, "releaseType": "AFTER_APPROVAL"}
        return str(self._store.post("appStoreVersions", about, app=("apps", self._store.app))["id"])

    def choose(self, version: str, build: str) -> None:
        """Its build. AppleRefused for one that is not processed, has expired or is of another version."""
        body = {"data": {"type": "builds", "id": build}}
        self._store.call("PATCH", f"/v1/appStoreVersions/{version}/relationships/build", body)

    def silent(self, version: str) -> dict[str, str]:
        """Locales that do not say yet what is new -> id of their texts."""
        listed = self._store.pages(f"/v1/appStoreVersions/{version}/appStoreVersionLocalizations", {"limit": "50"})
        return {str(each["attributes"]["locale"]): str(each["id"]) for each in listed if not _news(each)}

    def say_whats_new(self, texts: str, text: str) -> None:
        """AppleRefused for a first version: nothing is new in it."""
        self._store.patch("appStoreVersionLocalizations", texts, {"whatsNew": text})

    # review

    def submit(self, version: str) -> None:
        """Send it to review, in the submission that is open or a new one. AppleRefused with what the version lacks."""
        submission = self._open_submission()
        if version not in self._items(submission):
            related = {"reviewSubmission": ("reviewSubmissions", submission), "appStoreVersion": _of(version)}
            self._store.post("reviewSubmissionItems", {}, **related)
        self._store.patch("reviewSubmissions", submission, {"submitted": True})

    def _open_submission(self) -> str:
        query = {"filter[app]": self._store.app, "filter[platform]": "IOS", "filter[state]": ",".join(_OPEN)}
        found = next(self._store.pages("/v1/reviewSubmissions", query), None)
        if found is None:
            found = self._store.post("reviewSubmissions", {"platform": "IOS"}, app=("apps", self._store.app))
        return str(found["id"])

    def _items(self, submission: str) -> set[str]:
        """Ids of the versions that a submission has; what was removed from it or approved is no item any more."""
        query = {"include": "appStoreVersion", "limit": "200"}
        listed = self._store.pages(f"/v1/reviewSubmissions/{submission}/items", query)
        return {_related(each, "appStoreVersion") for each in listed if each["attributes"].get("state") != "REMOVED"}

    # phased release

    def phased(self, version: str) -> Phased | None:
        """None where the version goes to everybody at once."""
        path = f"/v1/appStoreVersions/{version}/appStoreVersionPhasedRelease"
        try:
            found = self._store.call("GET", path).get("data")
        except AppleRefused as error:
            if error.status == 404:
                return None
            raise
        if not found:
            return None
        message = found.get("attributes", {})
        return Phased(
            id=str(found["id"]),
            state=str(message.get("phasedReleaseState", "")),
            day=int(message.get("currentDayNumber") or 0),
        )

    def phase(self, version: str) -> None:
        """Release it in phases once it is on sale; before that alone. AppleRefused for a first version."""
        self._store.post(
            "appStoreVersionPhasedReleases", {"phasedReleaseState": "INACTIVE"}, appStoreVersion=_of(version)
        )

    def change_phased(self, phased: str, state: str) -> None:
        """ACTIVE, PAUSED or COMPLETE."""
        self._store.patch("appStoreVersionPhasedReleases", phased, {"phasedReleaseState": state})


def _of(version: str) -> tuple[str, str]:
    return ("appStoreVersions", version)


def _news(texts: Mapping[str, Any]) -> str:
    return str(texts["attributes"].get("whatsNew") or "")


def _version(raw: Mapping[str, Any], numbers: Mapping[str, str]) -> Version:
    message, build = raw["attributes"], _related(raw, "build")
    return Version(
        id=str(raw["id"]),
        version=str(message.get("versionString", "")),
        state=str(message.get("appVersionState", "")),
        release=str(message.get("releaseType", "")),
        build=build,
        number=numbers.get(build, ""),
    )


def _related(raw: Mapping[str, Any], name: str) -> str:
    """Id of what a resource is related to; empty where there is nothing."""
    data = ((raw.get("relationships") or {}).get(name) or {}).get("data") or {}
    return str(data.get("id", ""))
