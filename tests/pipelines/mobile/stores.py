"""Emulated stores with builds that a tag has delivered, for promotions; how they do on phones is set by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.manifest.mobile import AppStore as AppStoreSettings
from pipelines.manifest.mobile import Groups, PlayStore
from pipelines.mobile.promoted import Candidate
from pipelines.mobile.promotion_app_store import AppStorePromotion
from pipelines.mobile.promotion_play import PlayPromotion
from pipelines.mobile.watch import Health
from pipelines.overlay import Overlay
from pipelines.providers.app_store import AppStore
from pipelines.providers.google_play import Play
from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.app_store.model import Build, Notes
from rehearsal.emulators.google_play.app import GooglePlay
from rehearsal.emulators.google_play.state import COMPLETED, Bundle, Release
from rehearsal.faults import Faults, Faulty
from rehearsal.serving import running
from tests.rehearsal.emulators.app_store_client import APP, BUNDLE, ISSUER, KEY, PACE, PEM, Client

PACKAGE = "test.acme.shop"
GOOD = Health(state="good", says="99.90 % of 2,000 sessions without a crash", crash_free_percent=99.9)
BAD = Health(state="bad", says="91.00 % of 2,000 sessions without a crash, 99.5 % are needed", crash_free_percent=91.0)
UNKNOWN = Health(state="unknown", says="12 of the 500 sessions that tell anything, in 7 days")


@dataclass
class PlayWorld:
    """Google Play, reached by its public name."""

    play: GooglePlay
    http: Http
    faults: Faults
    settings: PlayStore
    health: Health = GOOD
    asked: list[Candidate] = field(default_factory=list)
    """Builds whose health was asked for."""

    def client(self, *, tries: int = 3) -> Play:
        return Play(Http(overlay=self.http.overlay, policy=Policy(tries=tries, scale=0.0)), lambda: "token", PACKAGE)

    def promotion(self, *, tries: int = 3) -> PlayPromotion:
        def health(build: Candidate) -> Health:
            self.asked.append(build)
            return self.health

        return PlayPromotion(play=self.client(tries=tries), settings=self.settings, health=health)

    def deliver(self, version: str, number: int) -> Candidate:
        """As a tag does: to the internal track."""
        app = self.play.account.apps[PACKAGE]
        app.used[number] = Bundle(version_code=number, version_name=version, sha1="0" * 40, sha256=f"{number:064x}")
        notes = {"en-US": f"- New in {version}"}
        app.tracks["internal"] = [Release(version_codes=[number], status=COMPLETED, name=version, notes=notes)]
        app.live["internal"] = list(app.tracks["internal"])
        app.revision += 1
        return Candidate(version=version, number=number)

    def review(self, verdict: str = "approve") -> None:
        self.play.console.conclude_review(PACKAGE, verdict)

    def on(self, track: str = "production") -> list[tuple[int, str, float | None]]:
        """(number, status, fraction) of what was committed."""
        releases = self.play.account.apps[PACKAGE].tracks[track]
        return [(each.version_codes[0], each.status, each.fraction) for each in releases]


@contextmanager
def play_world(folder: Path) -> Iterator[PlayWorld]:
    """Production has 0.9.0 (1)."""
    play, faults, violations = GooglePlay(folder / "play", packages=[PACKAGE]), Faults(), list[Violation]()
    app = play.app
    for name in play.contract:
        app = Checked(app, load(name), violations)
    settings = PlayStore(package=PACKAGE, workload_identity="//iam/x", service_account="play@acme")
    with running(Faulty(app, play.name, faults), play.name) as server:
        http = Http(overlay=Overlay(hosts=dict.fromkeys(play.hosts, server.url)), policy=Policy(scale=0.0))
        yield PlayWorld(play=play, http=http, faults=faults, settings=settings)
    assert [violation.text for violation in violations] == []


@dataclass
class AppleWorld:
    """App Store Connect, reached by its public name; its time stands still until a test moves it."""

    apple: Client
    http: Http
    faults: Faults
    settings: AppStoreSettings
    health: Health = GOOD
    asked: list[Candidate] = field(default_factory=list)

    def promotion(self, *, tries: int = 3) -> AppStorePromotion:
        def health(build: Candidate) -> Health:
            self.asked.append(build)
            return self.health

        http = Http(overlay=self.http.overlay, policy=Policy(tries=tries, scale=0.0))
        store = AppStore(http, app=APP, issuer=ISSUER, key=KEY, secret=PEM, now=self.apple.clock)
        return AppStorePromotion(store=store, settings=self.settings, health=health)

    def deliver(self, version: str, number: int, *, notes: str = "- Finds notes") -> Candidate:
        """As a tag does: with the team, which is shown what to test."""
        account, now = self.apple.account, self.apple.account.now()
        build = Build(
            id=f"build-{version}-{number}", app=APP, version=version, number=str(number), platform="IOS", upload="",
            uploaded=now + number, appears=now, processed=now, detailed=now, state="VALID", encryption=False,
        )  # fmt: skip
        account.builds[build.id] = build
        if notes:
            account.build_notes[f"notes-{build.id}"] = Notes(
                id=f"notes-{build.id}", of=build.id, locale="en-US", texts={"whatsNew": notes}
            )
        return Candidate(version=version, number=number)

    def publish(self, version: str) -> None:
        """A version that is on sale since long ago."""
        made = self.apple.account.publish(version)
        self.apple.account.version_notes[f"notes-{made.id}"] = Notes(
            id=f"notes-{made.id}", of=made.id, locale="en-US", texts={"whatsNew": "First"}
        )

    def review(self, outcome: str = "APPROVED") -> None:
        for submission in self.apple.account.submissions.values():
            if submission.review is not None and submission.review.ends > self.apple.account.now():
                self.apple.account.decide(submission.review, outcome)

    def days(self, number: float) -> None:
        """Let days of a phased release pass."""
        self.apple.clock.forward(number * PACE.day)


@contextmanager
def apple_world(folder: Path) -> Iterator[AppleWorld]:
    """Nothing was ever on sale."""
    apple, faults = Client(folder / "apple"), Faults()
    app = Checked(apple.app_store.app, load("app-store"), apple.violations)
    settings = AppStoreSettings(
        bundle=BUNDLE, app=APP, issuer=ISSUER, key=KEY, groups=Groups(internal=("Team",), external=("Friends",))
    )
    with running(Faulty(app, "app-store", faults), "app-store") as server:
        http = Http(overlay=Overlay(hosts=dict.fromkeys(apple.app_store.hosts, server.url)), policy=Policy(scale=0.0))
        yield AppleWorld(apple=apple, http=http, faults=faults, settings=settings)
    assert [violation.text for violation in apple.violations] == []
