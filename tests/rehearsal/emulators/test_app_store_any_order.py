"""Any order of uploads, waits, groups and reviews, beside a reference that is simple enough to be seen right.

The reference keeps, for each build, the time of its upload and of its submission, and works everything out from there.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.rehearsal.emulators.app_store_client import PACE, UNTIL_TESTING, Client, ipa

NUMBERS, VERSIONS = ("1", "2", "3"), ("1.0.1", "1.0.2")
APPEARS, PROCESSED = PACE.accept + PACE.appear, PACE.accept + PACE.appear + PACE.process
REVIEWED = PACE.beta_queue + PACE.beta_review


@dataclass
class Known:
    """What the reference knows of a build that was taken."""

    version: str
    number: str
    at: float
    compliant: bool
    in_friends: bool = False
    submitted: float | None = None
    rejected: bool = False


@dataclass
class Reference:
    """The train that is closed, and the builds; `now` counts from the beginning."""

    now: float = 0.0
    closed: bool = False
    builds: list[Known] = field(default_factory=list)
    rejects_next: bool = False

    def age(self, build: Known) -> float:
        return self.now - build.at

    def reviewing(self, build: Known) -> bool:
        return build.submitted is not None and self.now < build.submitted + REVIEWED

    def external(self, build: Known) -> str:
        if self.age(build) < PROCESSED:
            return "PROCESSING"
        if not build.compliant:
            return "MISSING_EXPORT_COMPLIANCE"
        if build.submitted is None:
            return "READY_FOR_BETA_SUBMISSION"
        waited = self.now - build.submitted
        if waited < PACE.beta_queue:
            return "WAITING_FOR_BETA_REVIEW"
        if waited < REVIEWED:
            return "IN_BETA_REVIEW"
        if build.rejected:
            return "BETA_REJECTED"
        return "IN_BETA_TESTING" if build.in_friends else "BETA_APPROVED"


class AppStoreInAnyOrder(RuleBasedStateMachine):
    """One rule for each action that people or Apple do."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = Client(Path(self.folder.name))
        self.reference = Reference()
        self.failed: list[str] = []

    def teardown(self) -> None:
        self.folder.cleanup()
        assert [violation.text for violation in self.store.violations] == []

    @initialize(waited=st.sampled_from((APPEARS, PROCESSED, UNTIL_TESTING)))
    def begin_with_builds(self, waited: float) -> None:
        """So that most steps find something to act on."""
        for version, number in ((VERSIONS[0], "1"), (VERSIONS[0], "2"), (VERSIONS[1], "1")):
            self.deliver(version, number, True)
        self.wait(waited)
        self.submit(0)

    @rule(seconds=st.sampled_from((PROCESSED, PACE.detail, UNTIL_TESTING, PACE.beta_queue, REVIEWED)))
    def wait(self, seconds: float) -> None:
        self.store.clock.forward(seconds)
        self.reference.now += seconds

    @rule(version=st.sampled_from(VERSIONS), number=st.sampled_from(NUMBERS), compliant=st.booleans())
    def deliver(self, version: str, number: str, compliant: bool) -> None:
        used = any((b.version, b.number) == (version, number) for b in self.reference.builds)
        if used:
            self.store.reserve(version, number, 409)
            return
        upload = self.store.deliver(ipa(version, number, encryption=False if compliant else None), version, number)
        if self.reference.closed and version == VERSIONS[0]:
            self.failed.append(upload)
        else:
            self.reference.builds.append(Known(version, number, self.reference.now, compliant))

    @rule(version=st.sampled_from(VERSIONS), number=st.sampled_from(NUMBERS))
    def deliver_something_broken(self, version: str, number: str) -> None:
        if not any((b.version, b.number) == (version, number) for b in self.reference.builds):
            self.failed.append(self.store.deliver(b"no archive", version, number))

    @precondition(lambda self: not self.reference.closed)
    @rule()
    def approve_the_first_version(self) -> None:
        made = self.store.account.publish(VERSIONS[0], number="900")
        # The build it brings along is not one of ours.
        del self.store.account.builds[made.build or ""]
        made.build = None
        self.reference.closed = True

    @rule(pick=st.integers(0, 8))
    def declare_compliance(self, pick: int) -> None:
        known = self._picked(pick)
        if known is None:
            return
        status = 409 if known.compliant else 200
        self.store.patch("builds", self._id(known), {"usesNonExemptEncryption": False}, status)
        known.compliant = True

    @rule(pick=st.integers(0, 8))
    def give_to_friends(self, pick: int) -> None:
        known = self._picked(pick)
        if known is None:
            return
        allowed = self.reference.age(known) >= PROCESSED and known.compliant
        path = f"/v1/betaGroups/{self.store.group('Friends')}/relationships/builds"
        refused = self.store.send("POST", path, [{"type": "builds", "id": self._id(known)}], 204 if allowed else 422)
        assert allowed or ("processing state" in refused["detail"]) == (self.reference.age(known) < PROCESSED)
        known.in_friends = known.in_friends or allowed

    @rule()
    def plan_a_rejection(self) -> None:
        if not self.reference.rejects_next:
            self.store.account.next_reviews.append("REJECTED")
            self.reference.rejects_next = True

    @rule(pick=st.integers(0, 8))
    def submit(self, pick: int) -> None:
        known = self._picked(pick)
        if known is None:
            return
        ready = self.reference.age(known) >= UNTIL_TESTING and known.compliant
        busy = any(self.reference.reviewing(b) for b in self.reference.builds if b.version == known.version)
        status = 422 if not ready else 409 if known.submitted is not None else 422 if busy else 201
        self.store.post("betaAppReviewSubmissions", None, status, build=("builds", self._id(known)))
        if status == 201:
            known.submitted, known.rejected = self.reference.now, self.reference.rejects_next
            self.reference.rejects_next = False

    @invariant()
    def it_shows_what_the_reference_says(self) -> None:
        reference, visible = self.reference, self._visible()
        shown = self.store.get("/v1/builds", include="preReleaseVersion", limit="200")
        states = {self._key(one): one["attributes"]["processingState"] for one in shown["data"]}
        assert states == {
            (b.version, b.number): "VALID" if reference.age(b) >= PROCESSED else "PROCESSING" for b in visible
        }
        for known in visible:
            if reference.age(known) >= UNTIL_TESTING:
                internal = "IN_BETA_TESTING" if known.compliant else "MISSING_EXPORT_COMPLIANCE"
                assert self.store.beta_states(self._id(known)) == (internal, reference.external(known))
        for upload in self.failed:
            assert self.store.upload_state(upload)["state"] in ("PROCESSING", "FAILED")

    @staticmethod
    def _key(shown: dict[str, object]) -> tuple[str, str]:
        attributes, relationships = shown["attributes"], shown["relationships"]
        assert isinstance(attributes, dict)
        assert isinstance(relationships, dict)
        return relationships["preReleaseVersion"]["data"]["id"].rpartition("-")[2], attributes["version"]

    def _visible(self) -> list[Known]:
        return [build for build in self.reference.builds if self.reference.age(build) >= APPEARS]

    def _picked(self, pick: int) -> Known | None:
        visible = self._visible()
        return visible[pick % len(visible)] if visible else None

    def _id(self, known: Known) -> str:
        [found] = [
            build.id
            for build in self.store.account.builds.values()
            if (build.version, build.number) == (known.version, known.number)
        ]
        return found


TestAppStoreInAnyOrder = AppStoreInAnyOrder.TestCase
TestAppStoreInAnyOrder.settings = settings(
    max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
