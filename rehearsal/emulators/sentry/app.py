"""Sentry as an emulator."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp

from rehearsal.emulator import ProviderEmulator
from rehearsal.emulators import saving
from rehearsal.emulators.sentry.access import Access, Limit
from rehearsal.emulators.sentry.control import Control
from rehearsal.emulators.sentry.routes import app
from rehearsal.emulators.sentry.state import Bundle, Event, Organization, Release, Sessions


@dataclass(kw_only=True)
class Saved:
    """As in `Organization`."""

    events: list[Event]
    sessions: list[Sessions]
    releases: dict[str, Release]
    bundles: dict[str, Bundle] = field(default_factory=dict)


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
        """Forget events, sessions, releases and source maps."""
        self.organization.events.clear()
        self.organization.sessions.clear()
        self.organization.releases.clear()
        for kept in (self.organization.chunks, self.organization.assemblies, self.organization.bundles):
            kept.clear()

    def save(self) -> dict[str, Any]:
        """Events, sessions, releases and bundles. What is under way is begun again by who sent it."""
        held = self.organization
        return saving.to_json(
            Saved(events=held.events, sessions=held.sessions, releases=held.releases, bundles=held.bundles)
        )

    def load(self, saved: dict[str, Any]) -> None:
        """Replace them."""
        self.reset()
        loaded = saving.from_json(Saved, saved)
        self.organization.events += loaded.events
        self.organization.sessions += loaded.sessions
        self.organization.releases |= loaded.releases
        self.organization.bundles |= loaded.bundles
