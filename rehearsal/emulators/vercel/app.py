"""Vercel as an emulator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.types import ASGIApp

from rehearsal.emulators.vercel.access import Access
from rehearsal.emulators.vercel.model import Project
from rehearsal.emulators.vercel.routes import api
from rehearsal.emulators.vercel.saving import from_json, to_json
from rehearsal.emulators.vercel.site import Protected, Site, is_protected, not_ready
from rehearsal.emulators.vercel.state import Account, Pace

TECHMATE: Mapping[str, tuple[str, ...]] = {
    "techmate-web": ("techmate.ai",),
    "techmate-web-staging": ("staging.techmate.ai",),
}
"""Projects of the platform under delivery, and the domains of their production."""


class Vercel:
    """api.vercel.com for one team, and the sites it shows (`serve`).

    `tokens` maps access tokens to user names. Every project is protected as new ones are on Vercel; `bypass` opens them.
    """

    name = "vercel"
    hosts: tuple[str, ...] = ("api.vercel.com",)
    contract: str | None = "vercel"

    def __init__(
        self,
        *,
        tokens: Mapping[str, str],
        bypass: Iterable[str] = (),
        team: str = "techmate",
        projects: Mapping[str, Iterable[str]] = TECHMATE,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._bypass = tuple(bypass)
        self._projects = {name: tuple(domains) for name, domains in projects.items()}
        self._sites: dict[str, Site] = {}
        self.account = Account(team=team, pace=pace or Pace(), clock=clock)
        self._seed()
        self.app: ASGIApp = api(self.account, Access(self.account, dict(tokens)))

    async def start(self) -> None:
        """Nothing runs beside HTTP."""

    async def stop(self) -> None:
        """Nothing runs beside HTTP."""

    def reset(self) -> None:
        """Back to the projects it began with, without deployments."""
        for held in (self.account.blobs, self.account.projects, self.account.deployments, self.account.aliases):
            held.clear()
        self._sites.clear()
        self._seed()

    def save(self) -> dict[str, Any]:
        """The whole account, uploaded files included."""
        return to_json(self.account)

    def load(self, saved: dict[str, Any]) -> None:
        """Replace the account by a saved one; builds and promotions under way go on."""
        self._sites.clear()
        from_json(self.account, saved)

    def serve(self, host: str) -> ASGIApp | None:
        """What answers at a host name (without a port) right now, or None when no deployment has it.

        Ask for every request: names move between two of them. The answer already begun keeps its deployment.
        """
        self.account.advance()
        deployment = self.account.at(host)
        if deployment is None:
            return None
        if deployment.state != "READY":
            return not_ready(deployment)
        site = self._sites.get(deployment.id) or Site(deployment, self.account.blobs)
        self._sites[deployment.id] = site
        project = self.account.projects[deployment.project_id]
        if is_protected(deployment, host, [domain.name for domain in project.domains], project.protection):
            return Protected(site, list(project.bypass))
        return site

    def _seed(self) -> None:
        for name, domains in self._projects.items():
            project: Project = self.account.add_project(name, domains=domains)
            for secret in self._bypass:
                project.bypass[secret] = project.created
