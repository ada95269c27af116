"""Vercel as an emulator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from starlette.types import ASGIApp

from rehearsal.definition import Definition
from rehearsal.emulator import ProviderEmulator, TrafficChange, release_in
from rehearsal.emulators.vercel.access import Access
from rehearsal.emulators.vercel.model import Deployment, Project
from rehearsal.emulators.vercel.routes import api
from rehearsal.emulators.vercel.saving import from_json, to_json
from rehearsal.emulators.vercel.site import Protected, Site, is_protected, not_ready
from rehearsal.emulators.vercel.state import Account, Pace
from rehearsal.emulators.vercel.traffic import changes
from rehearsal.journal import Entry

TECHMATE: Mapping[str, tuple[str, ...]] = {
    "techmate-web": ("techmate.ai",),
    "techmate-web-staging": ("staging.techmate.ai",),
}
"""Projects of the platform under delivery, and the domains of their production."""


class Vercel(ProviderEmulator):
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
        plan: str = "pro",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._bypass = tuple(bypass)
        self._projects = {name: tuple(domains) for name, domains in projects.items()}
        self._sites: dict[str, Site] = {}
        self._visits = 0
        self.account = Account(team=team, pace=pace or Pace(), plan=plan, clock=clock)
        self._seed()
        self.app: ASGIApp = api(self.account, Access(self.account, dict(tokens)))

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
        """Replace the account by a saved one; builds and promotions under way go on. What opens the projects is this one's `bypass`."""
        self._sites.clear()
        from_json(self.account, saved)
        for project in self.account.projects.values() if self._bypass else ():
            project.bypass = dict.fromkeys(self._bypass, project.created)

    def serve(self, host: str) -> ASGIApp | None:
        """What answers at a host name (without a port) right now, or None when no deployment has it.

        Ask for every request: names move between two of them. The answer already started keeps its deployment.
        """
        self.account.advance()
        deployment = self.account.at(host)
        if deployment is None:
            return None
        if deployment.state != "READY":
            return not_ready(deployment)
        deployment = self._of_share(deployment, host)
        site = self._sites.get(deployment.id) or Site(deployment, self.account.blobs)
        self._sites[deployment.id] = site
        project = self.account.projects[deployment.project_id]
        if is_protected(deployment, host, [domain.name for domain in project.domains], project.protection):
            return Protected(site, list(project.bypass), to_login=project.to_login)
        return site

    def _of_share(self, deployment: Deployment, host: str) -> Deployment:
        """What a visitor gets: while a rolling release is under way, every other one the deployment before."""
        request = self.account.projects[deployment.project_id].last_request
        if deployment.substate != "ROLLING" or host == deployment.url or request is None:
            return deployment
        self._visits += 1
        before = self.account.deployments.get(request.from_id or "")
        return before if before is not None and self._visits % 2 else deployment

    def deployments_of(self, release: str) -> int:
        """Deployments that carry the release in their meta data."""
        return sum(release in deployment.meta.values() for deployment in self.account.deployments.values())

    def traffic_changes(self, requests: Iterable[Entry], definition: Definition) -> Iterator[TrafficChange]:
        """Every promotion and rollback of a site of the platform."""
        return changes(requests, definition.sites, project_of=self._project_of, release_of=self._release_of)

    def _project_of(self, key: str) -> str:
        project = self.account.projects.get(key)
        return project.name if project else key

    def _release_of(self, key: str) -> str:
        """The release in a deployment's meta data, else its id."""
        deployment = self.account.deployments.get(key)
        return (release_in(deployment.meta) if deployment else None) or key

    def _seed(self) -> None:
        for name, domains in self._projects.items():
            project: Project = self.account.add_project(name, domains=domains)
            for secret in self._bypass:
                project.bypass[secret] = project.created
