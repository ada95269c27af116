"""How an update over the air does: by the sessions of its own release at Sentry, and by the devices that EAS says could not start it.

EAS is the second signal: an update that crashes before it can report anything has no sessions at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.errors import ShipmateError
from pipelines.mobile.watch import Health, of_sessions, shown, together

if TYPE_CHECKING:
    from pipelines.manifest.mobile import AppWatch
    from pipelines.providers.eas_updates import EasUpdates, Installs, Update
    from pipelines.providers.sentry_sessions import SentrySessions, Sessions


def release_name(bundle: str, version: str, update: str) -> str:
    """What an update's reports carry at Sentry, as the app names it (apps/mobile/src/reports.mjs): `id@1.0.1+update.<update's id>`."""
    return f"{bundle}@{version}+update.{update.lower()}"


@dataclass(frozen=True, kw_only=True)
class UpdateReports:
    """Tells how updates do. Without `sessions` nothing says where the apps report to, and everything is held."""

    watch: AppWatch
    eas: EasUpdates
    sessions: SentrySessions | None
    bundle: str
    """`ios.bundleIdentifier` of app.json, by which the app names its releases on both platforms."""
    version: str

    def health(self, updates: Sequence[Update]) -> Health:
        """Of all of them together. Raises nothing of the providers': what they refuse is unknown."""
        if not updates:
            return Health(state="unknown", says="there is no update to ask about")
        verdicts = [self._by_sentry(update) for update in updates]
        for group in dict.fromkeys(update.group for update in updates):
            verdicts += self._by_eas(group)
        return together(verdicts)

    def _by_sentry(self, update: Update) -> Health:
        found: Sessions | str = "nothing says where the apps report to: `performance/app_starts` in shipmate.yml"
        if self.sessions is not None:
            try:
                found = self.sessions.of(release_name(self.bundle, self.version, update.id), days=self.watch.days)
            except ShipmateError as error:
                found = error.what
        health = of_sessions(self.watch, found)
        return Health(
            state=health.state,
            says=f"{update.platform}: {health.says}",
            crash_free_percent=health.crash_free_percent,
        )

    def _by_eas(self, group: str) -> list[Health]:
        """Of each platform. What EAS does not report holds nothing: it is the second signal."""
        try:
            found = self.eas.installs(group, days=self.watch.days)
        except ShipmateError as error:
            return [Health(state="good", says=f"EAS does not say who could not start it: {error.what}")]
        return [of_installs(self.watch, each) for each in found]


def of_installs(watch: AppWatch, found: Installs) -> Health:
    """By the share of devices that took it and could not start it; with fewer than `watch.sessions` of both there is no verdict."""
    count = found.installs + found.failed
    says = f"{found.platform}: {found.failed:,} of {count:,} devices could not start it, by EAS"
    if count < watch.sessions or not count:
        return Health(state="good", says=f"{says}, too few to tell")
    well = 100.0 * found.installs / count
    if well < watch.crash_free_percent:
        return Health(state="bad", says=f"{says}: {shown(well)} % could, {watch.crash_free_percent:g} % are needed")
    return Health(state="good", says=says)
