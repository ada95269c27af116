"""Sentry as an emulator."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from starlette.types import ASGIApp

from rehearsal.emulator import ProviderEmulator
from rehearsal.emulators.sentry.access import Access, Limit
from rehearsal.emulators.sentry.control import Control
from rehearsal.emulators.sentry.routes import app
from rehearsal.emulators.sentry.state import Event, Organization, Release, Sessions


class Sentry(ProviderEmulator):
    """The address that SDKs of one organization send to, and what arrived there, for those who may read it.

    `tokens`: access token -> its scopes. `limit`: how often each may ask; None for as often as it likes. `hosts`: where else it
    is, beside Sentry's own addresses.
    """

    name = "sentry"
    hosts: tuple[str, ...] = ("sentry.io", "us.sentry.io", "de.sentry.io", "*.ingest.sentry.io")
    contract: str | None = "sentry"
    """Of what is asked; what SDKs send is described in prose alone (https://develop.sentry.dev/sdk/)."""

    def __init__(
        self,
        *,
        organization: str = "techmate",
        projects: Iterable[str] = ("backend", "web", "mobile"),
        tokens: Mapping[str, Collection[str]] | None = None,
        limit: Limit | None = None,
        hosts: Iterable[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.hosts = tuple(dict.fromkeys([*self.hosts, *hosts]))
        self._projects = tuple(projects)
        self.organization = Organization(slug=organization, clock=clock)
        self.organization.add_projects(self._projects)
        self.control: Control = Control(self.organization)
        self.app: ASGIApp = app(self.organization, Access(tokens or {}, limit, clock))

    @property
    def events(self) -> list[Event]:
        """Errors and transactions, oldest first."""
        return self.organization.events

    def dsn(self, project: str, origin: str = "https://o1.ingest.sentry.io") -> str:
        """What the SDKs of a project are given. `origin` is where they reach this emulator."""
        held = self.organization.projects[project]
        scheme, _, host = origin.partition("://")
        return f"{scheme}://{held.public_key}@{host}/{held.id}"

    def reset(self) -> None:
        """Forget events, sessions and releases."""
        self.organization.events.clear()
        self.organization.sessions.clear()
        self.organization.releases.clear()

    def save(self) -> dict[str, Any]:
        """Events, sessions and releases."""
        return {
            "events": [asdict(event) for event in self.events],
            "sessions": [asdict(sessions) for sessions in self.organization.sessions],
            "releases": [asdict(release) for release in self.organization.releases.values()],
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Replace them."""
        self.reset()
        self.organization.events += [Event(**item) for item in saved["events"]]
        self.organization.sessions += [Sessions(**item) for item in saved["sessions"]]
        self.organization.releases |= {item["version"]: Release(**item) for item in saved["releases"]}
