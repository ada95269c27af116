"""Bring a build that testers have to more people on Google Play: to the track beta, or to a share of production that only rises.

What Play says is read before and after each change, so that a run that was killed is gone on with, and nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipelines.errors import ConflictError, InputError, RefusedError, ShipmateError
from pipelines.mobile.play import DRAFT_APP, EDITS, NOT_SENT, STILL_WAITS
from pipelines.mobile.promoted import Candidate, Promoted, To, percent_text
from pipelines.providers.google_play import PlayRefused

if TYPE_CHECKING:
    from pipelines.manifest.mobile import PlayStore
    from pipelines.mobile.watch import Health
    from pipelines.providers.google_play import Committed, Play

WHERE = "Google Play"
_STAGED = ("inProgress", "halted")


@dataclass(frozen=True, kw_only=True)
class Step:
    """What becomes of a release: what Play is to be sent (nothing where it is None), and where that leaves it."""

    release: Mapping[str, Any] | None
    result: Promoted
    had: float = 0.0
    """Per cent of users who got it before."""


@dataclass(kw_only=True)
class PlayPromotion:
    """Promotions of one app. `health` tells how a build does on phones; it is asked only where more people would get it."""

    play: Play
    settings: PlayStore
    health: Callable[[Candidate], Health]

    def find(self, version: str = "") -> Candidate:
        """The build of a version, or the newest on the track that tags deliver to. Opens no edit. Raises InputError."""
        tracks = dict.fromkeys((self.settings.track, "beta", "production") if version else (self.settings.track,))
        shown = [each for track in tracks for each in self.play.released(track) if each.numbers]
        found = [each for each in shown if each.name == version] if version else shown
        if not found:
            known = ", ".join(dict.fromkeys(each.name for each in shown)) or "nothing"
            raise InputError(
                f"{version} is on no track of Google Play"
                if version
                else f"nothing is on the track {self.settings.track}",
                where=f"{WHERE}, {self.play.package}",
                why="a tag has not delivered it, it is a draft, or a newer one took its place",
                next_step=f"promote what testers have: {known}",
            )
        newest = max(found, key=lambda each: max(each.numbers))
        return Candidate(version=newest.name, number=max(newest.numbers))

    def next_step(self) -> tuple[Candidate, int] | None:
        """What is rolled out, and the manifest's step above its share; None where nothing is, or no step is left."""
        staged = _staged(self._committed("production"), "inProgress")
        if staged is None:
            return None
        step = next((step for step in self.settings.rollout if step > staged.percent), None)
        return None if step is None else (_build(staged), step)

    def promote(self, to: To, build: Candidate, percent: int | None = None) -> Promoted:
        """Let `percent` of the track's users have a build; none given: keep the share it has, or begin as the manifest says.

        Raises RefusedError for a share below the one that it has, for a halted one and for an older build; ConflictError, PlayRefused.
        """
        return self._edited(to, lambda edit: self._promoted(edit, to, build, percent), may_wait=True)

    def halt(self) -> Promoted:
        """Let nobody else get what is rolled out. Raises RefusedError where that is nothing."""
        return self._edited("production", lambda edit: self._halted(self.play.releases(edit, "production")))

    def resume(self) -> Promoted:
        """Go on with what was halted, at its share. Raises RefusedError where that is nothing."""
        return self._edited("production", lambda edit: self._resumed(self.play.releases(edit, "production")))

    def watch(self) -> Promoted | None:
        """Halt what is rolled out if it does badly; None where nothing is."""
        staged = _staged(self._committed("production"), "inProgress")
        if staged is None:
            return None
        build, percent = _build(staged), staged.percent
        health = self.health(build)
        if health.state == "bad":
            return replace(self.halt(), halted=health.says)
        text = f"{build} is with {percent_text(percent)} of production"
        held = "" if health.state == "good" else health.says
        return Promoted(
            platform="android", to="production", build=build, text=f"{text}: {health.says}", percent=percent, held=held
        )

    # what is to be done ------------------------------------------------------------------------------------------------

    def _promoted(self, edit: str, to: To, build: Candidate, percent: int | None) -> Step:
        releases = self.play.releases(edit, to)
        _require_not_older(releases, to, build)
        ours = next((each for each in releases if build.number in each.numbers and each.status != "draft"), None)
        if ours is None:
            return self._begun(edit, releases, to, build, percent)
        has = percent_text(ours.percent)
        done = _result(to, build, f"{build} is with {has} of {to} already", ours.percent)
        if ours.status == "completed":
            return Step(release=None, result=done)
        if ours.status == "halted":
            raise RefusedError(
                f"{build} was halted at {has}",
                where=f"{WHERE}, {to}",
                next_step="`shipmate mobile resume` goes on with it; what is wrong with it is fixed by a higher version",
            )
        if percent is not None and percent < ours.percent:
            raise RefusedError(
                f"{build} is with {has} of {to}, and cannot be with {percent_text(percent)}",
                where=WHERE,
                why="nothing takes it from people who have it",
                next_step="`shipmate mobile halt` keeps everybody else from it",
            )
        if percent is None or percent == ours.percent:
            return Step(release=None, result=done)
        return self._raised(ours, to, build, percent)

    def _begun(self, edit: str, releases: list[Committed], to: To, build: Candidate, percent: int | None) -> Step:
        updates = any(each.status == "completed" for each in releases)
        share = percent or (
            self.settings.rollout[0] if to == "production" and updates and self.settings.rollout else 100
        )
        if share < 100 and not updates:
            raise RefusedError(
                f"the first release on {to} goes to everybody",
                where=WHERE,
                why="Play rolls out updates in steps, and there is nothing yet that this would update",
                next_step="promote it with --percent 100",
            )
        health = self.health(build)
        if health.state == "bad":
            held = _result(to, build, f"{build} is not on {to}", 0.0)
            return Step(release=None, result=replace(held, held=f"it does badly with its testers: {health.says}"))
        source = self._source(edit, build)
        name = {"name": build.version, "versionCodes": [str(build.number)]}
        release = replace(source, raw={**source.raw, **name}).rolled_out("inProgress", share)
        text = f"{build} goes to {percent_text(share)} of {to}"
        before = _staged(releases, *_STAGED)
        text += f", instead of {_build(before)}" if before else ""
        return Step(release=release, result=replace(_result(to, build, text, share), changed=True))

    def _raised(self, ours: Committed, to: To, build: Candidate, percent: int) -> Step:
        health = self.health(build)
        has = percent_text(ours.percent)
        if health.state == "bad":
            stopped = replace(
                _result(to, build, f"{build} is halted at {has} of {to}", ours.percent), halted=health.says
            )
            return Step(release=ours.rolled_out("halted", ours.percent), result=replace(stopped, changed=True))
        if health.state == "unknown":
            held = _result(to, build, f"{build} stays with {has} of {to}", ours.percent)
            return Step(release=None, result=replace(held, held=health.says))
        text = f"{build} goes from {has} to {percent_text(percent)} of {to}: {health.says}"
        raised = replace(_result(to, build, text, percent), changed=True)
        return Step(release=ours.rolled_out("inProgress", percent), result=raised, had=ours.percent)

    def _halted(self, releases: list[Committed]) -> Step:
        staged = _staged(releases, *_STAGED)
        if staged is None:
            raise RefusedError(
                "nothing is being rolled out",
                where=f"{WHERE}, production",
                why="what everybody has cannot be halted",
                next_step="release a higher version; `shipmate mobile status` shows what people have",
            )
        build, has = _build(staged), percent_text(staged.percent)
        result = _result("production", build, f"{build} is halted at {has} of production", staged.percent)
        if staged.status == "halted":
            return Step(release=None, result=replace(result, text=f"{build} is halted at {has} already"))
        return Step(release=staged.rolled_out("halted", staged.percent), result=replace(result, changed=True))

    def _resumed(self, releases: list[Committed]) -> Step:
        staged = _staged(releases, *_STAGED)
        if staged is None:
            raise RefusedError(
                "nothing is halted", where=f"{WHERE}, production", next_step="see `shipmate mobile status`"
            )
        build, has = _build(staged), percent_text(staged.percent)
        result = _result("production", build, f"{build} is with {has} of production already", staged.percent)
        if staged.status == "inProgress":
            return Step(release=None, result=result)
        health = self.health(build)
        text = f"{build} goes on with {has} of production"
        text += (
            f", although: {health.says}; the next run that watches it halts it again" if health.state == "bad" else ""
        )
        release = staged.rolled_out("inProgress", staged.percent)
        return Step(release=release, result=replace(result, text=text, changed=True))

    def _source(self, edit: str, build: Candidate) -> Committed:
        """The release with its notes, as testers have it."""
        for track in dict.fromkeys((self.settings.track, "beta", "production")):
            for each in self.play.releases(edit, track):
                if build.number in each.numbers:
                    return each
        raise InputError(f"{build} is on no track any more", where=WHERE, next_step="promote what testers have")

    # edits -------------------------------------------------------------------------------------------------------------

    def _committed(self, track: To) -> list[Committed]:
        """What a track has, read in an edit that is dropped."""
        edit = self.play.open()
        found = self.play.releases(edit, track)
        self.play.drop(edit)
        return found

    def _edited(self, track: To, decide: Callable[[str], Step], *, may_wait: bool = False) -> Promoted:
        """Decide and do it within one edit, which is started again whenever someone else was faster.

        `may_wait`: earlier changes that are in review are no error, but what it waits for.
        """
        for _ in range(EDITS):
            edit, step = self.play.open(), None
            try:
                step = decide(edit)
                if step.release is None:
                    self.play.drop(edit)
                    return self._waiting(step.result)
                self.play.put(edit, track, step.release)
                return self._committed_as(edit, step.result)
            except PlayRefused as error:
                if error.overtaken:
                    continue
                self.play.drop(edit)
                if error.in_review and may_wait and step is not None and not step.result.halted:
                    return _later(step)
                raise _explained(error) from error
            except (RefusedError, InputError):
                self.play.drop(edit)
                raise
        raise ConflictError(
            f"someone else changed the app {EDITS} times while this was going on",
            where=f"{WHERE}, {self.play.package}",
            next_step="let other releases and people in the console finish, then run this again",
        )

    def _committed_as(self, edit: str, result: Promoted) -> Promoted:
        try:
            self.play.commit(edit)
        except PlayRefused as error:
            if not error.needs_a_person:
                raise
            self.play.commit(edit, sent_by_a_person=True)
            return replace(result, waits_for=NOT_SENT)
        return self._waiting(result)

    def _waiting(self, result: Promoted) -> Promoted:
        """With what its users still wait for."""
        released = self.play.released(result.to)
        state = next((each.state for each in released if result.build.number in each.numbers), "")
        return replace(result, waits_for=STILL_WAITS.get(state, ""))


