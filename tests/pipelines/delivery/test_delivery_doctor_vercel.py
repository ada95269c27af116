"""What doctor finds at Vercel: each setting broken is found with its fix; the commands that can be carried out here set it right."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipelines.delivery.context import Context, open_context
from pipelines.faults import Policy
from pipelines.findings import Finding
from pipelines.http import Http
from pipelines.manifest import load
from pipelines.overlay import Overlay
from pipelines.providers import vercel_findings
from pipelines.runtime import Runtime
from rehearsal.emulators.vercel.model import Domain, Project
from tests.rehearsal.emulators.vercel_client import Client, vercel_client

pytestmark = pytest.mark.world

ROOT = Path(__file__).resolve().parents[3]
MANIFEST = load(ROOT / "shipmate.yml")
SUBJECT, BYPASS = "Vercel, production: techmate-web", "one-that-opens"


@dataclass
class Scene:
    """A team as docs/DEPLOYMENT.md has it set up."""

    client: Client
    token: str = "token-of-dev-1"
    bypass: str = BYPASS

    @property
    def project(self) -> Project:
        return self.client.vercel.account.project("techmate-web")

    @property
    def context(self) -> Context:
        environ = {"VERCEL_TOKEN": self.token, "VERCEL_BYPASS": self.bypass}
        context = open_context(MANIFEST, "production", Runtime(environ=environ))
        overlay = Overlay(hosts={"api.vercel.com": self.client.url}, time_scale=0.0)
        context.http = context.credentials.http = Http(overlay=overlay, policy=Policy(tries=1))
        return context

    def found(self) -> list[Finding]:
        context = self.context
        return list(vercel_findings.look("production", context.manifest, context.http, context.credentials))

    def lacking(self) -> list[Finding]:
        return [each for each in self.found() if each.state != "ok"]

    def carry_out(self, command: str) -> None:
        """The `curl` of a fix, against the emulator."""
        words = shlex.split(command.partition("curl ")[2].partition(" && ")[0])
        method, url = words[words.index("-X") + 1], next(word for word in words if word.startswith("https://"))
        body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
        assert urlsplit(url).query == "slug=techmate"
        answer = self.client.ask(method, urlsplit(url).path, json=body)
        assert answer.status_code == 200, answer.text


@pytest.fixture
def scene() -> Iterator[Scene]:
    with vercel_client() as client:
        made = Scene(client)
        for project in client.vercel.account.projects.values():
            project.bypass[BYPASS] = project.created
        yield made
        assert client.violations == []


def test_nothing_is_missing_of_what_a_team_sets_up(scene: Scene) -> None:
    assert scene.lacking() == []
    assert {each.subject for each in scene.found()} == {SUBJECT}
    assert [each.says for each in scene.found()] == [
        "deployments are protected, and a bypass for automation exists",
        "no Git repository is connected: this pipeline alone deploys",
        "deploys from the root of what is sent",
        "techmate.ai is verified",
        "the team's plan is Pro: an instant rollback goes back to any deployment",
    ]


def _no_bypass(project: Project) -> None:
    project.bypass.clear()


def _everything(project: Project) -> None:
    project.protection = "all"


def _root(project: Project) -> None:
    project.root_directory = "apps/web"


def _unverified(project: Project) -> None:
    project.domains[-1].verified = False


@pytest.mark.parametrize(
    ("break_it", "says", "fix"),
    [
        (_no_bypass, "no bypass for automation exists", "gh secret set VERCEL_BYPASS --env production-deploy"),
        (_everything, "asks users of the public address to sign in", "prod_deployment_urls_and_all_previews"),
        (_root, "takes 'apps/web' of what is sent for the whole", '{"rootDirectory": null}'),
        (_unverified, "techmate.ai is not verified: its DNS has no record TXT _vercel.techmate.ai vc-domain-verify=",
         "add the record, then curl"),
    ],
)  # fmt: skip
def test_a_setting_that_its_command_sets_right(
    scene: Scene, break_it: Callable[[Project], None], says: str, fix: str
) -> None:
    break_it(scene.project)
    [finding] = scene.lacking()
    assert (finding.state, finding.subject) == ("missing", SUBJECT)
    assert says in finding.says and fix in finding.fix
    scene.carry_out(finding.fix)
    scene.bypass = next(iter(scene.project.bypass))
    assert scene.lacking() == []


def test_a_repository_that_is_connected_deploys_twice(scene: Scene) -> None:
    scene.project.repository = "techmate/platform"
    [finding] = scene.lacking()
    assert finding.says == "is connected with github techmate/platform: every push deploys a second time"
    assert finding.fix.endswith("vercel git disconnect --yes --scope techmate")
    scene.project.repository = None
    assert scene.lacking() == []


def test_a_domain_that_the_project_does_not_have(scene: Scene) -> None:
    domain: Domain = scene.project.domains.pop()
    [finding] = scene.lacking()
    assert finding.says == "techmate.ai is none of its domains"
    assert finding.fix == "vercel domains add techmate.ai techmate-web --scope techmate"
    scene.project.domains.append(domain)
    assert scene.lacking() == []


def test_a_team_that_can_go_back_one_deployment_only(scene: Scene) -> None:
    scene.client.vercel.account.plan = "hobby"
    finding = scene.found()[-1]
    assert (finding.state, "promotes the old one again" in finding.says) == ("ok", True)
    scene.client.vercel.account.plan = "enterprise"
    assert "Enterprise" in scene.found()[-1].says


def test_a_bypass_of_another_project(scene: Scene) -> None:
    scene.bypass = "one-of-another-project"
    [finding] = scene.lacking()
    assert finding.says == "VERCEL_BYPASS of this terminal is none of the project's"
    assert scene.bypass not in finding.fix + finding.says
    scene.bypass = ""
    assert scene.lacking() == [], "a terminal needs none"


@pytest.mark.parametrize(
    ("kind", "password", "needs"), [(None, False, False), ("preview", False, False), (None, True, True)]
)
def test_a_bypass_is_needed_where_deployments_are_protected(
    scene: Scene,
    kind: str | None,
    password: bool,
    needs: bool,
) -> None:
    scene.project.protection, scene.project.password = kind, password
    scene.project.bypass.clear()
    assert bool(scene.lacking()) == needs


def test_a_project_that_is_not_there(scene: Scene) -> None:
    scene.project.name = "another"
    [finding] = scene.found()
    assert finding.state == "missing"
    assert finding.fix == "vercel project add techmate-web --scope techmate"


@pytest.mark.parametrize("token", ["", "wrong"])
def test_without_access_it_is_unknown(scene: Scene, token: str) -> None:
    scene.token = token
    [finding] = scene.found()
    assert (finding.state, finding.subject) == ("unknown", SUBJECT)
    assert "token" in finding.says


def test_staging_too_is_asked_by_checks_that_cannot_sign_in(scene: Scene) -> None:
    _everything(scene.project)
    context, settings = scene.context, MANIFEST.environments["production"]
    open_to_us = replace(MANIFEST, environments={"staging": replace(settings, approval=None)})
    found = vercel_findings.look("staging", open_to_us, context.http, context.credentials)
    [finding] = [each for each in found if each.state != "ok"]
    assert "asks users of the public address to sign in" in finding.says
