"""An account at App Store Connect, and what a world can make happen in it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from rehearsal.emulators.app_store.errors import not_found
from rehearsal.emulators.app_store.ipa import order
from rehearsal.emulators.app_store.model import (
    App,
    BetaSubmission,
    Build,
    Certificate,
    Group,
    Notes,
    Pace,
    Phased,
    Plan,
    Profile,
    Review,
    StoreVersion,
    Submission,
    Upload,
    UploadFile,
)

T = TypeVar("T")

STORED = {
    "apps": App,
    "uploads": Upload,
    "files": UploadFile,
    "builds": Build,
    "groups": Group,
    "build_notes": Notes,
    "beta_submissions": BetaSubmission,
    "versions": StoreVersion,
    "version_notes": Notes,
    "submissions": Submission,
    "phased": Phased,
    "certificates": Certificate,
    "profiles": Profile,
}
"""The collections of an account, each by id."""


@dataclass(kw_only=True)
class Account:
    """Everything of one team. Nothing in it moves: what it is at a time follows from the times it holds."""

    root: Path
    """Of the files under upload."""
    pace: Pace = field(default_factory=Pace)
    clock: Callable[[], float] = time.time
    part_size: int = 8 << 20
    """Bytes of an upload operation. General: Apple's choice, by the size of the file."""
    closed_train_at_once: bool = False
    """A closed train is reported when an upload is created. Apple was seen to report it there (openfoodfacts/smooth-app#3608) and
    after the delivery (coliff/web-dev-pro#88)."""
    passed: float = 0.0
    """Seconds that a world let pass, for reviews of days."""
    agreements_missing: bool = False
    next_uploads: list[Plan] = field(default_factory=list)
    next_reviews: list[str] = field(default_factory=list)
    """Outcomes of the reviews that are submitted next, of TestFlight or the App Store; then APPROVED."""
    apps: dict[str, App] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    files: dict[str, UploadFile] = field(default_factory=dict)
    builds: dict[str, Build] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    build_notes: dict[str, Notes] = field(default_factory=dict)
    beta_submissions: dict[str, BetaSubmission] = field(default_factory=dict)
    versions: dict[str, StoreVersion] = field(default_factory=dict)
    version_notes: dict[str, Notes] = field(default_factory=dict)
    submissions: dict[str, Submission] = field(default_factory=dict)
    phased: dict[str, Phased] = field(default_factory=dict)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)

    def now(self) -> float:
        """The account's time."""
        return self.clock() + self.passed

    def collection(self, name: str) -> dict[str, Any]:
        """One of STORED."""
        held: dict[str, Any] = getattr(self, name)
        return held

    def clear(self) -> None:
        """Forget everything, files too."""
        for name in STORED:
            self.collection(name).clear()
        self.passed, self.agreements_missing = 0.0, False
        self.next_uploads, self.next_reviews = [], []
        for file in self.root.glob("*"):
            file.unlink()

    # what a world can make happen -------------------------------------------------------------------------------------

    def skip(self, seconds: float) -> None:
        """Let time pass: reviews, days of a phased release. Tokens keep the real time."""
        self.passed += seconds

    def show_build(self, build: Build) -> None:
        """Let a build appear now that was held back (Mentra-Community/MentraOS#3856)."""
        build.appears = self.now()
        build.processed = build.appears + self.pace.process
        build.detailed = build.processed + self.pace.detail

    def decide(self, review: Review, outcome: str) -> None:
        """End a review now: APPROVED or REJECTED."""
        review.begins, review.ends, review.outcome = min(review.begins, self.now()), self.now(), outcome

    def publish(self, version: str, app: str = "", number: str = "1") -> StoreVersion:
        """Have a version with a build on sale since now, as if it went through review before this world."""
        identifier, now = app or next(iter(self.apps)), self.now()
        build = Build(
            id=new_id(), app=identifier, version=version, number=number, platform="IOS", upload="", uploaded=now,
            appears=now, processed=now, detailed=now, state="VALID", encryption=False,
        )  # fmt: skip
        self.builds[build.id] = build
        review = Review(submitted=now, begins=now, ends=now)
        made = StoreVersion(
            id=new_id(), app=identifier, platform="IOS", version=version, created=now, build=build.id, review=review
        )
        self.versions[made.id] = made
        return made

    # what several rules ask -------------------------------------------------------------------------------------------

    def review(self, queue: float, takes: float) -> Review:
        """A review that is submitted now, with the outcome that is planned next."""
        outcome = self.next_reviews.pop(0) if self.next_reviews else "APPROVED"
        now = self.now()
        return Review(submitted=now, begins=now + queue, ends=now + queue + takes, outcome=outcome)

    def approved(self, app: str, platform: str) -> list[StoreVersion]:
        """Versions that review has let through, on sale or not."""
        return [v for v in self.versions.values() if (v.app, v.platform) == (app, platform) and self._passed(v.review)]

    def highest_approved(self, app: str, platform: str) -> str | None:
        """By Apple's order of versions."""
        return max((v.version for v in self.approved(app, platform)), key=order, default=None)

    def _passed(self, review: Review | None) -> bool:
        return review is not None and review.outcome == "APPROVED" and review.ends <= self.now()

    def visible_builds(self) -> list[Build]:
        """Those that have appeared, the newest first."""
        shown = [b for b in self.builds.values() if b.appears is not None and b.appears <= self.now()]
        return sorted(shown, key=lambda build: build.uploaded, reverse=True)

    def build(self, identifier: str) -> Build:
        """A build that has appeared. Raises Refused 404."""
        return found("builds", identifier, self.visible_builds())


def new_id() -> str:
    """As Apple's resources have it."""
    return str(uuid.uuid4())


def found(kind: str, identifier: str, among: Iterable[T]) -> T:
    """The one of this id. Raises Refused 404, in which `kind` is Apple's name of the type."""
    for one in among:
        if getattr(one, "id", None) == identifier:
            return one
    raise not_found(kind, identifier)
