"""Deliver an IPA to TestFlight, once: every wait and every answer is read back from Apple, so a run that ended is gone on with.

After the upload there are three waits: until Apple has looked into it, until the build appears, until it is processed; and for a while
after that nothing is known of it for testers. One that takes too long is no failure of the delivery: running it again goes on waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pipelines.errors import InputError, ProviderUnavailable, RefusedError
from pipelines.mobile.delivered import Delivered, NumberUsed
from pipelines.polling import Polling
from pipelines.providers.app_store import AppleRefused, checksum

if TYPE_CHECKING:
    from pipelines.clock import Clock
    from pipelines.manifest.mobile import Groups
    from pipelines.providers.app_store import AppStore, Build, Upload

T = TypeVar("T")

PATIENCE = 45 * 60.0
"""Seconds that a run waits for Apple, in all."""
EVERY = 15.0
"""Seconds between two looks."""
NOTES = 4000
"""Characters of "what to test" in one language."""
_CLOSED = ("90062", "90186")
"""ITMS codes of a version that is not above the last approved one."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """An IPA, and who shall test it."""

    file: Path
    number: int
    version: str
    groups: Groups
    notes: Mapping[str, str]
    """Locale -> what to test."""
    encryption: bool = False
    """Whether the app uses encryption that is not exempt, where the IPA does not say."""


@dataclass(kw_only=True)
class TestFlight:
    """One delivery to one app. `clock` waits; `say` is called with what is waited for."""

    __test__ = False  # it is no test, whatever pytest thinks of the name

    store: AppStore
    clock: Clock
    say: Callable[[str], None] = lambda text: None
    progress: Callable[[int, int], None] = lambda sent, size: None
    _deadline: float = field(default=0.0)

    def deliver(self, delivery: Delivery) -> Delivered:
        """Bring it to its testers; what is done already is left alone.

        Raises NumberUsed, RefusedError for what Apple says is wrong with the IPA, InputError for a group that is not there,
        ProviderUnavailable when Apple takes too long, AppleRefused, CredentialsError.
        """
        self._deadline = self.clock.deadline(PATIENCE)
        build, sent = self._there(delivery)
        self._compliance(build, delivery)
        self.store.say_what_to_test(build.id, {locale: text[:NOTES] for locale, text in delivery.notes.items()})
        changed = self._to_groups(build, delivery.groups) or sent
        waits_for = self._to_review(build) if delivery.groups.external else ""
        where = ", ".join((*delivery.groups.internal, *delivery.groups.external)) or "nobody: no group is named"
        return Delivered(
            text=f"{delivery.version} ({delivery.number}) is with {where}", changed=changed, waits_for=waits_for
        )

    def to_external(self, build: Build, groups: Groups) -> Delivered:
        """Bring a build that is with the team to the groups of others, which a beta review precedes. Waits for nothing.

        Raises InputError for a group that is not there, AppleRefused, CredentialsError.
        """
        changed = self._to_groups(build, groups)
        before = self.store.beta_state(build.id)
        waits_for = self._to_review(build)
        submitted = (
            before is not None
            and before[1] == "READY_FOR_BETA_SUBMISSION"
            and self.store.beta_state(build.id) != before
        )
        text = f"{', '.join(groups.external)} of TestFlight"
        return Delivered(text=text, changed=changed or submitted, waits_for=waits_for)

    # the build ---------------------------------------------------------------------------------------------------------

    def _there(self, delivery: Delivery) -> tuple[Build, bool]:
        """The processed build, and whether this run sent it."""
        sent = self._sent(delivery)

        def processed() -> Build | None:
            build = self.store.build(delivery.version, delivery.number)
            if build is None:
                self._require_accepted(delivery)
            return build if build is not None and build.state != "PROCESSING" else None

        build = self._until(processed, f"Apple to process {delivery.version} ({delivery.number})")
        if build.state != "VALID":
            raise NumberUsed(
                delivery.number, "App Store Connect", f"Apple's processing of the build ended as {build.state.lower()}"
            )
        if build.expired:
            raise NumberUsed(delivery.number, "App Store Connect", "the build has expired")
        self._until(lambda: self.store.beta_state(build.id), "TestFlight to know the build")
        return build, sent

    def _sent(self, delivery: Delivery) -> bool:
        """Whether this had to send it. A build or an upload of this number must be this very file."""
        ours = checksum(delivery.file)
        uploads = self.store.uploads(delivery.version, delivery.number)
        taken = [each for each in uploads if each.state in ("PROCESSING", "COMPLETE")]
        if any(each.checksum == ours for each in taken):
            return False
        if taken or self.store.build(delivery.version, delivery.number) is not None:
            raise NumberUsed(delivery.number, "App Store Connect", "it came from another upload")
        self._require_not_refused(uploads, ours)
        for each in uploads:
            if each.state == "AWAITING_UPLOAD":
                self.store.forget(each.id)
        try:
            upload = self.store.reserve(delivery.version, delivery.number)
        except AppleRefused as error:
            if error.duplicate:
                raise NumberUsed(delivery.number, "App Store Connect", "a build that is not shown has it") from error
            raise
        self.store.send(upload, delivery.file, self.progress)
        return True

    def _require_accepted(self, delivery: Delivery) -> None:
        """While no build is shown: what became of the upload. Raises RefusedError."""
        self._require_not_refused(self.store.uploads(delivery.version, delivery.number)[:1], checksum(delivery.file))

    def _require_not_refused(self, uploads: list[Upload], ours: str) -> None:
        for each in uploads:
            if each.state != "FAILED" or each.checksum != ours:
                continue
            closed = any(code in _CLOSED for code in each.codes)
            raise RefusedError(
                f"Apple refuses the build: {'; '.join(each.problems) or 'it does not say why'}",
                where="App Store Connect",
                why="the version is not above the last one that was approved: its train is closed" if closed else "",
                next_step="release a higher version" if closed else "fix what Apple names and release the next version",
            )

    def _until(self, look: Callable[[], T | None], what: str) -> T:
        """What `look` finds, looking again until the patience of this delivery is at its end. Raises ProviderUnavailable."""
        polling = Polling(interval=EVERY, growth=1.2, longest=4 * EVERY)
        for _ in polling.looks(self.clock, self._deadline, what=what, say=self.say):
            if (found := look()) is not None:
                return found
        raise ProviderUnavailable(
            f"waited {PATIENCE / 60:.0f} minutes for {what}",
            where="App Store Connect",
            why="it sometimes takes hours, and says nothing of it",
            next_step="run this again later: nothing is sent twice",
        )

    # its testers -------------------------------------------------------------------------------------------------------

    def _compliance(self, build: Build, delivery: Delivery) -> None:
        if build.encryption is None:
            self.store.declare_encryption(build.id, delivery.encryption)

    def _to_groups(self, build: Build, groups: Groups) -> bool:
        """Whether anything changed. Groups that have all builds have this one."""
        there, changed = self.store.groups(), False
        for name, internal in _named(groups):
            group = there.get(name)
            if group is None or bool(group.get("isInternalGroup")) != internal:
                kind = "internal" if internal else "external"
                raise InputError(
                    f"there is no {kind} group {name!r}",
                    where="mobile/ios/groups",
                    next_step=f"one of: {', '.join(there) or 'none'}; App Store Connect → TestFlight makes groups",
                )
            if not group.get("hasAccessToAllBuilds") and build.id not in self.store.builds_of(str(group["id"])):
                self.store.give(build.id, str(group["id"]))
                changed = True
        return changed

    def _to_review(self, build: Build) -> str:
        """What external testers wait for; empty when they have it."""
        state = self.store.beta_state(build.id)
        external = state[1] if state else ""
        if external == "READY_FOR_BETA_SUBMISSION":
            try:
                self.store.submit_for_beta_review(build.id)
            except AppleRefused as error:
                if error.is_("ENTITY_UNPROCESSABLE.ANOTHER_BUILD_IN_REVIEW"):
                    return "another build of this version is in beta review; run this again when that has ended"
                raise
            external = "WAITING_FOR_BETA_REVIEW"
        return {
            "WAITING_FOR_BETA_REVIEW": "Apple's beta review: external testers get the build after it, in a day or so",
            "IN_BETA_REVIEW": "Apple's beta review, which has started",
            "BETA_REJECTED": "an answer to Apple, which rejected the build in beta review: App Store Connect → TestFlight says why",
        }.get(external, "")


def _named(groups: Groups) -> list[tuple[str, bool]]:
    return [*((name, True) for name in groups.internal), *((name, False) for name in groups.external)]
