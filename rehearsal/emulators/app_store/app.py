"""App Store Connect as an emulator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from rehearsal.emulator import ProviderEmulator
from rehearsal.emulators.app_store.access import Access, Key
from rehearsal.emulators.app_store.control import Control
from rehearsal.emulators.app_store.model import DAY, App, Certificate, Group, Pace, Profile
from rehearsal.emulators.app_store.routes import app
from rehearsal.emulators.app_store.saving import from_json, to_json
from rehearsal.emulators.app_store.state import Account, new_id
from rehearsal.emulators.app_store.storage import HOST

_YEAR = 365 * DAY


class AppStore(ProviderEmulator):
    """One team with one app. `groups`: {"internal": names, "external": names}; internal ones get every build by themselves."""

    name = "app-store"
    hosts: tuple[str, ...] = ("api.appstoreconnect.apple.com", HOST)
    contract: str | None = "app-store"

    def __init__(
        self,
        root: Path,
        *,
        record: App,
        keys: Iterable[Key],
        groups: Mapping[str, Iterable[str]] | None = None,
        pace: Pace | None = None,
        hourly: int = 3600,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._record = record
        self._groups = {kind: tuple(names) for kind, names in (groups or {}).items()}
        self.account = Account(root=root, pace=pace or Pace(), clock=clock)
        self._seed()
        self.access = Access(account=self.account, keys=list(keys), hourly=hourly, clock=clock)
        self.app: ASGIApp = app(self.account, self.access)
        self.control: Control = Control(self.account)

    def reset(self) -> None:
        """Back to the app, its groups and its signing, without builds and versions."""
        self.account.clear()
        self.access.asked.clear()
        self._seed()

    def save(self) -> dict[str, Any]:
        """The whole account. Bytes of files that are not committed stay under `root`."""
        return to_json(self.account)

    def load(self, saved: dict[str, Any]) -> None:
        """Replace the account; what was due in between has happened."""
        from_json(self.account, saved)

    def deployments_of(self, release: str) -> int:
        """Builds of a mobile release (`mobile-v1.2.0`)."""
        version = release.removeprefix("mobile-v")
        return 0 if version == release else sum(b.version == version for b in self.account.builds.values())

    def _seed(self) -> None:
        account, now = self.account, self.account.now()
        account.apps[self._record.id] = self._record
        for kind, names in self._groups.items():
            internal = kind == "internal"
            for name in names:
                group = Group(
                    id=new_id(), app=self._record.id, name=name, internal=internal, all_builds=internal, created=now
                )
                account.groups[group.id] = group
        certificate = Certificate(id="7XK2P9QWRT", name="iOS Distribution", kind="DISTRIBUTION", expires=now + _YEAR)
        account.certificates[certificate.id] = certificate
        profile = Profile(
            id="MOBILEPROF", name=f"{self._record.bundle} AppStore", kind="IOS_APP_STORE", created=now,
            expires=now + _YEAR, certificates=[certificate.id],
        )  # fmt: skip
        account.profiles[profile.id] = profile
