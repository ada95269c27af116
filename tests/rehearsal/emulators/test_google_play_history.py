"""Any history of edits, uploads, releases and reviews, beside an obvious reference.

The reference knows one app by what is in it: the numbers used, and of each track its completed number and its roll-out.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rehearsal.android_bundle import BundleManifest
from rehearsal.emulators.google_play import edits, reviews, tracks
from rehearsal.emulators.google_play.app import GooglePlay
from rehearsal.emulators.google_play.errors import PlayError
from rehearsal.emulators.google_play.state import App, Edit
from tests.rehearsal.emulators.play_client import PACKAGE, Clock

TRACKS = ("internal", "production")
CODES = st.integers(1, 8)
FRACTIONS = st.sampled_from([0.1, 0.5, 0.9])


@dataclass(frozen=True)
class Track:
    """What a track serves. `staged` is (number, fraction, whether it goes on)."""

    completed: int = 1
    staged: tuple[int, float, bool] | None = None


@dataclass
class Reference:
    """What is in the app, and in the one open edit."""

    used: set[int] = field(default_factory=lambda: {1})
    tracks: dict[str, Track] = field(default_factory=lambda: dict.fromkeys(TRACKS, Track()))
    uploaded: set[int] = field(default_factory=set)
    wanted: dict[str, Track] = field(default_factory=dict)
    overtaken: bool = False

    def open(self) -> None:
        self.uploaded, self.wanted, self.overtaken = set(), {}, False

    def acceptable(self, track: str) -> bool:
        """Whether the wanted state of a track can be committed."""
        before, after = self.tracks[track], self.wanted[track]
        numbers = {after.completed, *([after.staged[0]] if after.staged else [])}
        had = {before.completed, *([before.staged[0]] if before.staged else [])}
        if not numbers <= self.used | self.uploaded:
            return False
        ceiling = max(had) if track == "production" else max(*had, *self.live_production)
        if any(number < ceiling for number in numbers - had):
            return False
        if after.staged is None:
            return True
        number, fraction, goes_on = after.staged
        if number == before.completed:
            return False
        same = before.staged is not None and before.staged[0] == number
        if same and before.staged is not None and fraction < before.staged[1]:
            return False
        return goes_on or same

    live_production: set[int] = field(default_factory=lambda: {1})


class History(RuleBasedStateMachine):
    """Reviews end before anything else happens: they are looked at one by one in the tests of tracks."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = Clock()
        self.play = GooglePlay(self.folder, packages=[PACKAGE], clock=self.clock)
        self.reference = Reference()
        self.edit: Edit | None = None

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @property
    def app(self) -> App:
        return self.play.account.apps[PACKAGE]

    def found(self) -> Edit:
        assert self.edit is not None
        return edits.found(self.play.account, self.app, self.edit.id)

    @rule()
    def open(self) -> None:
        before = self.edit
        self.edit = edits.opened(self.play.account, self.app, "deployer")
        assert before is None or before.end
        self.reference.open()

    @precondition(lambda self: self.edit is not None)
    @rule(code=CODES)
    def upload(self, code: int) -> None:
        manifest = BundleManifest(package=PACKAGE, version_code=code, version_name=f"1.{code}", signer="AB")
        free = code not in self.reference.used | self.reference.uploaded
        expected = free and not self.reference.overtaken
        assert (
            self.succeeds(lambda: edits.take_bundle(self.app, self.found(), manifest, "1", f"sha {code}")) == expected
        )
        if expected:
            self.reference.uploaded.add(code)

    @precondition(lambda self: self.edit is not None)
    @rule(
        track=st.sampled_from(TRACKS), code=CODES, fraction=FRACTIONS, status=st.sampled_from(["inProgress", "halted"])
    )
    def stage(self, track: str, code: int, fraction: float, status: str) -> None:
        release = {"versionCodes": [str(code)], "status": status, "userFraction": fraction}
        if self.update(track, release):
            before = self.reference.tracks[track]
            self.reference.wanted[track] = replace(before, staged=(code, fraction, status == "inProgress"))

    @precondition(lambda self: self.edit is not None)
    @rule(track=st.sampled_from(TRACKS), code=CODES)
    def complete(self, track: str, code: int) -> None:
        if self.update(track, {"versionCodes": [str(code)], "status": "completed"}):
            staged = self.reference.tracks[track].staged
            left = (staged[0], staged[1], False) if staged is not None and staged[0] > code else None
            self.reference.wanted[track] = Track(code, left)

    @precondition(lambda self: self.edit is not None)
    @rule(track=st.sampled_from(TRACKS))
    def name_nothing(self, track: str) -> None:
        if self.update(track):
            before = self.reference.tracks[track]
            halted = None if before.staged is None else (before.staged[0], before.staged[1], False)
            self.reference.wanted[track] = replace(before, staged=halted)

    @rule(track=st.sampled_from(TRACKS), step=st.integers(1, 2), fraction=FRACTIONS)
    def deliver_staged(self, track: str, step: int, fraction: float) -> None:
        """A whole edit with a new number."""
        code = self.deliver(step)
        self.stage(track, code, fraction, "inProgress")
        self.commit()

    @rule(track=st.sampled_from(TRACKS), step=st.integers(1, 2))
    def deliver_completed(self, track: str, step: int) -> None:
        """A whole edit with a new number."""
        code = self.deliver(step)
        self.complete(track, code)
        self.commit()

    @rule(
        track=st.sampled_from(TRACKS), fraction=FRACTIONS, status=st.sampled_from(["inProgress", "halted", "completed"])
    )
    def go_on(self, track: str, fraction: float, status: str) -> None:
        """A whole edit that changes a roll-out, where there is one."""
        staged = self.reference.tracks[track].staged
        self.open()
        if staged is None:
            return
        if status == "completed":
            self.complete(track, staged[0])
        else:
            self.stage(track, staged[0], fraction, status)
        self.commit()

    @rule(track=st.sampled_from(TRACKS))
    def stop(self, track: str) -> None:
        """A whole edit that names no release."""
        self.open()
        self.name_nothing(track)
        self.commit()

    @rule(track=st.sampled_from(TRACKS), place=st.integers(0, 20))
    def promote_or_go_back(self, track: str, place: int) -> None:
        """A whole edit that completes a number that was uploaded before."""
        known = sorted(self.reference.used)
        self.open()
        self.complete(track, known[place % len(known)])
        self.commit()

    def deliver(self, step: int) -> int:
        """A new edit with a bundle of a number beyond all that were used."""
        self.open()
        code = max(self.reference.used) + step
        self.upload(code)
        return code

    def update(self, track: str, *releases: dict[str, Any]) -> bool:
        """The update of a track looks only at the form of a release, which is right here."""
        done = self.succeeds(lambda: tracks.update(self.app, self.found(), track, list(releases), self.clock()))
        assert done == (not self.reference.overtaken)
        return done

    @precondition(lambda self: self.edit is not None)
    @rule()
    def commit(self) -> None:
        reference = self.reference
        changed = [track for track, wanted in reference.wanted.items() if wanted != reference.tracks[track]]
        expected = not reference.overtaken and all(reference.acceptable(track) for track in changed)
        before = self.play.save()["apps"][PACKAGE]["tracks"]
        done = self.succeeds(
            lambda: edits.commit(self.play.account, self.app, self.found(), unsent=False, error_if_in_review=True)
        )
        assert done == expected
        if not done:
            assert self.play.save()["apps"][PACKAGE]["tracks"] == before
            return
        reference.used |= reference.uploaded
        reference.tracks.update(reference.wanted)
        self.edit = None
        if reviews.under_review(self.app):
            reviews.conclude(self.app, "approve")
        production = reference.tracks["production"]
        reference.live_production = {production.completed, *([production.staged[0]] if production.staged else [])}

    @rule()
    def change_in_the_console(self) -> None:
        self.play.console.change(PACKAGE)
        self.reference.overtaken = True

    @rule(code=CODES)
    def upload_by_hand(self, code: int) -> None:
        if code not in self.reference.used | self.reference.uploaded:
            self.play.console.use_number(PACKAGE, code)
            self.reference.used.add(code)

    @invariant()
    def tracks_are_as_the_reference_has_them(self) -> None:
        for name, track in self.reference.tracks.items():
            shown = {release.status: (release.version_codes, release.fraction) for release in self.app.tracks[name]}
            expected: dict[str, Any] = {"completed": ([track.completed], None)}
            if track.staged is not None:
                number, fraction, goes_on = track.staged
                expected["inProgress" if goes_on else "halted"] = ([number], fraction)
            assert shown == expected
            assert {code for release in self.app.live[name] for code in release.version_codes} == {
                code for codes, _ in expected.values() for code in codes
            }

    @invariant()
    def numbers_are_never_free_again(self) -> None:
        assert set(self.app.used) == self.reference.used

    def succeeds(self, act: Any) -> bool:
        try:
            act()
        except PlayError:
            return False
        return True


TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
