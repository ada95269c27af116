"""What stands at Vercel for each site: who may see a deployment before it is live, what else deploys there, its domain, and the plan.

Sources: vercel.com/docs "Deployment Protection", "Protection Bypass for Automation", "Git", "Instant Rollback", "Working with domains"
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from pipelines import findings
from pipelines.findings import Finding
from pipelines.manifest.targets import Vercel
from pipelines.providers.vercel_account import VercelAccount
from pipelines.providers.vercel_api import ROOT
from pipelines.providers.vercel_protection import WHOLE

if TYPE_CHECKING:
    from pipelines.http import Http
    from pipelines.manifest import Manifest
    from pipelines.manifest.model import Environment
    from pipelines.providers import Credentials

BYPASS_SECRET = "VERCEL_BYPASS"  # noqa: S105 - its name at GitHub
STANDARD = "prod_deployment_urls_and_all_previews"
"""Protects the addresses of deployments, and leaves the domains open."""
_PREVIEWS = "preview"


def look(name: str, manifest: Manifest, http: Http, credentials: Credentials) -> Iterator[Finding]:
    """Every finding of one environment's sites. Nothing is raised for what cannot be read: it is unknown."""
    settings = manifest.environments[name]
    for target in settings.targets.values():
        if isinstance(target, Vercel):
            site = _Site(name, settings, target, http, credentials)
            yield from findings.guarded(site.subject, site.look)


class _Site:
    """One project, of one environment."""

    def __init__(
        self, environment: str, settings: Environment, target: Vercel, http: Http, credentials: Credentials
    ) -> None:
        self.subject = f"Vercel, {environment}: {target.project}"
        self._environment, self._settings, self._target = environment, settings, target
        self._bypass = credentials.vercel_bypass
        self._account = VercelAccount(http, credentials.vercel_token, target.team)

    def look(self) -> Iterator[Finding]:
        """Every finding of it."""
        project = self._account.project(self._target.project)
        if project is None:
            make = f"vercel project add {self._target.project} --scope {self._target.team}"
            yield self._missing("there is no such project, or the token does not see it", make)
            return
        yield self._protection(project)
        yield self._git(project)
        yield self._folder(project)
        yield from findings.guarded(f"{self.subject}, domain", lambda: [self._domain()])
        yield from findings.guarded(f"{self.subject}, plan", lambda: [self._plan(project)])

    def _protection(self, project: Mapping[str, Any]) -> Finding:
        """A candidate is looked at by its own address: jobs need a way in, users need none."""
        kind, password = (project.get("ssoProtection") or {}).get("deploymentType"), project.get("passwordProtection")
        if kind == WHOLE:
            open_it = self._call("PATCH", f"/v9/projects/{self._path}", {"ssoProtection": {"deploymentType": STANDARD}})
            return self._missing("asks users of the public address to sign in at Vercel", open_it)
        if kind in (None, _PREVIEWS) and password is None:
            return self._ok("production deployments are not protected: no bypass is needed")
        secrets = project.get("protectionBypass") or {}
        automation = [secret for secret, each in secrets.items() if each.get("scope") == "automation-bypass"]
        store = f"gh secret set {BYPASS_SECRET} --env {self._settings.github_environment or self._environment}"
        if not automation:
            make = self._call("PATCH", f"/v1/projects/{self._path}/protection-bypass", {"generate": {}})
            says = "deployments are protected and no bypass for automation exists: candidates cannot be checked"
            return self._missing(says, f"{make} && {store}")
        if self._bypass and self._bypass not in automation:
            return self._missing(f"{BYPASS_SECRET} of this terminal is none of the project's", store)
        return self._ok("deployments are protected, and a bypass for automation exists")

    def _git(self, project: Mapping[str, Any]) -> Finding:
        link = project.get("link")
        if not link:
            return self._ok("no Git repository is connected: this pipeline alone deploys")
        where = "/".join(str(link[key]) for key in ("org", "owner", "repo", "projectName") if link.get(key))
        scope = f"--scope {self._target.team}"
        fix = f"vercel link --yes --project {self._target.project} {scope} && vercel git disconnect --yes {scope}"
        return self._missing(f"is connected with {link.get('type')} {where}: every push deploys a second time", fix)

    def _folder(self, project: Mapping[str, Any]) -> Finding:
        folder = project.get("rootDirectory")
        if not folder:
            return self._ok("deploys from the root of what is sent")
        fix = self._call("PATCH", f"/v9/projects/{self._path}", {"rootDirectory": None})
        return self._missing(f"takes {folder!r} of what is sent for the whole: the build has no such folder", fix)

    def _domain(self) -> Finding:
        host, team = str(urlsplit(self._target.url).hostname), self._target.team
        found = next((each for each in self._account.domains(self._target.project) if each["name"] == host), None)
        if found is None:
            fix = f"vercel domains add {host} {self._target.project} --scope {team}"
            return self._missing(f"{host} is none of its domains", fix)
        if not found.get("verified"):
            records = [f"{each['type']} {each['domain']} {each['value']}" for each in found.get("verification", ())]
            verify = self._call("POST", f"/v9/projects/{self._path}/domains/{quote(host, safe='')}/verify")
            says = f"{host} is not verified: its DNS has no record {', '.join(records) or 'that Vercel asks for'}"
            return self._missing(says, f"add the record, then {verify}")
        return self._ok(f"{host} is verified")

    def _plan(self, project: Mapping[str, Any]) -> Finding:
        plan = self._account.plan(str(project["accountId"]))
        if not plan:
            return Finding(subject=self.subject, state="unknown", says="the team's plan is not shown to this token")
        if plan == "hobby":
            return self._ok(
                "the team's plan is Hobby: a rollback further than one deployment promotes the old one again"
            )
        return self._ok(f"the team's plan is {plan.capitalize()}: an instant rollback goes back to any deployment")

    @property
    def _path(self) -> str:
        return quote(self._target.project, safe="")

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> str:
        """A command that makes this call; the token is the terminal's."""
        url = shlex.quote(f"{ROOT}{path}?slug={self._target.team}")
        sent = "" if body is None else f" -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}"
        return f'curl -fsS -X {method} {url} -H "Authorization: Bearer $VERCEL_TOKEN"{sent}'

    def _ok(self, says: str) -> Finding:
        return Finding(subject=self.subject, state="ok", says=says)

    def _missing(self, says: str, fix: str) -> Finding:
        return Finding(subject=self.subject, state="missing", says=says, fix=fix)
