"""What doctor finds at Google: each broken setting is found with its fix, and set right it is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from pipelines.errors import CredentialsError
from pipelines.findings import Finding
from pipelines.manifest.targets import CloudRun, Scaling
from pipelines.providers import account_findings, cloud_run_quota, google_findings
from pipelines.providers.google_bindings import held
from rehearsal.emulators.google.access import run_service_agent
from tests.pipelines.delivery.google_organisation import REGION, Examined, Organisation, examined

pytestmark = pytest.mark.world

PROJECT, REGISTRY = "techmate-production", "techmate-delivery"
DEPLOYER, RUNTIME = (f"{name}@{PROJECT}.iam.gserviceaccount.com" for name in ("deploy", "api"))
AGENT = run_service_agent(PROJECT)
REPOSITORY = f"projects/{REGISTRY}/locations/{REGION}/repositories/platform"


@pytest.fixture
def scene() -> Iterator[Examined]:
    with examined() as made:
        yield made


def found(scene: Examined, environment: str = "production") -> list[Finding]:
    context = scene.organisation.context(scene.manifest, environment)
    return list(google_findings.look(environment, scene.manifest, context.http, context.credentials))


def lacking(scene: Examined, environment: str = "production") -> list[Finding]:
    """All that is not well."""
    return [each for each in found(scene, environment) if each.state != "ok"]


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_nothing_is_missing_of_what_a_world_sets_up(scene: Examined, environment: str) -> None:
    findings = found(scene, environment)
    assert [each for each in findings if each.state != "ok"] == []
    assert len({each.subject for each in findings}) >= 5


def with_largest(scene: Examined, most: int, cpu: str | None = None) -> Examined:
    """The same, where production's service may have so many instances."""
    settings = scene.manifest.environments["production"]
    service = settings.targets["backend"]
    assert isinstance(service, CloudRun)
    targets = {**settings.targets, "backend": replace(service, scaling=Scaling(max=most), cpu=cpu)}
    environments = {**scene.manifest.environments, "production": replace(settings, targets=targets)}
    return replace(scene, manifest=replace(scene.manifest, environments=environments))


@pytest.mark.parametrize(
    ("project", "api"),
    [(PROJECT, name) for name in ("run", "iam", "iamcredentials", "sts", "secretmanager")] + [(REGISTRY, "artifactregistry")],
)  # fmt: skip
def test_an_api_that_is_not_enabled(scene: Examined, project: str, api: str) -> None:
    scene.organisation.usage.control.disable(project, f"{api}.googleapis.com")
    [finding] = lacking(scene)
    assert (finding.state, finding.subject) == ("missing", f"Google, production: APIs of {project}")
    assert finding.fix == f"gcloud services enable {api}.googleapis.com --project={project}"
    scene.organisation.usage.control.enable(project, f"{api}.googleapis.com")
    assert lacking(scene) == []


ROLES: list[tuple[str, str, str, str, str]] = [
    (AGENT, REPOSITORY, "roles/artifactregistry.reader", "may not pull images",
     f"gcloud artifacts repositories add-iam-policy-binding platform --project={REGISTRY} --location={REGION}"),
    (DEPLOYER, REPOSITORY, "roles/artifactregistry.writer", "may not push images",
     f"gcloud artifacts repositories add-iam-policy-binding platform --project={REGISTRY} --location={REGION}"),
    (DEPLOYER, f"projects/{PROJECT}", "roles/run.developer", "may not deploy",
     f"gcloud projects add-iam-policy-binding {PROJECT}"),
    (DEPLOYER, "projects/techmate-staging", "roles/run.viewer", "may not see what staging proved",
     "gcloud projects add-iam-policy-binding techmate-staging"),
    (DEPLOYER, f"projects/{PROJECT}/serviceAccounts/{RUNTIME}", "roles/iam.serviceAccountUser", "may not let services run as",
     f"gcloud iam service-accounts add-iam-policy-binding {RUNTIME} --project={PROJECT}"),
    (DEPLOYER, f"projects/{PROJECT}/secrets/migration-database-url", "roles/secretmanager.secretAccessor",
     "may not read the secret migration-database-url",
     f"gcloud secrets add-iam-policy-binding migration-database-url --project={PROJECT}"),
    (RUNTIME, f"projects/{PROJECT}/secrets/redis-url", "roles/secretmanager.secretAccessor",
     "may not read the secret redis-url", f"gcloud secrets add-iam-policy-binding redis-url --project={PROJECT}"),
]  # fmt: skip


