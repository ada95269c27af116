"""What an account at App Store Connect holds. Times are seconds since 1970."""

from __future__ import annotations

from dataclasses import dataclass, field

DAY = 86_400.0
BUILD_LIFE = 90 * DAY
"""TestFlight builds expire after it."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds that Apple takes. General knowledge: typical of a small app, and nowhere promised."""

    accept: float = 20
    """Until an upload that was committed is COMPLETE or FAILED."""
    appear: float = 40
    """From then until there is a build."""
    process: float = 240
    """Of a build."""
    detail: float = 20
    """From then until the build has its beta detail (fastlane/fastlane#20645)."""
    beta_queue: float = 6 * 3600
    beta_review: float = 3600
    queue: float = 24 * 3600
    """Until a reviewer begins with an App Store version."""
    review: float = 6 * 3600
    day: float = DAY
    """Of a phased release, its pauses included."""

    def scaled(self, by: float) -> Pace:
        """Every wait times `by`."""
        return Pace(**{name: seconds * by for name, seconds in vars(self).items()})


@dataclass(kw_only=True)
class App:
    """An app's record."""

    id: str
    bundle: str
    name: str
    locale: str = "en-US"
    """The primary one."""


@dataclass(kw_only=True)
class Plan:
    """What becomes of the next upload. Times replace those of the pace; a build that never appears is `hidden`."""

    state: str = "VALID"
    """Of the build after processing: VALID, INVALID or FAILED."""
    errors: list[tuple[str, str]] = field(default_factory=list)
    """(code, description); with any, the upload is FAILED and there is no build."""
    warnings: list[tuple[str, str]] = field(default_factory=list)
    appear: float | None = None
    detail: float | None = None
    hidden: bool = False


@dataclass(kw_only=True)
class Upload:
    """A build upload."""

    id: str
    app: str
    version: str
    """CFBundleShortVersionString, as declared."""
    number: str
    """CFBundleVersion, as declared."""
    platform: str
    created: float
    committed: float | None = None
    decided: float | None = None
    """When it is COMPLETE or FAILED."""
    errors: list[tuple[str, str]] = field(default_factory=list)
    """(code, description)."""
    warnings: list[tuple[str, str]] = field(default_factory=list)
    build: str | None = None
    """Id of the build it becomes."""


@dataclass(kw_only=True)
class Part:
    """One upload operation: a range of the file."""

    number: int
    offset: int
    length: int
    tag: str | None = None
    """MD5 of what was received, as storage answers it; None before."""


@dataclass(kw_only=True)
class UploadFile:
    """A file of a build upload."""

    id: str
    upload: str
    name: str
    size: int
    uti: str
    kind: str
    """ASSET, ASSET_DESCRIPTION or ASSET_SPI."""
    token: str
    """Its place in the storage."""
    expires: float
    """Of the upload operations."""
    parts: list[Part]
    state: str = "AWAITING_UPLOAD"
    errors: list[tuple[str, str]] = field(default_factory=list)
    checksums: dict[str, dict[str, str]] = field(default_factory=dict)
    sha256: str | None = None
    """Of the whole file, once it is committed. Apple does not show it."""


@dataclass(kw_only=True)
class Build:
    """A build. What it is at a time follows from the times here."""

    id: str
    app: str
    version: str
    number: str
    platform: str
    upload: str
    uploaded: float
    appears: float | None
    """None: never, until it is let."""
    processed: float | None
    detailed: float | None
    state: str
    """After processing."""
    encryption: bool | None
    """Whether it uses non-exempt encryption; None: not stated, and testers wait."""
    minimum_os: str | None = None
    expired: bool = False
    """By hand; by age it is anyway."""
    sha256: str = ""


@dataclass(kw_only=True)
class Group:
    """A group of beta testers."""

    id: str
    app: str
    name: str
    internal: bool
    all_builds: bool
    """Gets every build by itself; internal groups only."""
    created: float
    builds: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Notes:
    """What to test, or what is new, in one language."""

    id: str
    of: str
    """Id of the build, or of the App Store version."""
    locale: str
    texts: dict[str, str] = field(default_factory=dict)
    """By attribute: `whatsNew`, and for the store `description`, `keywords`, …"""


@dataclass(kw_only=True)
class Review:
    """One passage through review."""

    submitted: float
    begins: float
    ends: float
    outcome: str = "APPROVED"
    """Or REJECTED."""


@dataclass(kw_only=True)
class BetaSubmission:
    """A build in beta review."""

    id: str
    build: str
    review: Review


@dataclass(kw_only=True)
class StoreVersion:
    """An App Store version."""

    id: str
    app: str
    platform: str
    version: str
    created: float
    release_type: str = "AFTER_APPROVAL"
    earliest: float | None = None
    copyright: str | None = None
    build: str | None = None
    review: Review | None = None
    withdrawn: bool = False
    """Its submission was cancelled."""
    requested: float | None = None
    """When the developer asked for its release."""


@dataclass(kw_only=True)
class Item:
    """An App Store version in a submission."""

    id: str
    version: str
    removed: bool = False


@dataclass(kw_only=True)
class Submission:
    """A review submission."""

    id: str
    app: str
    platform: str
    items: list[Item] = field(default_factory=list)
    review: Review | None = None
    canceled: bool = False


@dataclass(kw_only=True)
class Phased:
    """The phased release of an App Store version."""

    id: str
    version: str
    completed: bool = False
    """Released to everybody before its days were over."""
    pauses: list[tuple[float, float | None]] = field(default_factory=list)
    """(from, until); until None: now paused."""


@dataclass(kw_only=True)
class Certificate:
    """A signing certificate."""

    id: str
    name: str
    kind: str
    expires: float


@dataclass(kw_only=True)
class Profile:
    """A provisioning profile."""

    id: str
    name: str
    kind: str
    created: float
    expires: float
    certificates: list[str]
    active: bool = True
