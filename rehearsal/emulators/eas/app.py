"""EAS as an emulator."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from rehearsal.emulator import ProviderEmulator
from rehearsal.emulators.eas import saving
from rehearsal.emulators.eas.control import Control
from rehearsal.emulators.eas.routes import app
from rehearsal.emulators.eas.state import VALID, Account, Pace, Project
from rehearsal.emulators.eas.views import STORAGE


class Eas(ProviderEmulator):
    """One account with one project, and the robots that may work with it."""

    name = "eas"
    hosts: tuple[str, ...] = ("api.expo.dev", "expo.dev", "u.expo.dev", STORAGE)
    contract: str | None = None
    """The wire is the rehearsal's own (routes.py); what is held to the real one is the program rehearsal/eas."""

    def __init__(
        self,
        root: Path,
        *,
        project: Project,
        tokens: Iterable[str],
        pace: Pace | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._tokens = tuple(tokens)
        self.account = Account(root=root, name=project.account, pace=pace or Pace(), clock=clock)
        self.account.projects[project.id] = project
        self.control: Control = Control(self.account)
        self.app: ASGIApp = app(self.account)
        self.reset()

    async def stop(self) -> None:
        """Remove what was uploaded."""
        shutil.rmtree(self.account.root / "uploads", ignore_errors=True)

    def reset(self) -> None:
        """Nothing built or published, and every token valid. The upload key stays: Play knows it."""
        self.account.clear()
        self.account.tokens = dict.fromkeys(self._tokens, VALID)

    def save(self) -> dict[str, Any]:
        """The whole account."""
        return saving.to_json(self.account)

    def load(self, saved: dict[str, Any]) -> None:
        """Replace it."""
        saving.from_json(self.account, saved)

    def deployments_of(self, release: str) -> int:
        """Builds of a mobile release (`mobile-v1.2.0`)."""
        version = release.removeprefix("mobile-v")
        return 0 if version == release else sum(b.version == version for b in self.account.builds.values())
