"""Bring a build that the team tests to more people with iPhones: to groups of other testers, or to the App Store, at once or in phases.

A version for the store is prepared, given its build and what is new, and sent to review; after that it goes on sale by itself. Apple
raises the share of a phased release each day; it can be paused, gone on with, and completed. Every step is looked for before it is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.clock import Clock
from pipelines.errors import InputError, RefusedError
from pipelines.manifest.mobile import Groups
from pipelines.mobile.promoted import Candidate, Promoted, To, percent_text
from pipelines.mobile.testflight import NOTES, TestFlight
from pipelines.providers import app_store_versions as states
from pipelines.providers.app_store_versions import DAYS, Versions

if TYPE_CHECKING:
    from pipelines.manifest.mobile import AppStore as Settings
    from pipelines.mobile.watch import Health
    from pipelines.providers.app_store import AppStore, Build
    from pipelines.providers.app_store_versions import Phased, Version

WHERE = "App Store Connect"
_WAITS = {
    "WAITING_FOR_REVIEW": "Apple's review, of a day or so; then it goes on sale by itself",
    "IN_REVIEW": "Apple's review, which has started; then it goes on sale by itself",
    "WAITING_FOR_EXPORT_COMPLIANCE": "documents on its encryption: App Store Connect → App Information → App Encryption Documentation",
    "PENDING_DEVELOPER_RELEASE": "someone to release it: App Store Connect → the version → Release This Version",
    "ACCEPTED": "Apple, which puts it on sale",
    "PENDING_APPLE_RELEASE": "Apple, which puts it on sale",
    "PROCESSING_FOR_DISTRIBUTION": "Apple, which puts it on sale",
}
"""State of a version -> what has to happen until it is on sale."""


@dataclass(kw_only=True)
class AppStorePromotion:
    """Promotions of one app. `health` tells how a build does on phones."""

    store: AppStore
    settings: Settings
    health: Callable[[Candidate], Health]

    @property
    def versions(self) -> Versions:
        return Versions(self.store)

    def find(self, version: str = "") -> Candidate:
        """The build of a version with the highest number, or that of the version that was uploaded last. Raises InputError."""
        wanted = version or self.store.newest_version()
        return Candidate(version=wanted, number=int(self._build(wanted).number))

    def promote(self, to: To, build: Candidate, *, phased: bool = False) -> Promoted:
        """Bring a build to testers outside of the team, or to the store. `phased`: to a share of people that Apple raises each day.

        Raises RefusedError, InputError, AppleRefused, CredentialsError.
        """
        if to == "production":
            return self._to_store(build, phased=phased)
        if not self.settings.groups.external:
            raise InputError(
                "no group of other testers is named",
                where="mobile/ios/groups/external",
                next_step="name those that shall have it in shipmate.yml",
            )
        groups = Groups(external=self.settings.groups.external)
        found = TestFlight(store=self.store, clock=Clock()).to_external(
            self._build(build.version, build.number), groups
        )
        result = _result(build, f"{build} is with {found.text}", 100)
        return replace(result, to="beta", changed=found.changed, waits_for=found.waits_for)

    def complete(self, build: Candidate) -> Promoted:
        """End the phases of a version that is on sale: everybody gets it. Raises RefusedError where that cannot be."""
        version, phased = self._on_sale()
        if version is None or version.version != build.version:
            raise RefusedError(f"{build.version} is not on sale", where=WHERE, next_step="see `shipmate mobile status`")
        if phased is None or phased.state == "COMPLETE":
            return _result(build, f"{build} is with everybody already", 100)
        _require_running(build, phased)
        health = self.health(build)
        if health.state == "bad":
            return self._paused(build, phased, health)
        if health.state == "unknown":
            return replace(_result(build, _share(build, phased), phased.percent), held=health.says)
        self.versions.change_phased(phased.id, "COMPLETE")
        text = f"{build} goes from {phased.percent} % to everybody: {health.says}"
        return replace(_result(build, text, 100), changed=True)

    def halt(self) -> Promoted:
        """Pause the phased release: nobody else gets it by itself. Raises RefusedError where none is under way."""
        version, phased = self._require_phased()
        build = _candidate(version)
        if phased.state == "PAUSED":
            return _result(build, f"{build} is paused at {phased.percent} % already", phased.percent)
        self.versions.change_phased(phased.id, "PAUSED")
        text = f"{build} is paused at {phased.percent} %; anybody may still install it by hand, and Apple goes on after 30 days"
        return replace(_result(build, text, phased.percent), changed=True)

    def resume(self) -> Promoted:
        """Go on with a phased release that is paused. Raises RefusedError where none is under way."""
        version, phased = self._require_phased()
        build = _candidate(version)
        if phased.state == "ACTIVE":
            return _result(build, f"{_share(build, phased)} already", phased.percent)
        health = self.health(build)
        self.versions.change_phased(phased.id, "ACTIVE")
        text = f"{build} goes on at {phased.percent} %"
        text += (
            f", although: {health.says}; the next run that watches it pauses it again" if health.state == "bad" else ""
        )
        return replace(_result(build, text, phased.percent), changed=True)

    def watch(self) -> Promoted | None:
        """Pause a phased release that does badly; None where none is under way. What cannot be determined pauses nothing."""
        version, phased = self._on_sale()
        if version is None or phased is None or phased.state != "ACTIVE":
            return None
        build = _candidate(version)
        health = self.health(build)
        if health.state == "bad":
            return self._paused(build, phased, health)
        return _result(build, f"{_share(build, phased)}: {health.says}", phased.percent)

    # the store ---------------------------------------------------------------------------------------------------------

    def _to_store(self, build: Candidate, *, phased: bool) -> Promoted:
        there = self.versions.all()
        update = any(each.over for each in there if each.version != build.version)
        if phased and not update:
            raise RefusedError(
                "a first version is not released in phases",
                where=WHERE,
                why="Apple phases updates alone: those who have the app get them by themselves",
                next_step="promote it without --phased",
            )
        ours = next((each for each in there if each.version == build.version), None)
        if ours is not None and ours.over:
            return self._sold(ours, build, phased=phased)
        if ours is None or (ours.state in states.EDITABLE and not self._stuck(ours, build)):
            return self._sent(there, ours, build, phased=phased, update=update)
        _require_this_build(ours, build)
        changed = phased and self._phase(ours)
        return replace(self._waiting(ours, build), changed=changed)

    def _sent(
        self, there: list[Version], ours: Version | None, build: Candidate, *, phased: bool, update: bool
    ) -> Promoted:
        """Prepare what is missing of the version and send it to review."""
        health = self.health(build)
        if health.state == "bad":
            held = _result(build, f"{build} is not sent to review", 0)
            return replace(held, held=f"it does badly with its testers: {health.says}")
        version = ours or self._created(there, build)
        chosen = self._build(build.version, build.number)
        if version.build != chosen.id:
            self.versions.choose(version.id, chosen.id)
        if update:
            self._say_whats_new(version, chosen)
        if phased:
            self._phase(version)
        self.versions.submit(version.id)
        sent = next(each for each in self.versions.all() if each.id == version.id)
        return replace(self._waiting(sent, build), changed=True)

    def _created(self, there: list[Version], build: Candidate) -> Version:
        busy = next((each for each in there if not each.over), None)
        if busy is not None:
            raise RefusedError(
                f"{busy.version} is on its way already ({_words(busy.state)})",
                where=WHERE,
                why="one version at a time is prepared and reviewed",
                next_step=f"wait until it is on sale, or remove it from review in App Store Connect; then promote {build.version}",
            )
        made = self.versions.create(build.version)
        return next(each for each in self.versions.all() if each.id == made)

    def _say_whats_new(self, version: Version, build: Build) -> None:
        """In each language that says nothing yet: what its testers were shown. Raises RefusedError where they were shown nothing."""
        silent = self.versions.silent(version.id)
        values = {locale: text for locale, text in self.store.what_to_test(build.id).items() if text}
        if silent and not values:
            raise RefusedError(
                "nothing says what is new",
                where=f"{WHERE}, {version.version}",
                why="its testers were shown nothing either, and Apple reviews no update without it",
                next_step=f"write it there in {', '.join(silent)}, then run this again",
            )
        for locale, texts in silent.items():
            self.versions.say_whats_new(texts, (values.get(locale) or next(iter(values.values())))[:NOTES])

    def _phase(self, version: Version) -> bool:
        """Whether it had to be asked for."""
        if self.versions.phased(version.id) is not None:
            return False
        self.versions.phase(version.id)
        return True

    def _sold(self, version: Version, build: Candidate, *, phased: bool) -> Promoted:
        if not version.on_sale:
            raise RefusedError(
                f"{version.version} was on sale ({_words(version.state)})",
                where=WHERE,
                next_step="to take something back, release it again under a higher version",
            )
        _require_this_build(version, build)
        found = self.versions.phased(version.id)
        if found is None:
            if phased:
                raise RefusedError(
                    f"{build} is on sale to everybody",
                    where=WHERE,
                    why="phases are asked for before a version is on sale",
                    next_step="nothing is left to do",
                )
            return _result(build, f"{build} is on sale", 100)
        return _result(build, _share(build, found), found.percent)

    def _waiting(self, version: Version, build: Candidate) -> Promoted:
        """Of a version that is not on sale."""
        phased = self.versions.phased(version.id) is not None
        if version.state in states.REJECTED:
            text = f"{build} was rejected ({_words(version.state)})"
            waits_for = "an answer to Apple, or another build: App Store Connect → App Review says what is wrong"
            return replace(_result(build, text, 0), waits_for=waits_for)
        text = f"{build} is {_words(version.state)}" + (
            f"; it goes on sale in phases, from {DAYS[0]} %" if phased else ""
        )
        waits_for = _WAITS.get(version.state, "")
        if version.state in states.IN_REVIEW and version.release != "AFTER_APPROVAL":
            waits_for = f"{waits_for.partition(';')[0]}; then someone releases it in App Store Connect"
        return replace(_result(build, text, DAYS[0] if phased else 100), waits_for=waits_for)

    def _stuck(self, version: Version, build: Candidate) -> bool:
        """Rejected with this very build: to send it again would say the same."""
        return version.state in states.REJECTED and version.number == str(build.number)

    def _build(self, version: str, number: int | None = None) -> Build:
        """A build that is ready. Raises InputError."""
        shown = self.store.builds(version) if version else []
        ready = [each for each in shown if each.state == "VALID" and not each.expired and each.number.isdecimal()]
        found = [each for each in ready if number is None or int(each.number) == number]
        if found:
            return max(found, key=lambda each: int(each.number))
        named = f"{version} ({number})" if number is not None else version
        raise InputError(
            f"there is no build of {named} that could be promoted"
            if named
            else "there is no build that could be promoted",
            where=WHERE,
            why=f"{len(shown)} builds of this version are shown, and all are processing, failed or expired"
            if shown and number is None
            else "a tag has not delivered it",
            next_step="see `shipmate mobile status`; release it by its tag first",
        )

    # phases ------------------------------------------------------------------------------------------------------------

    def _on_sale(self) -> tuple[Version | None, Phased | None]:
        version = next((each for each in self.versions.all() if each.on_sale), None)
        return version, self.versions.phased(version.id) if version is not None else None

    def _require_phased(self) -> tuple[Version, Phased]:
        version, phased = self._on_sale()
        if version is None or phased is None or phased.state == "COMPLETE":
            raise RefusedError(
                "no phased release is under way",
                where=WHERE,
                why=f"{version.version} is with everybody" if version is not None else "nothing is on sale",
                next_step="release a higher version; what is in review is removed from it in App Store Connect",
            )
        return version, phased

    def _paused(self, build: Candidate, phased: Phased, health: Health) -> Promoted:
        self.versions.change_phased(phased.id, "PAUSED")
        stopped = _result(build, f"{build} is paused at {phased.percent} %", phased.percent)
        return replace(stopped, changed=True, halted=health.says)


def _result(build: Candidate, text: str, percent: float) -> Promoted:
    return Promoted(platform="ios", to="production", build=build, text=text, percent=percent)


def _candidate(version: Version) -> Candidate:
    return Candidate(version=version.version, number=int(version.number) if version.number.isdecimal() else 0)


def _share(build: Candidate, phased: Phased) -> str:
    if phased.state == "COMPLETE":
        return f"{build} is with everybody"
    how = ", paused" if phased.state == "PAUSED" else ""
    return f"{build} is with {percent_text(phased.percent)}, on day {phased.day} of {len(DAYS)}{how}"


def _words(state: str) -> str:
    return state.lower().replace("_", " ")


def _require_this_build(version: Version, build: Candidate) -> None:
    if version.number and version.number != str(build.number):
        raise RefusedError(
            f"{version.version} has the build {version.number}, not {build.number} ({_words(version.state)})",
            where=WHERE,
            why="the build of a version cannot be changed any more once it is in review",
            next_step="remove it from review in App Store Connect and run this again, or release a higher version",
        )


def _require_running(build: Candidate, phased: Phased) -> None:
    if phased.state == "PAUSED":
        raise RefusedError(
            f"{build} is paused at {phased.percent} %",
            where=WHERE,
            next_step="`shipmate mobile resume` goes on with it",
        )
