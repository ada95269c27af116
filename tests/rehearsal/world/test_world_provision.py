"""What is put into the providers: who may become whom, and do what where."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from rehearsal import definition, mobile_apps
from rehearsal.definition import Definition
from rehearsal.emulators.google_auth.policy import CredentialRejected, Policy
from rehearsal.github.app import GitHub
from rehearsal.world import provision
from tests.rehearsal.example_manifest import POOL, written

ISSUER = "http://127.0.0.1:1/_oidc"
DEPLOYERS = {name: f"deployer@acme-{name}.iam.gserviceaccount.com" for name in ("staging", "production")}


@pytest.fixture
def wanted(tmp_path: Path) -> Definition:
    return definition.read(written(tmp_path))


@pytest.fixture
def policy(wanted: Definition) -> Policy:
    trusted = provision.TrustedWorkflows(repository_id=101, files=("deploy-production.yml", "rollback.yml"))
    return provision.google_policy(wanted, ISSUER, trusted=trusted)


def can_become(policy: Policy, environment: str) -> list[str]:
    """Accounts that a job of this environment can be."""
    subject = f"repo:acme/shop:environment:{environment}"
    return [one.email for one in policy.accounts if one.may_be_used_by(subject, {"environment": environment})]


def admitted(policy: Policy, claims: Mapping[str, str]) -> bool:
    try:
        policy.admit(claims)
    except CredentialRejected:
        return False
    return True


def may(policy: Policy, email: str, permission: str, project: str) -> bool:
    account = policy.account(email)
    assert account is not None, email
    return account.may(permission, project)


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_deployer_is_for_the_jobs_of_its_own_environment(policy: Policy, environment: str) -> None:
    assert can_become(policy, environment) == [DEPLOYERS[environment]]


@pytest.mark.parametrize("environment", ["production-approval", "Production", ""])
def test_nobody_else_becomes_anyone(policy: Policy, environment: str) -> None:
    assert can_become(policy, environment) == []


def test_trusted_workflows_alone_are_let_in_and_become_the_deployer_of_their_environment(policy: Policy) -> None:
    claims = {
        "sub": "repo:acme@7/shop@101:environment:production",
        "repository_id": "101",
        "environment": "production",
        "ref": "refs/heads/main",
        "workflow_ref": "acme/shop/.github/workflows/rollback.yml@refs/heads/main",
    }
    subject, attributes = policy.admit(claims)
    found = [account.email for account in policy.accounts if account.may_be_used_by(subject, attributes)]
    assert found == [DEPLOYERS["production"]], "whichever form the subject has"
    for changed in (
        {"repository_id": "102"},
        {"ref": "refs/heads/release/1.x"},
        {"workflow_ref": "acme/shop/.github/workflows/ci.yml@refs/heads/main"},
        {"workflow_ref": "acme/shop/.github/workflows/rollback.yml@refs/heads/x"},
    ):
        assert not admitted(policy, claims | changed), changed
    assert (policy.issuer, policy.audience) == (ISSUER, POOL)


def test_stagings_deployer_cannot_touch_production(policy: Policy) -> None:
    staging = DEPLOYERS["staging"]
    for permission in (
        "run.services.update",
        "run.services.get",
        "secretmanager.versions.access",
        "iam.serviceAccounts.actAs",
    ):
        assert may(policy, staging, permission, "acme-staging")
        assert not may(policy, staging, permission, "acme-production")
        assert may(policy, DEPLOYERS["production"], permission, "acme-production")
        assert not may(policy, DEPLOYERS["production"], permission, "acme-staging")


def test_both_push_to_the_one_registry_and_services_only_pull(policy: Policy) -> None:
    push, pull = "artifactregistry.repositories.uploadArtifacts", "artifactregistry.repositories.downloadArtifacts"
    for deployer in DEPLOYERS.values():
        assert may(policy, deployer, push, "acme-delivery")
    runtime = "run@acme-production.iam.gserviceaccount.com"
    assert may(policy, runtime, pull, "acme-delivery")
    assert not may(policy, runtime, push, "acme-delivery")
    assert not may(policy, runtime, "run.services.update", "acme-production")


def test_the_operator_may_what_deployers_may_and_is_nobodys_by_a_token(policy: Policy) -> None:
    assert may(policy, provision.OPERATOR, "run.services.update", "acme-production")
    assert may(policy, provision.OPERATOR, "iam.serviceAccounts.getIamPolicy", "acme-production")
    assert not may(policy, DEPLOYERS["production"], "iam.serviceAccounts.getIamPolicy", "acme-production")
    assert next(account for account in policy.accounts if account.email == provision.OPERATOR).subjects == frozenset()


def test_secrets_are_each_environments_own(wanted: Definition) -> None:
    values = provision.secret_values(wanted, "postgres of {}".format, "redis of {}".format, "dsn of {}".format)
    assert values[("acme-staging", "database-url")] == "postgres of staging"
    assert values[("acme-production", "migration-database-url")] == "postgres of production"
    assert values[("acme-production", "redis-url")] == "redis of production"
    assert len(values) == 6


def test_secrets_of_any_name_are_made(wanted: Definition) -> None:
    names = ("carrier-key", "orders-redis-url", "orders-sentry-dsn", "ledger")
    service = dataclasses.replace(wanted.services[0], component="orders", secrets=names, database_secret="ledger")
    held = provision.secret_values(
        dataclasses.replace(wanted, services=(service,)),
        "postgres of {}".format,
        "redis of {}".format,
        "dsn of {}".format,
    )
    values = [held[(service.project, name)] for name in names]
    assert values[1:] == ["redis of staging", "dsn of orders", "postgres of staging"]
    assert len(values[0]) == 32, "whatever nobody can guess"


def test_a_platform_without_google_lets_nobody_in(wanted: Definition) -> None:
    bare = dataclasses.replace(wanted, services=(), deployers={}, image_repositories=())
    trusted = provision.TrustedWorkflows(repository_id=101, files=("rollback.yml",))
    policy = provision.google_policy(bare, ISSUER, trusted=trusted)
    assert [account.email for account in policy.accounts] == [provision.OPERATOR]
    assert can_become(policy, "staging") == []


def test_an_environment_has_the_secrets_it_has_a_use_for(wanted: Definition) -> None:
    keys = provision.Keys()
    assert set(provision.needed_secrets(wanted, keys)) == {
        "VERCEL_TOKEN",
        "VERCEL_BYPASS",
        "SMTP_USER",
        "SMTP_PASSWORD",
    }
    told = {"alerts": {"slack_channel": "#deployments"}}
    bare = dataclasses.replace(wanted, sites=(), manifest=told, mail_server=None)
    assert set(provision.needed_secrets(bare, keys)) == {"SLACK_WEBHOOK"}
    assert provision.needed_secrets(dataclasses.replace(bare, manifest={}), keys) == {}


def test_credentials_are_new_in_every_world() -> None:
    one, other = provision.Keys(), provision.Keys()
    secrets, others = provision.github_secrets(one), provision.github_secrets(other)
    assert {"VERCEL_TOKEN", "SMTP_PASSWORD", "SLACK_WEBHOOK"} <= set(secrets)
    assert all(secrets.values())
    assert {name for name, value in secrets.items() if others[name] == value} == {"SMTP_USER"}


def test_secrets_are_renewed_where_they_are_and_nowhere_else(tmp_path: Path) -> None:
    github = GitHub(tmp_path, lambda: datetime(2026, 11, 28, tzinfo=UTC))
    asyncio.run(github.seed.repository("techmate/platform"))
    seed, old, new = github.seed, provision.Keys(), provision.Keys()
    seed.environment("techmate/platform", "production-deploy", secrets=provision.github_secrets(old))
    seed.environment("techmate/platform", "production-approval", secrets={"SLACK_WEBHOOK": "old", "OTHER": "kept"})
    repository = github.service.repository("techmate/platform")
    provision.renew_secrets(seed, repository, new)
    held = {
        name: {secret.name: secret.value for secret in one.secrets.values()}
        for name, one in repository.environments.items()
    }
    assert held == {
        "production-deploy": provision.github_secrets(new),
        "production-approval": {"SLACK_WEBHOOK": new.declared["slack"]["SLACK_WEBHOOK"], "OTHER": "kept"},
    }


def test_a_run_from_before_the_deploying_environment_was_renamed_becomes_nobody() -> None:
    """It is re-run at its old commit, with its old gates, for up to 30 days: by the same workflow on main, in `production`."""
    wanted = definition.read(Path(__file__).resolve().parents[3] / "shipmate.yml")
    trusted = provision.TrustedWorkflows(repository_id=101, files=provision.DEPLOYING)
    policy = provision.google_policy(wanted, ISSUER, trusted=trusted)
    claims = {
        "sub": f"repo:{wanted.repository}:environment:production",
        "repository_id": "101",
        "environment": "production",
        "ref": "refs/heads/main",
        "workflow_ref": f"{wanted.repository}/.github/workflows/deploy-production.yml@refs/heads/main",
    }

    def accounts(environment: str) -> list[str]:
        subject, attributes = policy.admit({**claims, "environment": environment})
        return [one.email for one in policy.accounts if one.may_be_used_by(subject, attributes)]

    assert accounts("production") == []
    assert accounts("production-deploy") == [wanted.deployers["production"][1]]
    assert "production" not in wanted.github_environments.values(), "no secret is left where such a run looks for it"


APPS = """
mobile:
  component: apps
  app: apps/phone
  eas: {account: acme, slug: shop, project: 00000000-0000-0000-0000-000000000000}
  android: {package: test.acme.shop, workload_identity: %s, service_account: play@acme-delivery.iam.gserviceaccount.com}
  ios: {bundle: test.acme.shop, app: "1", issuer: issuer, key: KEY}