def _result(to: To, build: Candidate, text: str, percent: float) -> Promoted:
    return Promoted(platform="android", to=to, build=build, text=text, percent=percent)


def _staged(releases: list[Committed], *statuses: str) -> Committed | None:
    """The one that is rolled out in steps: a track has one at the most."""
    return next((each for each in releases if each.status in statuses), None)


def _build(release: Committed) -> Candidate:
    return Candidate(version=release.name, number=max(release.numbers))


def _require_not_older(releases: list[Committed], to: To, build: Candidate) -> None:
    served = [each for each in releases if each.status != "draft" and each.numbers]
    newer = max(served, key=lambda each: max(each.numbers), default=None)
    if newer is not None and max(newer.numbers) > build.number:
        raise RefusedError(
            f"{to} has {_build(newer)}, which is newer than {build}",
            where=WHERE,
            why="nobody who has a newer build can get an older one",
            next_step="to take something back, release it again under a higher version",
        )


def _later(step: Step) -> Promoted:
    message = f"{step.result.build} is left with {percent_text(step.had)} of {step.result.to}"
    waits_for = f"{STILL_WAITS['IN_REVIEW']}, of earlier changes: run this again when it has ended"
    return replace(step.result, text=message, percent=step.had, changed=False, waits_for=waits_for)


def _explained(error: PlayRefused) -> ShipmateError:
    if error.draft_app:
        return RefusedError("the app was never released", where=WHERE, next_step=DRAFT_APP)
    if error.in_review:
        return RefusedError(
            "earlier changes of the app are in review",
            where=WHERE,
            why="to send more now would cancel that review and begin another",
            next_step="run this again when it has ended; a roll-out that cannot wait for that is halted by hand: "
            "Play Console → Production → Releases → Halt rollout",
        )
    return error
