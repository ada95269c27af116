"""Who may become whom at Google, and do what where."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest

from rehearsal import definition
from rehearsal.definition import Definition
from rehearsal.emulators.google.access import run_service_agent
from rehearsal.emulators.google_auth import seeding
from rehearsal.emulators.google_auth.policy import CredentialRejected, Policy
from tests.rehearsal.example_manifest import POOL, with_apps, written

ISSUER = "http://127.0.0.1:1/_oidc"
DEPLOYERS = {name: f"deployer@acme-{name}.iam.gserviceaccount.com" for name in ("staging", "production")}


@pytest.fixture
def wanted(tmp_path: Path) -> Definition:
    return definition.read(written(tmp_path))


@pytest.fixture
def policy(wanted: Definition) -> Policy:
    trusted = seeding.TrustedWorkflows(repository_id=101, owner_id=7, files=("deploy-production.yml", "rollback.yml"))
    return seeding.google_policy(wanted, ISSUER, trusted=trusted)


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
        "repository_owner_id": "7",
        "environment": "production",
        "ref": "refs/heads/main",
        "workflow_ref": "acme/shop/.github/workflows/rollback.yml@refs/heads/main",
    }
    subject, attributes = policy.admit(claims)
    found = [account.email for account in policy.accounts if account.may_be_used_by(subject, attributes)]
    assert found == [DEPLOYERS["production"]], "whichever form the subject has"
    for changed in (
        {"repository_id": "102"},
        {"repository_owner_id": "8"},
        {"ref": "refs/heads/release/1.x"},
        {"workflow_ref": "acme/shop/.github/workflows/ci.yml@refs/heads/main"},
        {"workflow_ref": "acme/shop/.github/workflows/rollback.yml@refs/heads/x"},
    ):
        assert not admitted(policy, claims | changed), changed
    assert (policy.issuer, policy.audience) == (ISSUER, POOL)


def test_stagings_deployer_cannot_touch_production(policy: Policy) -> None:
    staging = DEPLOYERS["staging"]
    for permission, below in (
        ("run.services.update", "locations/europe-west1/services/api"),
        ("run.services.get", "locations/europe-west1/services/api"),
        ("secretmanager.versions.access", "secrets/migration-database-url"),
        ("iam.serviceAccounts.actAs", "serviceAccounts/run@{}.iam.gserviceaccount.com"),
    ):
        inside, outside = (f"projects/{each}/{below.format(each)}" for each in ("acme-staging", "acme-production"))
        assert may(policy, staging, permission, inside)
        assert not may(policy, staging, permission, outside)
        assert may(policy, DEPLOYERS["production"], permission, outside)
        assert not may(policy, DEPLOYERS["production"], permission, inside)


def test_who_reads_which_secret(policy: Policy) -> None:
    access = "secretmanager.versions.access"
    run, migrations = (f"projects/acme-production/secrets/{name}" for name in ("redis-url", "migration-database-url"))
    runtime = "run@acme-production.iam.gserviceaccount.com"
    assert may(policy, runtime, access, run) and not may(policy, runtime, access, migrations)
    assert may(policy, DEPLOYERS["production"], access, migrations)
    assert not may(policy, DEPLOYERS["production"], access, run)


def test_both_push_to_the_one_registry_and_services_only_pull(policy: Policy) -> None:
    push, pull = "artifactregistry.repositories.uploadArtifacts", "artifactregistry.repositories.downloadArtifacts"
    shop = "projects/acme-delivery/locations/eu/repositories/shop"
    for deployer in DEPLOYERS.values():
        assert may(policy, deployer, push, shop)
    runtime, agent = "run@acme-production.iam.gserviceaccount.com", run_service_agent("acme-production")
    assert may(policy, agent, pull, shop)
    assert not may(policy, runtime, pull, shop)
    assert not may(policy, runtime, push, shop)
    assert not may(policy, runtime, "run.services.update", "acme-production")


def test_the_operator_may_what_deployers_may_and_is_nobodys_by_a_token(policy: Policy) -> None:
    assert may(policy, seeding.OPERATOR, "run.services.update", "acme-production")
    assert may(policy, seeding.OPERATOR, "iam.serviceAccounts.getIamPolicy", "acme-production")
    assert not may(policy, DEPLOYERS["production"], "iam.serviceAccounts.getIamPolicy", "acme-production")
    assert next(account for account in policy.accounts if account.email == seeding.OPERATOR).subjects == frozenset()


def test_a_platform_without_google_lets_nobody_in(wanted: Definition) -> None:
    bare = dataclasses.replace(wanted, services=(), deployers={}, image_repositories=())
    trusted = seeding.TrustedWorkflows(repository_id=101, owner_id=7, files=("rollback.yml",))
    policy = seeding.google_policy(bare, ISSUER, trusted=trusted)
    assert [account.email for account in policy.accounts] == [seeding.OPERATOR]
    assert can_become(policy, "staging") == []


def test_a_run_from_before_the_deploying_environment_was_renamed_becomes_nobody() -> None:
    """It is re-run at its old commit, with its old gates, for up to 30 days: by the same workflow on main, in `production`."""
    wanted = definition.read(Path(__file__).resolve().parents[3] / "shipmate.yml")
    trusted = seeding.TrustedWorkflows(repository_id=101, owner_id=7, files=seeding.DEPLOYING)
    policy = seeding.google_policy(wanted, ISSUER, trusted=trusted)
    claims = {
        "sub": f"repo:{wanted.repository}:environment:production",
        "repository_id": "101",
        "repository_owner_id": "7",
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
    wanted: Definition, claims: dict[str, str], *, lets_in: bool
) -> None:
    trusted = seeding.TrustedWorkflows(repository_id=101, owner_id=7, files=seeding.DEPLOYING, tags="app-v*")
    policy = seeding.google_policy(with_apps(wanted), ISSUER, trusted=trusted)
    workflow = f"acme/shop/.github/workflows/{claims['workflow_ref']}"
    values = {
        "sub": "x",
        "environment": "mobile-stores",
        "repository_id": "101",
        "repository_owner_id": "7",
        "ref": claims["ref"],
        "workflow_ref": workflow,
    }
    assert admitted(policy, values) is lets_in
    for environment in ("mobile-stores", "mobile-promote"):
        assert can_become(policy, environment) == ["play@acme-delivery.iam.gserviceaccount.com"]
    assert not admitted(policy, {**values, "repository_id": "102"})
