"""Promotions on every platform that the apps are on: what is wanted becomes a plan, and the plan is carried out in each store.

A plan names builds, not versions alone, so that what was approved is what goes out. One store that refuses hides nothing of the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pipelines.errors import InputError, RefusedError, ShipmateError
from pipelines.manifest.mobile import Platform
from pipelines.mobile.promoted import Candidate, Outcome, Promoted
from pipelines.mobile.promotion_plan import Plan, Request, Wanted, require_sense, version_of

if TYPE_CHECKING:
    from pipelines.mobile.promotion_app_store import AppStorePromotion
    from pipelines.mobile.promotion_play import PlayPromotion


@dataclass(kw_only=True)
class Promotions:
    """Of an app; None for a platform that it is not on."""

    android: PlayPromotion | None = None
    ios: AppStorePromotion | None = None

    def platforms(self, only: Platform | None = None) -> tuple[Platform, ...]:
        """Those that the app is on, or the one that is named. Raises InputError for one that it is not on."""
        found: list[Platform] = ["android"] if self.android is not None else []
        found += ["ios"] if self.ios is not None else []
        if only is not None and only not in found:
            raise InputError(
                f"the app is not on {only}", where="mobile in shipmate.yml", next_step=f"one of: {', '.join(found)}"
            )
        return (only,) if only is not None else tuple(found)

    def plan(self, request: Request) -> Plan:
        """Find the builds of what is asked for. Raises InputError, and what the stores refuse."""
        platforms = self.platforms(request.platform)
        require_sense(request, platforms)
        version = version_of(request.version)
        found: dict[Platform, Candidate] = {}
        missing: dict[Platform, InputError] = {}
        for platform in platforms:
            try:
                found[platform] = self._of(platform).find(version)
            except InputError as error:
                missing[platform] = error
        if missing:
            raise _not_found(missing, found)
        if len({each.version for each in found.values()}) > 1:
            shown = ", ".join(f"{platform} {build}" for platform, build in found.items())
            raise InputError(
                f"testers have different versions: {shown}",
                where="the stores",
                next_step="name one with --version, or the platform with --platform",
            )
        return Plan(wanted=tuple(self._wanted(request, platform, build) for platform, build in found.items()))

    def continued(self) -> Plan:
        """The next step of what is being rolled out: nothing where the manifest has none, or nothing is. Apple goes on by itself."""
        step = self.android.next_step() if self.android is not None else None
        if step is None:
            return Plan(wanted=())
        build, percent = step
        wanted = Wanted(
            platform="android",
            to="production",
            version=build.version,
            number=build.number,
            percent=percent,
            then=self._steps(percent),
        )
        return Plan(wanted=(wanted,))

    def carry_out(self, plan: Plan) -> list[Outcome]:
        """What a plan asks for, in each store."""
        return [self._tried(each.platform, partial(self._promoted, each)) for each in plan.wanted]

    def halt(self, only: Platform | None = None) -> list[Outcome]:
        """Let nobody else get what is being rolled out."""
        return [self._tried(each, self._of(each).halt) for each in self.platforms(only)]

    def resume(self, only: Platform | None = None) -> list[Outcome]:
        """Go on with what was halted."""
        return [self._tried(each, self._of(each).resume) for each in self.platforms(only)]

    def watch(self) -> list[Outcome]:
        """Halt what does badly among what is being rolled out."""
        return [self._tried(each, self._of(each).watch) for each in self.platforms()]

    def _wanted(self, request: Request, platform: Platform, build: Candidate) -> Wanted:
        ios = platform == "ios"
        staged = request.to == "production" and not ios
        return Wanted(
            platform=platform,
            to=request.to,
            version=build.version,
            number=build.number,
            percent=request.percent if not ios or request.platform == "ios" else None,
            phased=request.phased and ios,
            then=self._steps(request.percent or 0) if staged else (),
        )

    def _steps(self, above: int) -> tuple[int, ...]:
        steps = self.android.settings.rollout if self.android is not None else ()
        return tuple(step for step in steps if step > above)

    def _promoted(self, wanted: Wanted) -> Promoted:
        if wanted.platform == "android" and self.android is not None:
            return self.android.promote(wanted.to, wanted.build, wanted.percent)
        if self.ios is None:
            raise InputError(f"the app is not on {wanted.platform}", next_step="see `mobile` in shipmate.yml")
        if wanted.percent == 100:
            return self.ios.complete(wanted.build)
        return self.ios.promote(wanted.to, wanted.build, phased=wanted.phased)

    def _of(self, platform: Platform) -> PlayPromotion | AppStorePromotion:
        found = self.android if platform == "android" else self.ios
        if found is None:
            raise InputError(f"the app is not on {platform}", next_step="see `mobile` in shipmate.yml")
        return found

    def _tried(self, platform: Platform, act: Callable[[], Promoted | None]) -> Outcome:
        try:
            return Outcome(platform=platform, promoted=act())
        except ShipmateError as error:
            return Outcome(platform=platform, problem=error)


def require_same(promotions: Promotions, plan: Plan) -> None:
    """That the stores still show the build that was planned for each version. Raises RefusedError, InputError."""
    for each in plan.wanted:
        found = promotions.plan(Request(to=each.to, version=each.version, platform=each.platform)).wanted[0]
        if found.number != each.number:
            raise RefusedError(
                f"{each.platform} has the build {found.number} of {each.version} now, not {each.number}",
                where=f"plan {plan.digest[:12]}",
                why="it was built again since this was approved",
                next_step="start the workflow again: it plans anew, and asks for a new approval",
            )


def _not_found(missing: dict[Platform, InputError], found: dict[Platform, Candidate]) -> InputError:
    step = next(iter(missing.values())).next_step
    return InputError(
        "; ".join(error.what for error in missing.values()),
        where=", ".join(missing),
        why=next(iter(missing.values())).why,
        next_step=f"--platform {next(iter(found))} promotes it there alone; else {step}" if found else step,
    )