@pytest.mark.parametrize(("account", "resource", "role", "says", "fix"), ROLES)
def test_a_role_that_is_not_held(scene: Examined, account: str, resource: str, role: str, says: str, fix: str) -> None:
    scene.organisation.take(account, resource, role)
    [finding] = lacking(scene)
    assert (finding.state, finding.subject) == ("missing", f"Google, production: {account}")
    assert finding.says.startswith(says)
    assert finding.fix == f"{fix} --member=serviceAccount:{account} --role={role}"
    scene.organisation.give(account, resource, role)
    assert lacking(scene) == []


def test_a_role_of_the_whole_project_or_of_a_folder_above_it_is_enough(scene: Examined) -> None:
    organisation = scene.organisation
    organisation.take(AGENT, REPOSITORY, "roles/artifactregistry.reader")
    organisation.give(AGENT, f"projects/{REGISTRY}", "roles/artifactregistry.admin")
    assert lacking(scene) == []
    organisation.take(AGENT, f"projects/{REGISTRY}", "roles/artifactregistry.admin")
    organisation.projects.hierarchy.add_folder("folders/7", "organizations/1")
    organisation.projects.hierarchy.add(REGISTRY, "folders/7")
    organisation.give(AGENT, "folders/7", "roles/artifactregistry.reader")
    [finding] = lacking(scene)
    assert finding.state == "unknown", "who looks may not read the folder"
    assert "folders.getIamPolicy" in finding.says and "add-iam-policy-binding" in finding.fix
    permissions = frozenset({"resourcemanager.folders.get", "resourcemanager.folders.getIamPolicy"})
    everywhere = ("techmate-production", "techmate-staging", REGISTRY)
    readable = frozenset(
        {"resourcemanager.*", "serviceusage.*", "artifactregistry.*", "iam.*", "secretmanager.secrets.*"}
    )
    organisation.allow(readable | permissions, *everywhere, "folders/7", "organizations/1")
    organisation.give(AGENT, "organizations/1", "roles/viewer")
    assert lacking(scene) == []


def test_a_role_held_in_a_way_that_is_not_shown_is_unknown(scene: Examined) -> None:
    organisation, here = scene.organisation, f"projects/{PROJECT}"
    organisation.take(DEPLOYER, here, "roles/run.developer")
    organisation.give(DEPLOYER, here, f"{here}/roles/deploys")
    [finding] = lacking(scene)
    assert finding.state == "unknown"
    assert f"it holds the custom role {here}/roles/deploys" in finding.says


MEMBER = "a@p.iam.gserviceaccount.com"


@pytest.mark.parametrize(
    ("binding", "state"),
    [
        ({"role": "roles/owner", "members": [f"serviceAccount:{MEMBER}"]}, "ok"),
        ({"role": "roles/owner", "members": ["allUsers"]}, "ok"),
        ({"role": "roles/owner", "members": ["group:all@example.com"]}, "unknown"),
        ({"role": "roles/owner", "members": [f"serviceAccount:{MEMBER}"], "condition": {"expression": "x"}}, "unknown"),
        ({"role": "organizations/1/roles/own", "members": [f"serviceAccount:{MEMBER}"]}, "unknown"),
        ({"role": "roles/viewer", "members": [f"serviceAccount:{MEMBER}"]}, "missing"),
        ({"role": "roles/owner", "members": ["serviceAccount:other@p.iam.gserviceaccount.com"]}, "missing"),
    ],
)
def test_one_binding(binding: Mapping[str, Any], state: str) -> None:
    assert held(MEMBER, frozenset({"roles/owner"}), [lambda: [binding]]).state == state


def test_a_policy_that_may_not_be_read_leaves_it_unknown_unless_another_holds_it() -> None:
    def refused() -> list[Mapping[str, Any]]:
        raise CredentialsError("Google refuses", next_step="ask an administrator")

    owner: Mapping[str, Any] = {"role": "roles/owner", "members": [f"serviceAccount:{MEMBER}"]}
    assert held(MEMBER, frozenset({"roles/owner"}), [refused, lambda: [owner]]).state == "ok"
    unknown = held(MEMBER, frozenset({"roles/owner"}), [refused, list])
    assert (unknown.state, unknown.why) == ("unknown", "Google refuses")


def test_what_does_not_exist_is_missing_with_the_command_that_makes_it(scene: Examined) -> None:
    scene.organisation.registry.repositories.clear()
    findings = lacking(scene)
    assert {each.subject for each in findings} == {f"Google, production: {AGENT}", f"Google, production: {DEPLOYER}"}
    assert {each.fix for each in findings} == {
        f"gcloud artifacts repositories create platform --project={REGISTRY} --location={REGION} --repository-format=docker"
    }
    scene.organisation.registry.repositories.add(REPOSITORY)
    scene.organisation.secrets.secrets.delete(f"projects/{PROJECT}/secrets/redis-url", None)
    [finding] = lacking(scene)
    assert finding.says == f"cannot read the secret redis-url of {PROJECT}: it does not exist"
    assert finding.fix.startswith(f"gcloud secrets create redis-url --project={PROJECT} ")


