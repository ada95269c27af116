"""What an administrator is told that the trust stands on, at GitHub and at Google, and that the commands name what lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pipelines.delivery import doctor
from pipelines.delivery.context import Context
from pipelines.findings import Finding
from pipelines.http import Http
from pipelines.manifest import Manifest
from pipelines.manifest.model import Deployer
from pipelines.manifest.performance import AppStarts, Load, Performance
from pipelines.overlay import Overlay
from rehearsal.emulators.google_auth.app import Iam
from rehearsal.emulators.google_auth.policy import Policy, ServiceAccount
from rehearsal.emulators.google_auth.state import Tokens
from rehearsal.github.state.protection import BypassActor
from rehearsal.serving import Server
from tests.shop import REPOSITORY, Shop

pytestmark = pytest.mark.world

PROVIDER = "projects/1234/locations/global/workloadIdentityPools/github/providers/techmate"
DEPLOYER = "deploy@techmate-production.iam.gserviceaccount.com"
READER = "on-call@techmate-production.iam.gserviceaccount.com"


@dataclass
class Google:
    """The IAM of a shop. `condition` and `environment` are what the provider and the deployer are bound by."""

    shop: Shop
    tokens: Tokens
    url: str

    def bind(self, condition: str, environment: str = "production-deploy") -> None:
        self.tokens.policy = policy(condition, environment)

    def context(self, environment: str = "production", login: str = "admin-1") -> Context:
        context = self.shop.context(environment, login=login)
        hosts = {**(self.shop.http.overlay.hosts or {}), "iam.googleapis.com": self.url}
        context.http = context.credentials.http = Http(
            overlay=Overlay(hosts=hosts, time_scale=0.0), policy=self.shop.http.policy
        )
        token = self.tokens.access_token(READER)
        context.runtime.environ = {**context.runtime.environ, "GOOGLE_OAUTH_ACCESS_TOKEN": token}
        settings = context.manifest.environments["production"]
        deployer = Deployer(workload_identity=f"//iam.googleapis.com/{PROVIDER}", service_account=DEPLOYER)
        environments = {**context.manifest.environments, "production": replace(settings, deployer=deployer)}
        context.manifest = replace(context.manifest, environments=environments)
        return context


def policy(condition: str, environment: str) -> Policy:
    reads = {
        "techmate-production": frozenset({"iam.serviceAccounts.getIamPolicy"}),
        "1234": frozenset({"iam.workloadIdentityPoolProviders.get"}),
    }
    return Policy(
        provider=PROVIDER,
        issuer="https://token.actions.example.test",
        condition=condition,
        accounts=(
            ServiceAccount(email=READER, grants=reads),
            ServiceAccount(email=DEPLOYER, attributes=frozenset({("environment", environment)})),
        ),
    )


@pytest.fixture
def google(shop: Shop) -> Iterator[Google]:
    async def keys() -> Mapping[str, Any]:
        return {"keys": []}

    shop.do(shop.github.seed.role, REPOSITORY, "admin-1", "admin")
    tokens = Tokens(policy("", "production-deploy"), keys)
    server = Server(Iam(tokens).app, "iam")
    shop.run(server.start())
    made = Google(shop=shop, tokens=tokens, url=server.url)
    made.bind(bound(shop))
    yield made
    shop.run(server.stop())


def bound(shop: Shop) -> str:
    """A condition as docs/SECURITY.md has it."""
    who, ref, *workflows = doctor.bound_by(shop.github.service.repository(REPOSITORY).id, REPOSITORY, "main")
    return f"{who} && {ref} && assertion.workflow_ref in [{', '.join(workflows)}]"


def examined(google: Google, login: str = "admin-1") -> list[Finding]:
    return doctor.examine({"production": google.context(login=login)})


def missing(found: list[Finding]) -> dict[str, str]:
    """Subject -> the command that mends it."""
    return {finding.subject: finding.mend for finding in found if finding.state == "missing"}


def well(shop: Shop) -> None:
    """What the scene lacks so far: reviewers, no bypass, the secret, rules for tags of mobile releases."""
    seed = shop.github.seed
    for name, reviewer in (("production-approval", "release-manager"), ("production-break-glass", "on-call")):
        shop.do(seed.environment, REPOSITORY, name, branches=("main",), reviewers=(reviewer,), admins_bypass=False)
    for name in ("production-deploy", "staging"):
        shop.do(seed.secrets, REPOSITORY, {"VERCEL_TOKEN": "x"}, environment=name)


def test_nothing_is_missing_where_all_is_set(google: Google) -> None:
    well(google.shop)
    found = examined(google)
    assert missing(found) == {}
    said = {finding.subject: finding.says for finding in found}
    assert said["environment production-deploy"] in ("admits main alone", "holds VERCEL_TOKEN")
    assert said["Google, production: attribute condition"] == "binds repository, ref and workflow"
    assert said[f"Google, production: {DEPLOYER}"] == "is had through attribute.environment/production-deploy alone"


def test_what_a_writer_cannot_read_is_unknown_and_not_well(google: Google) -> None:
    well(google.shop)
    found = examined(google, login="dev-1")
    rulesets = [finding for finding in found if finding.subject.startswith("ruleset")]
    assert len(rulesets) == 3
    assert {finding.state for finding in rulesets} == {"unknown"}


def test_whoever_may_bypass_a_ruleset_is_named(google: Google) -> None:
    well(google.shop)
    actor = BypassActor(actor_id=5, actor_type="RepositoryRole", mode="always")
    google.shop.do(google.shop.github.seed.branch_ruleset, REPOSITORY, ("develop",), bypass=(actor,))
    commands = missing(examined(google))
    assert list(commands) == ["ruleset develop"]
    assert "rulesets/" in commands["ruleset develop"] and "bypass_actors" in commands["ruleset develop"]


def test_secrets_of_the_repository_and_of_an_environment_that_is_left_are_found(google: Google) -> None:
    well(google.shop)
    seed = google.shop.github.seed
    google.shop.do(seed.secrets, REPOSITORY, {"VERCEL_TOKEN": "x", "OTHER": "y"})
    google.shop.do(seed.secrets, REPOSITORY, {"VERCEL_TOKEN": "x"}, environment="production")
    commands = missing(examined(google))
    assert commands["secrets of the repository"] == "gh secret delete VERCEL_TOKEN"
    assert commands["environment production"] == f"gh api -X DELETE repos/{REPOSITORY}/environments/production"


def test_an_environment_without_the_secret_it_needs(google: Google) -> None:
    well(google.shop)
    environment = google.shop.github.service.repository(REPOSITORY).environments["production-deploy"]
    environment.secrets.clear()
    assert missing(examined(google)) == {
        "environment production-deploy": "gh secret set VERCEL_TOKEN --env production-deploy"
    }


def test_the_starts_of_apps_are_read_where_load_tests_are_made(google: Google) -> None:
    """That secret belongs to the environment whose jobs read them, and never to the repository."""
    well(google.shop)
    context = google.context()
    bare = context.manifest
    performance = Performance(app_starts=AppStarts(organization="techmate", project="mobile"))
    settings = bare.environments["production"]
    environments = {**bare.environments, "production": replace(settings, load=Load(visits_per_second=1))}

    def lacks(manifest: Manifest) -> dict[str, str]:
        context.manifest = manifest
        return missing(doctor.examine({"production": context}))

    measured = replace(bare, performance=performance, environments=environments)
    mend = "gh secret set SENTRY_READ_TOKEN --env production-deploy"
    assert lacks(replace(measured, performance=Performance())) == {}, "not declared"
    assert lacks(replace(measured, environments=bare.environments)) == {}, "no load test is made of any"
    assert lacks(measured) == {"environment production-deploy": mend}
    google.shop.do(google.shop.github.seed.secrets, REPOSITORY, {"SENTRY_READ_TOKEN": "x"})
    assert lacks(measured)["secrets of the repository"] == "gh secret delete SENTRY_READ_TOKEN"


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_condition_that_does_not_bind_enough(google: Google, part: int) -> None:
    """Repository, ref and workflow: each alone is missed, and the command sets all."""
    well(google.shop)
    whole = bound(google.shop)
    parts = whole.split(" && ")
    google.bind(" && ".join(each for number, each in enumerate(parts) if number != part))
    commands = missing(examined(google))
    assert list(commands) == ["Google, production: attribute condition"]
    command = commands["Google, production: attribute condition"]
    assert command.startswith("gcloud iam workload-identity-pools providers update-oidc techmate ")
    assert "assertion.repository_id ==" in command and "deploy-production.yml@refs/heads/main" in command


def test_a_deployer_that_another_environment_may_become(google: Google) -> None:
    """Runs from before an upgrade name the environment of that time: their identity must become nobody."""
    well(google.shop)
    google.bind(bound(google.shop), environment="production")
    commands = missing(examined(google))
    assert list(commands) == [f"Google, production: {DEPLOYER}"]
    command = commands[f"Google, production: {DEPLOYER}"]
    assert "add-iam-policy-binding" in command and "attribute.environment/production-deploy" in command
    assert "remove-iam-policy-binding" in command


def test_without_access_to_google_its_part_is_unknown_with_the_command(google: Google) -> None:
    well(google.shop)
    context = google.context()
    context.runtime.environ = {**context.runtime.environ, "GOOGLE_OAUTH_ACCESS_TOKEN": "nobody's"}
    found = doctor.examine({"production": context})
    (unknown,) = [finding for finding in found if finding.subject == "Google, production"]
    assert unknown.state == "unknown"
    assert "--attribute-condition=" in unknown.mend
