"""Sentry as an emulator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from rehearsal.emulators.sentry.access import Access, Refused, answer_refusal
from rehearsal.emulators.sentry.intake import Intake
from rehearsal.emulators.sentry.releases import ReleasesApi
from rehearsal.emulators.sentry.state import Event, Organization, Release, Sessions
from rehearsal.emulators.sentry.statistics import StatisticsApi

_ORGANIZATION = "/api/0/organizations/{organization}"
_PROJECT = "/api/0/projects/{organization}/{project}"


class Sentry:
    """sentry.io for one organization, and the address its SDKs send to."""

    name = "sentry"
    hosts: tuple[str, ...] = ("sentry.io", "*.ingest.sentry.io")
    contract: str | None = None
    """Its description comes as TypeScript under a licence that is not open; what is answered is general knowledge."""

    def __init__(
        self,
        *,
        organization: str = "techmate",
        projects: Iterable[str] = ("backend", "web", "mobile"),
        repositories: Iterable[str] = ("techmate/platform",),
        tokens: Iterable[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._projects = tuple(projects)
        self.organization = Organization(slug=organization, clock=clock, repositories=list(repositories))
        self.organization.add_projects(self._projects)
        self.app: ASGIApp = _app(self.organization, frozenset(tokens))

    @property
    def events(self) -> list[Event]:
        """Errors and transactions, oldest first."""
        return self.organization.events

    @property
    def releases(self) -> dict[str, Release]:
        """By version."""
        return self.organization.releases

    def dsn(self, project: str, origin: str = "https://o1.ingest.sentry.io") -> str:
        """What the SDKs of a project are given. `origin` is where they reach this emulator."""
        held = self.organization.projects[project]
        scheme, _, host = origin.partition("://")
        return f"{scheme}://{held.public_key}@{host}/{held.id}"

    async def start(self) -> None:
        """Nothing runs beside HTTP."""

    async def stop(self) -> None:
        """Nothing runs beside HTTP."""

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
            "releases": [asdict(release) for release in self.releases.values()],
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Replace them."""
        self.reset()
        self.organization.events += [Event(**item) for item in saved["events"]]
        self.organization.sessions += [Sessions(**item) for item in saved["sessions"]]
        self.organization.releases.update({item["version"]: Release(**item) for item in saved["releases"]})


def _app(organization: Organization, tokens: frozenset[str]) -> Starlette:
    access = Access(organization, tokens)
    intake, releases = Intake(organization), ReleasesApi(organization, access)
    statistics = StatisticsApi(organization, access)
    one_release = _ORGANIZATION + "/releases/{version:path}"
    return Starlette(
        routes=[
            Route("/api/{project:int}/envelope/", intake.envelope, methods=["POST", "OPTIONS"]),
            Route("/api/{project:int}/store/", intake.store, methods=["POST", "OPTIONS"]),
            Route(f"{_ORGANIZATION}/releases/", releases.releases, methods=["GET", "POST"]),
            Route(f"{one_release}/deploys/", releases.deploys, methods=["GET", "POST"]),
            Route(f"{one_release}/commits/", releases.commits, methods=["GET"]),
            Route(f"{one_release}/previous-with-commits/", releases.previous, methods=["GET"]),
            Route(f"{one_release}/", releases.release, methods=["GET", "PUT", "DELETE"]),
            Route(f"{_ORGANIZATION}/repos/", releases.repositories, methods=["GET"]),
            Route(f"{_ORGANIZATION}/sessions/", statistics.sessions, methods=["GET"]),
            Route(f"{_ORGANIZATION}/events/", statistics.events, methods=["GET"]),
            Route(f"{_ORGANIZATION}/events-timeseries/", statistics.timeseries, methods=["GET"]),
            Route(f"{_PROJECT}/releases/", releases.releases, methods=["GET"]),
            Route(f"{_PROJECT}/events/", statistics.project_events, methods=["GET"]),
            Route(f"{_PROJECT}/events/{{id}}/", statistics.project_event, methods=["GET"]),
        ],
        exception_handlers={Refused: answer_refusal},
    )
