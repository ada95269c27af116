"""Google Play as an emulator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from rehearsal.emulator import ProviderEmulator
from rehearsal.emulators.google.access import Authorise, anyone
from rehearsal.emulators.google_play import saving
from rehearsal.emulators.google_play.access import Access
from rehearsal.emulators.google_play.account import QUERIES_PER_MINUTE, Account, Pace
from rehearsal.emulators.google_play.control import Control
from rehearsal.emulators.google_play.routes import app
from rehearsal.emulators.google_play.state import codes, seeded
from rehearsal.emulators.google_play.uploads import Uploads

ANYONE = anyone(None, "", "")
"""Who asks where nobody checks tokens."""


class GooglePlay(ProviderEmulator):
    """One developer account. `deployers` may do everything in each app; tokens are checked for `project`."""

    name = "google-play"
    hosts: tuple[str, ...] = ("androidpublisher.googleapis.com", "playdeveloperreporting.googleapis.com")
    contract: tuple[str, ...] = ("androidpublisher", "playdeveloperreporting")

    def __init__(
        self,
        root: Path,
        *,
        packages: Iterable[str] = (),
        deployers: Iterable[str] = (ANYONE,),
        authorise: Authorise = anyone,
        project: str = "-",
        pace: Pace | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._packages = tuple(packages)
        self._deployers = tuple(deployers)
        self.account = Account(pace=pace or Pace(), clock=clock)
        self.uploads = Uploads(root / "uploads", clock, self.account.pace.session)
        self.console = Control(self.account, self.uploads)
        self.control: Control = self.console
        self.app: ASGIApp = app(self.account, self.uploads, Access(authorise=authorise, project=project))
        self._seed()

    async def stop(self) -> None:
        """Remove the files of unfinished uploads."""
        self.uploads.clear()

    def reset(self) -> None:
        """Every app as it was made, and no upload under way."""
        self.uploads.clear()
        self._seed()

    def save(self) -> dict[str, Any]:
        """Apps with their edits, and grants; an upload under way has to be started again."""
        return saving.to_json(self.account)

    def load(self, saved: dict[str, Any]) -> None:
        """Replace them."""
        self.uploads.clear()
        saving.from_json(self.account, saved)

    def deployments_of(self, release: str) -> int:
        """Bundles on any track of a mobile release (`mobile-v1.2.0`)."""
        version = release.removeprefix("mobile-v")
        if version == release:
            return 0
        return sum(
            app.used[code].version_name == version
            for app in self.account.apps.values()
            for code in set[int]().union(*map(codes, app.tracks.values()))
            if code in app.used
        )

    def _seed(self) -> None:
        self.account.asked.clear()
        self.account.queries_per_minute = QUERIES_PER_MINUTE
        self.account.apps = {package: seeded(package) for package in self._packages}
        self.account.grants.clear()
        for user in self._deployers:
            for package in self._packages:
                self.account.grant(user, package)