alerts: {slack_channel: "#deployments"}
release: {components: {platform: {}, apps: {tag_format: "app-v{version}"}}}
"""


@pytest.fixture
def with_apps(wanted: Definition) -> Definition:
    raw = yaml.safe_load(APPS % POOL)
    return dataclasses.replace(wanted, manifest=raw, apps=mobile_apps.read(raw))


def test_the_environment_that_builds_apps_holds_the_robots_token_alone(with_apps: Definition) -> None:
    held = provision.secrets_of_apps(with_apps, provision.Keys())
    assert set(held["mobile-build"]) == {"EXPO_TOKEN"}
    assert {"EXPO_TOKEN", "APP_STORE_KEY", "SLACK_WEBHOOK"} <= set(held["mobile-stores"])


def test_what_people_alone_have_is_in_terminals_and_in_no_environment(with_apps: Definition) -> None:
    keys, reports = provision.Keys(), {"organization": "acme", "project": "app"}
    manifest = with_apps.manifest | {"mobile": with_apps.manifest["mobile"] | {"reports": reports}}
    reporting = dataclasses.replace(with_apps, manifest=manifest)
    held = provision.terminal_secrets(reporting, keys)
    assert {"SENTRY_READ_TOKEN", "SENTRY_AUTH_TOKEN"} <= set(held)
    assert "SENTRY_AUTH_TOKEN" not in provision.terminal_secrets(with_apps, keys), "nothing reports there"
    at_github = [provision.github_secrets(keys), *provision.secrets_of_apps(reporting, keys).values()]
    assert not any("SENTRY_AUTH_TOKEN" in each for each in at_github)


def test_where_the_platform_is_deployed_no_secret_of_the_apps_is(with_apps: Definition) -> None:
    assert not {"EXPO_TOKEN", "APP_STORE_KEY"} & set(provision.needed_secrets(with_apps, provision.Keys()))
    assert {"EXPO_TOKEN", "APP_STORE_KEY", "VERCEL_TOKEN"} <= set(
        provision.terminal_secrets(with_apps, provision.Keys())
    )


def test_the_environments_of_the_apps_admit_their_tags_alone(with_apps: Definition, tmp_path: Path) -> None:
    github = GitHub(tmp_path, lambda: datetime(2026, 11, 28, tzinfo=UTC))
    asyncio.run(github.seed.repository("acme/shop"))
    provision.make_environments(github.seed, with_apps, provision.Keys())
    environments = github.service.repository("acme/shop").environments
    for name in ("mobile-build", "mobile-stores"):
        assert [(each.type, each.name) for each in environments[name].policies] == [("tag", "app-v*")], name
    assert [(each.type, each.name) for each in environments["mobile-promote"].policies] == [("branch", "main")]
    assert "EXPO_TOKEN" not in environments["mobile-promote"].secrets
    assert "APP_STORE_KEY" in environments["mobile-promote"].secrets


@pytest.mark.parametrize(
    ("claims", "lets_in"),
    [
        ({"ref": "refs/tags/app-v1.0.0", "workflow_ref": "mobile-release.yml@refs/tags/app-v1.0.0"}, True),
        ({"ref": "refs/tags/v1.0.0", "workflow_ref": "mobile-release.yml@refs/tags/v1.0.0"}, False),
        ({"ref": "refs/tags/app-v1.0.0", "workflow_ref": "other.yml@refs/tags/app-v1.0.0"}, False),
        ({"ref": "refs/heads/main", "workflow_ref": "mobile-release.yml@refs/tags/app-v1.0.0"}, False),
        ({"ref": "refs/heads/main", "workflow_ref": "rollback.yml@refs/heads/main"}, True),
        ({"ref": "refs/heads/main", "workflow_ref": "mobile-promote.yml@refs/heads/main"}, True),
        ({"ref": "refs/heads/other", "workflow_ref": "mobile-promote.yml@refs/heads/other"}, False),
        ({"ref": "refs/tags/app-v1.0.0", "workflow_ref": "rollback.yml@refs/tags/app-v1.0.0"}, False),
        ({"ref": "refs/heads/app-v1", "workflow_ref": "mobile-release.yml@refs/heads/app-v1"}, False),
    ],
)
def test_google_lets_in_the_apps_own_workflow_at_their_tags(
    with_apps: Definition, claims: dict[str, str], *, lets_in: bool
) -> None:
    trusted = provision.TrustedWorkflows(repository_id=101, files=provision.DEPLOYING, tags="app-v*")
    policy = provision.google_policy(with_apps, ISSUER, trusted=trusted)
    workflow = f"acme/shop/.github/workflows/{claims['workflow_ref']}"
    said = {
        "sub": "x",
        "environment": "mobile-stores",
        "repository_id": "101",
        "ref": claims["ref"],
        "workflow_ref": workflow,
    }
    assert admitted(policy, said) is lets_in
    for environment in ("mobile-stores", "mobile-promote"):
        assert can_become(policy, environment) == ["play@acme-delivery.iam.gserviceaccount.com"]
    assert not admitted(policy, {**said, "repository_id": "102"})