def test_a_region_without_the_cpu_that_the_manifest_asks_for(scene: Examined) -> None:
    scene.organisation.usage.control.grant_cpu(PROJECT, REGION, 20_000)
    [finding] = lacking(scene)
    assert (finding.state, finding.subject) == ("missing", f"Google, production: CPU in {REGION} of {PROJECT}")
    assert finding.says == "20 vCPU are allowed, up to 50 are asked for: Cloud Run refuses to deploy api"
    assert f"--dimensions=region={REGION} --preferred-value=50000" in finding.fix
    assert lacking(with_largest(scene, 20)) == [], "fewer instances"
    assert [each.state for each in lacking(with_largest(scene, 20, "2"))] == ["missing"], "of more CPU each"
    scene.organisation.usage.control.grant_cpu(PROJECT, REGION, -1)
    assert lacking(scene) == []


@pytest.mark.parametrize(("cpu", "is_milli"), [("1", 1000), ("0.5", 500), ("1000m", 1000), ("8", 8000)])
def test_quantities_of_cpu(cpu: str, is_milli: int) -> None:
    assert cloud_run_quota.milli(cpu) == is_milli


def _nothing(organisation: Organisation) -> None:
    organisation.allow(frozenset())


def _closed(organisation: Organisation) -> None:
    organisation.hosts.clear()


@pytest.mark.parametrize("close", [_nothing, _closed], ids=["no permission", "nobody answers"])
def test_what_cannot_be_read_is_unknown_and_nothing_is_well(
    scene: Examined, close: Callable[[Organisation], None]
) -> None:
    scene.organisation.hosts = dict(scene.organisation.hosts)
    close(scene.organisation)
    if not scene.organisation.hosts:
        scene.organisation.hosts.update(dict.fromkeys(HOSTS, "http://127.0.0.1:1"))
    states = {each.state for each in found(scene)}
    assert states == {"unknown"}


HOSTS = tuple(
    f"{name}.googleapis.com"
    for name in ("iam", "cloudresourcemanager", "serviceusage", "artifactregistry", "secretmanager")
)


def test_an_environment_without_google_is_not_asked_about(scene: Examined) -> None:
    settings = scene.manifest.environments["production"]
    bare = replace(scene.manifest, environments={"production": replace(settings, targets={})})
    context = scene.organisation.context(scene.manifest, "production")
    assert list(account_findings("production", bare, context.http, context.credentials)) == []


INSTANCE = "techmate-data:europe-west1:main"


def with_cloud_sql(scene: Examined) -> Examined:
    """The same, where production's service has the socket of a database, by which a job migrates."""
    settings = scene.manifest.environments["production"]
    service = settings.targets["backend"]
    assert isinstance(service, CloudRun)
    targets = {**settings.targets, "backend": replace(service, cloud_sql=(INSTANCE,), migrate_by="job")}
    environments = {**scene.manifest.environments, "production": replace(settings, targets=targets)}
    return replace(scene, manifest=replace(scene.manifest, environments=environments))


def test_a_job_that_migrates_by_cloud_sql_needs_its_api_and_its_roles(scene: Examined) -> None:
    own = scene.organisation
    own.projects.hierarchy.add("techmate-data")
    own.usage.usage.enable("techmate-data", "iam.googleapis.com")
    own.show("techmate-data")
    changed = with_cloud_sql(scene)
    found = {(each.subject, each.says): each.fix for each in lacking(changed)}
    secret = "gcloud secrets add-iam-policy-binding migration-database-url --project=techmate-production"
    assert found == {
        ("Google, production: APIs of techmate-data", "sqladmin.googleapis.com not enabled"):
            "gcloud services enable sqladmin.googleapis.com --project=techmate-data",
        (f"Google, production: {RUNTIME}", "may not connect to Cloud SQL in techmate-data"):
            f"gcloud projects add-iam-policy-binding techmate-data --member=serviceAccount:{RUNTIME} --role=roles/cloudsql.client",
        (f"Google, production: {RUNTIME}", "may not read the secret migration-database-url of techmate-production"):
            f"{secret} --member=serviceAccount:{RUNTIME} --role=roles/secretmanager.secretAccessor",
    }  # fmt: skip
    own.usage.control.enable("techmate-data", "sqladmin.googleapis.com")
    own.give(RUNTIME, "projects/techmate-data", "roles/cloudsql.client")
    own.give(
        RUNTIME, "projects/techmate-production/secrets/migration-database-url", "roles/secretmanager.secretAccessor"
    )
    own.take(
        DEPLOYER, "projects/techmate-production/secrets/migration-database-url", "roles/secretmanager.secretAccessor"
    )
    assert lacking(changed) == [], "and the deployer need not read the address"
