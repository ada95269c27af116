"""A team's projects, deployments and host names, and how they change.

Nothing runs in the background: every reading and every change first brings the account up to the present (`advance`),
in the order in which events were due. So a saved account goes on where it was, and an alias always shows exactly one
deployment: names move in one step, between two requests.

Machine-checked against Vercel's SDK types are the forms of requests and answers. The statements here about behaviour
(states, promotion, protection) is general knowledge of the service.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from rehearsal.emulators.vercel.course import advance
from rehearsal.emulators.vercel.errors import ApiError, bad_request, not_found
from rehearsal.emulators.vercel.model import Alias, AliasRequest, Deployment, Domain, File, Project

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_LONGEST_LABEL = 63


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long operations take, in milliseconds."""

    queue: int = 50
    build: int = 150
    promote: int = 200


@dataclass(kw_only=True)
class Account:
    """One team and all it has."""

    team: str
    team_id: str = field(default_factory=lambda: _id("team"))
    plan: str = "pro"
    """hobby, pro or enterprise."""
    pace: Pace = field(default_factory=Pace)
    clock: Callable[[], float] = time.time
    """Seconds since the epoch."""
    keeps_secrets: bool = False
    """Whether a policy of the team makes every variable that is written a sensitive one."""
    list_delay: int = 0
    """Milliseconds until lists of variables show what was written."""
    counts_staged: bool = False
    """Of Hobby: whether the deployment "before" the live one is the one before it in time, live once or not. Vercel does not say which."""
    blobs: dict[str, bytes] = field(default_factory=dict)
    """Uploaded files by their SHA-1."""
    projects: dict[str, Project] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)
    """By host name."""
    last_time: int = 0

    def now(self) -> int:
        """The present in milliseconds; never the same twice, because lists are paged by it."""
        self.last_time = max(self.last_time + 1, int(self.clock() * 1000))
        return self.last_time

    # -- files

    def upload(self, content: bytes, digest: str) -> None:
        """Keep a file. Raises ApiError when the digest is not the content's."""
        found = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        if found != digest.lower():
            raise bad_request(f"The digest sent ({digest}) is not the one of the content ({found}).")
        self.blobs[found] = content

    # -- projects

    def add_project(self, name: str, *, domains: Iterable[str] = (), framework: str | None = None) -> Project:
        """Create a project; `<name>.vercel.app` is always one of its production names."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,99}", name):
            raise bad_request(f"`{name}` is no project name: lower case letters, digits, '.', '_' and '-'.")
        created = self.now()
        project = Project(id=_id("prj"), name=name, created=created, updated=created, framework=framework)
        for domain in (f"{name}.vercel.app", *domains):
            project.domains.append(Domain(name=domain, created=created))
        self.projects[project.id] = project
        return project

    def project(self, id_or_name: str) -> Project:
        """A project. Raises ApiError (404)."""
        self.advance()
        for project in self.projects.values():
            if id_or_name in (project.id, project.name):
                return project
        raise not_found("Project")

    # -- deployments

    def create(
        self,
        project: Project,
        *,
        files: list[File],
        target: str | None,
        creator: str,
        meta: dict[str, str],
    ) -> Deployment:
        """Start a deployment. Raises ApiError `missing_files` naming every digest that was not uploaded."""
        self.advance()
        missing = sorted({file.sha for file in files} - self.blobs.keys())
        if missing:
            raise ApiError(400, "missing_files", "Missing files", missing=missing)
        if not files:
            raise bad_request("A deployment needs `files`, or the `deploymentId` of one to deploy again.")
        created = self.now()
        deployment = Deployment(
            id=_id("dpl"),
            project_id=project.id,
            name=project.name,
            url=self._free_url(project.name),
            target=target,
            creator=creator,
            created=created,
            files=files,
            meta=meta,
        )
        self.deployments[deployment.id] = deployment
        return deployment

    def deployment(self, id_or_url: str) -> Deployment:
        """A deployment by id, by its own host or by an alias. Raises ApiError (404)."""
        self.advance()
        found = self.deployments.get(id_or_url) or self.at(id_or_url)
        if found is None:
            raise not_found("The deployment")
        return found

    def cancel(self, deployment: Deployment) -> None:
        """End a build under way. Raises ApiError (400) when there is none."""
        if deployment.state not in ("QUEUED", "BUILDING"):
            raise bad_request(f"The deployment cannot be canceled: it is {deployment.state}.")
        deployment.state = "CANCELED"
        deployment.canceled = self.now()

    def delete(self, deployment: Deployment) -> None:
        """Remove a deployment and every name that shows it."""
        del self.deployments[deployment.id]
        for name in [name for name, alias in self.aliases.items() if alias.deployment_id == deployment.id]:
            del self.aliases[name]

    def at(self, host: str) -> Deployment | None:
        """What a host name shows."""
        alias = self.aliases.get(host)
        if alias is not None:
            return self.deployments.get(alias.deployment_id)
        return next((d for d in self.deployments.values() if d.url == host), None)

    # -- names

    def assign(self, deployment: Deployment, names: Iterable[str]) -> None:
        """Point names at a deployment, all in one step."""
        created = self.now()
        for name in names:
            held = self.aliases.get(name)
            self.aliases[name] = Alias(
                id=held.id if held else _id("als"),
                name=name,
                deployment_id=deployment.id,
                project_id=deployment.project_id,
                created=created,
            )

    def names_of(self, deployment: Deployment) -> list[str]:
        """Host names that show a deployment, beside its own."""
        return [name for name, alias in self.aliases.items() if alias.deployment_id == deployment.id]

    def live(self, project: Project) -> Deployment | None:
        """The deployment production shows."""
        shown = (self.at(domain.name) for domain in project.domains)
        return next((deployment for deployment in shown if deployment is not None), None)

    # -- promotion and rollback

    def promote(self, project: Project, deployment: Deployment) -> None:
        """Ask for a staged production deployment to go live; its names move a moment later, all at once.

        Raises ApiError: 409 while another request runs or when it is live already, 422 when it cannot go live.
        """
        self._require_production(project, deployment)
        if deployment is self.live(project):
            raise ApiError(409, "already_promoted", "The deployment is already the current production deployment.")
        self._request(project, "promote", deployment, self.pace.promote)

    def roll_back(self, project: Project, deployment: Deployment, reason: str | None) -> None:
        """Bring an earlier production deployment back, at once.

        Raises ApiError: 409 while a promotion runs or when it is live already, 422 when it never was live, 402 when the plan is Hobby
        and another was live in between.
        """
        self._require_production(project, deployment)
        if deployment is self.live(project):
            raise ApiError(409, "already_rolled_back", "The deployment is already the current production deployment.")
        if deployment.substate != "PROMOTED":
            raise ApiError(422, "unprocessable_entity", "The deployment never was in production: promote it instead.")
        if not self.can_roll_back_to(project, deployment):
            raise ApiError(
                402,
                "unprocessable_entity",
                "To rollback further than the previous production deployment, upgrade to pro.",
            )
        self._request(project, "rollback", deployment, 0)
        project.rollback_reason = reason
        self.advance()

    def can_roll_back_to(self, project: Project, deployment: Deployment) -> bool:
        """Whether instant rollback may go to a deployment: one that was live and is not; on Hobby the one right before what is."""
        live = self.live(project)
        if deployment.substate != "PROMOTED" or deployment is live:
            return False
        if self.plan != "hobby":
            return True
        before = [
            each
            for each in self.deployments.values()
            if (each.project_id, each.target, each.state) == (project.id, "production", "READY")
            and (each.substate == "PROMOTED" or self.counts_staged)
            and (live is None or each.created < live.created)
        ]
        return deployment is max(before, key=lambda each: each.created, default=None)

    def _require_production(self, project: Project, deployment: Deployment) -> None:
        if deployment.project_id != project.id:
            raise not_found("The deployment in this project")
        if deployment.state != "READY" or deployment.target != "production":
            raise ApiError(
                422,
                "unprocessable_entity",
                f"Only a production deployment that is READY can go live; this one is {deployment.state}, "
                f"target {deployment.target or 'preview'}.",
            )
        if project.last_request and project.last_request.status == "in-progress":
            raise ApiError(409, "conflict", f"A {project.last_request.type} of this project is in progress.")

    def _request(self, project: Project, kind: str, deployment: Deployment, wait: int) -> None:
        live = self.live(project)
        now = self.now()
        project.last_request = AliasRequest(
            type=kind, from_id=live.id if live else None, to_id=deployment.id, requested=now, due=now + wait
        )

    def advance(self) -> None:
        """Do everything that is due by now."""
        advance(self)

    def branch_names(self, deployment: Deployment) -> list[str]:
        """The name a preview gets by its branch, if it has one."""
        branch = deployment.meta.get("githubCommitRef")
        if not branch:
            return []
        label = re.sub(r"[^a-z0-9-]+", "-", f"{deployment.name}-git-{branch}-{self.team}".lower()).strip("-")
        return [f"{label[:_LONGEST_LABEL]}.vercel.app"]

    def _free_url(self, name: str) -> str:
        while True:
            suffix = "".join(secrets.choice(_LETTERS) for _ in range(9))
            url = f"{re.sub(r'[^a-z0-9-]+', '-', name)}-{suffix}-{self.team}.vercel.app"
            if all(deployment.url != url for deployment in self.deployments.values()):
                return url


def _id(prefix: str) -> str:
    return f"{prefix}_" + "".join(secrets.choice(_LETTERS) for _ in range(24))
