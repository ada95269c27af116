"""Whether a version does well enough on people's phones for more of them to get it: by its sessions at Sentry, and by Play's vitals.

What cannot be read, or is too little to tell anything, is not good: it holds. Only what was measured can be bad.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from pipelines.errors import ShipmateError

if TYPE_CHECKING:
    from pipelines.manifest.mobile import AppWatch
    from pipelines.providers.play_vitals import CrashRate, Vitals
    from pipelines.providers.sentry_sessions import SentrySessions, Sessions

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Health:
    """How a version does."""

    state: Literal["good", "bad", "unknown"]
    says: str
    """What was measured, or why nothing was."""
    crash_free_percent: float | None = None
    """Of its sessions; None where it cannot be determined, also for too few of them."""


@dataclass(frozen=True, kw_only=True)
class HealthReports:
    """Tells how a version does. Without `sessions` nothing says where the apps report; `vitals` is Android's alone."""

    watch: AppWatch
    sessions: SentrySessions | None
    vitals: Vitals | None = None

    def health(self, app: str, version: str, number: int) -> Health:
        """Of a build. `app` is its package or bundle id: Sentry's SDK names releases `id@version+build`.

        Raises nothing of the providers': what they refuse is unknown.
        """
        found: Sessions | str = "nothing says where the apps report: `mobile/reports` in shipmate.yml"
        if self.sessions is not None:
            ask = self.sessions
            found = _asked(lambda: ask.of(f"{app}@{version}+{number}", days=self.watch.days))
        verdicts = [of_sessions(self.watch, found)]
        if self.vitals is not None:
            read = self.vitals
            verdicts.append(of_vitals(self.watch, _asked(lambda: read.crash_rate(number))))
        return together(verdicts)


def of_sessions(watch: AppWatch, found: Sessions | str) -> Health:
    """By Sentry; text says why it cannot be read."""
    if isinstance(found, str):
        return Health(state="unknown", says=f"crash-free rate: {found}")
    rate = found.crash_free_percent
    if rate is None or found.count < watch.sessions:
        message = f"{found.count:,} of the {watch.sessions:,} sessions that tell anything, in {watch.days} days"
        return Health(state="unknown", says=message)
    bad = rate < watch.crash_free_percent
    message = f"{shown(rate)} % of {found.count:,} sessions without a crash"
    return Health(
        state="bad" if bad else "good",
        says=f"{message}, {watch.crash_free_percent:g} % are needed" if bad else message,
        crash_free_percent=rate,
    )


def of_vitals(watch: AppWatch, found: CrashRate | str | None) -> Health:
    """By Play; None where it has no row of the version."""
    if found is None or isinstance(found, str):
        message = "Play's vitals say nothing of it yet" if found is None else f"Play's vitals: {found}"
        return Health(state="good" if watch.vitals == "when-known" else "unknown", says=message)
    bad = found.percent >= watch.crashed_users_percent
    message = f"{found.percent:.2f} % of its users saw a crash on {found.date}, by Play's vitals"
    limit = f", {watch.crashed_users_percent:g} % is too many"
    return Health(state="bad" if bad else "good", says=message + limit * bad)


def together(verdicts: list[Health]) -> Health:
    """Bad when anything is, good when all is."""
    for state in ("bad", "unknown", "good"):
        values = [each for each in verdicts if each.state == state]
        if values:
            rate = next((each.crash_free_percent for each in verdicts if each.crash_free_percent is not None), None)
            return Health(state=values[0].state, says="; ".join(each.says for each in values), crash_free_percent=rate)
    return Health(state="unknown", says="nothing was measured")


def shown(percent: float) -> str:
    """Cut, not rounded: 99.499 is not 99.5."""
    return f"{math.floor(percent * 100 + 1e-6) / 100:.2f}"


def _asked(question: Callable[[], T]) -> T | str:
    try:
        return question()
    except ShipmateError as error:
        return error.what
