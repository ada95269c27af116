"""What EAS holds of one account: its project, builds, channels, branches and updates. Times are seconds since 1970."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.android_bundle import UploadKey
from rehearsal.emulators.eas import errors

ANDROID, IOS = "android", "ios"
NEW, QUEUED, RUNNING, CANCELING, CANCELED, ERRORED, FINISHED = (
    "NEW", "IN_QUEUE", "IN_PROGRESS", "PENDING_CANCEL", "CANCELED", "ERRORED", "FINISHED",
)  # fmt: skip
VALID, EXPIRED = "valid", "expired"
DAY = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long operations take, in seconds. Real ones differ by plan and by hour."""

    queue: float = 120.0
    build: float = 600.0
    cancel: float = 15.0
    expires: float = 30 * DAY
    """Of a build's files."""

    def scaled(self, by: float) -> Pace:
        """What Expo does takes `by` times as long; what is kept is kept as long."""
        return Pace(queue=self.queue * by, build=self.build * by, cancel=self.cancel * by)


@dataclass(frozen=True, kw_only=True)
class Project:
    """An app at EAS."""

    id: str
    account: str
    slug: str
    name: str = "TechMate"


@dataclass(kw_only=True)
class Plan:
    """How a build to come will go. The empty platform is that of any. Empty `code`: it finishes."""

    platform: str = ""
    code: str = ""
    message: str = ""
    docs: str | None = None
    log: list[str] = field(default_factory=list)
    """What the failing phase prints, its last lines."""
    seconds: float | None = None
    """It takes this long, not what the pace says."""


@dataclass(kw_only=True)
class Build:
    """One build. What it says of the app was read from the files that were uploaded."""

    id: str
    project: str
    platform: str
    profile: str
    channel: str | None
    distribution: str
    identifier: str
    version: str
    number: str
    runtime: str
    """As EAS worked it out."""
    fingerprint: str
    commit: str | None
    commit_message: str | None
    message: str | None
    created: float
    queue: float
    """Seconds in the queue, once a place among the account's own builds is free."""
    position: int
    """In the queue, at first."""
    places: int
    """How many builds of the account were taken at once when this one was started."""
    seconds: float
    artifact: str
    """Base64."""
    plan: Plan
    canceled: float | None = None
    """When it was asked for."""


@dataclass(kw_only=True)
class Branch:
    """A line of updates."""

    id: str
    project: str
    name: str


@dataclass(kw_only=True)
class Channel:
    """What builds listen to; it points to one branch."""

    id: str
    project: str
    name: str
    branch: str
    created: float


@dataclass(kw_only=True)
class Launches:
    """What users' devices reported of an update on a day."""

    at: float
    installs: int
    failed: int
    users: int


@dataclass(kw_only=True)
class Update:
    """An update of one platform. Those that were published together for one runtime version share a group."""

    id: str
    group: str
    branch: str
    runtime: str
    platform: str
    message: str | None
    created: float
    commit: str | None
    dirty: bool
    environment: str | None
    manifest: str
    """JSON of the manifest's fragment; {} of a roll-back."""
    fingerprint: str | None
    embedded: bool = False
    """A roll-back to what is inside the build."""
    percentage: int | None = None
    """Of a roll-out; None for an update that was for everybody at once."""
    control: str | None = None
    """Id of the update that everybody else is served."""
    launches: list[Launches] = field(default_factory=list)

    @property
    def rolling_out(self) -> bool:
        """True while some are left out: nothing else can be published for this branch, runtime version and platform."""
        return self.percentage is not None and self.percentage < 100


@dataclass(kw_only=True)
class Account:
    """Everything of one account. `tokens`: robot tokens, "valid" or "expired"."""

    root: Path
    name: str
    clock: Callable[[], float] = time.time
    pace: Pace = field(default_factory=Pace)
    tokens: dict[str, str] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    key: UploadKey = field(default_factory=UploadKey.new)
    """What Android builds are signed with."""
    concurrency: int = 2
    """How many builds may be in the queue or at work at once."""
    position: int = 3
    """In the queue, of the next build."""
    variables: dict[str, str] = field(default_factory=dict)
    """That the app's configuration reads and that exist only at EAS."""
    stops_at_mismatch: bool = True
    """Whether a build ends where its runtime version is not that of the machine it was started from (expo/eas-build#449), or goes
    on with its own, as before and still in some set-ups (expo/eas-cli#2615)."""
    plans: list[Plan] = field(default_factory=list)
    builds: dict[str, Build] = field(default_factory=dict)
    branches: dict[str, Branch] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    updates: dict[str, Update] = field(default_factory=dict)
    """The oldest first."""
    passed: float = 0.0
    """Added to the clock."""

    def now(self) -> float:
        """The time as EAS has it."""
        return self.clock() + self.passed

    def admit(self, token: str) -> None:
        """Raises EasError for a token that is none, or no longer."""
        if self.tokens.get(token) != VALID:
            raise errors.invalid_token()

    def project(self, project: str) -> Project:
        """Raises EasError."""
        if project not in self.projects:
            raise errors.not_yours(project)
        return self.projects[project]

    def build(self, identifier: str) -> Build:
        """Raises EasError."""
        if identifier not in self.builds:
            raise errors.no_build(identifier)
        return self.builds[identifier]

    def clear(self) -> None:
        """Forget what was built and published, and what was set for what comes."""
        for held in (self.plans, self.builds, self.branches, self.channels, self.updates, self.variables):
            held.clear()
        self.concurrency, self.position, self.stops_at_mismatch, self.passed = 2, 3, True, 0.0


def new_id() -> str:
    """As all ids of EAS."""
    return str(uuid.uuid4())
