"""The platform's Google organisation: one workload identity pool, its deployers, its runtime accounts, and what each may do.

As docs/DEPLOYMENT.md has a platform team set it up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rehearsal.definition import Definition, Service
from rehearsal.emulators.google.access import repository_name, run_service_agent
from rehearsal.emulators.google_auth.policy import Policy, ServiceAccount
from rehearsal.emulators.google_auth.roles import (
    ACCOUNT_USER,
    CLOUD_SQL_CLIENT,
    REGISTRY_READER,
    REGISTRY_WRITER,
    RUN_AGENT,
    RUN_DEVELOPER,
    RUN_VIEWER,
    SECRET_ACCESSOR,
)

OPERATOR_GRANTS = frozenset(
    {"run.*", "artifactregistry.*", "secretmanager.versions.access", "iam.serviceAccounts.actAs"}
)
"""What the deployers may, of a person who does by hand what a pipeline does."""
READER_GRANTS = frozenset(
    {
        "iam.serviceAccounts.getIamPolicy",
        "resourcemanager.projects.get",
        "resourcemanager.projects.getIamPolicy",
        "secretmanager.secrets.getIamPolicy",
        "serviceusage.quotas.get",
        "serviceusage.services.get",
        "serviceusage.services.list",
    }
)
"""Of a person who looks at the account: what `roles/viewer` and `roles/iam.securityReviewer` let them read."""
PLAY_GRANTS = frozenset({"serviceusage.services.use"})

OPERATOR = "on-call@operators.iam.gserviceaccount.com"
"""The account behind a terminal that is logged in to Google; may do what the deployers may, and read who may become one."""

MAPPING: Mapping[str, str] = {
    "google.subject": "assertion.sub",
    "attribute.environment": "assertion.environment",
    "attribute.repository_id": "assertion.repository_id",
    "attribute.repository_owner_id": "assertion.repository_owner_id",
}


@dataclass(frozen=True, kw_only=True)
class TrustedWorkflows:
    """The workflow files that deploy, bound by what nobody can take over: ids of repository and owner, its ref, their paths."""

    repository_id: int
    owner_id: int
    files: tuple[str, ...]
    """Names below .github/workflows/."""
    ref: str = "refs/heads/main"
    tags: str = ""
    """Pattern of the tags that release the apps, by a workflow of the tagged commit; empty where none do."""

    def condition(self, repository: str) -> str:
        """The provider's attribute condition."""
        at = f"{repository}/.github/workflows"
        workflows = ", ".join(f"'{at}/{file}@{self.ref}'" for file in self.files)
        ours = (
            f"assertion.repository_id == '{self.repository_id}' && assertion.repository_owner_id == '{self.owner_id}'"
        )
        deploys = f"assertion.ref == '{self.ref}' && assertion.workflow_ref in [{workflows}]"
        if not self.tags:
            return f"{ours} && {deploys}"
        begin = f"refs/tags/{self.tags.removesuffix('*')}"
        releases = f"assertion.ref.startsWith('{begin}') && assertion.workflow_ref.startsWith('{at}/{APPS}@{begin}')"
        return f"{ours} && (({deploys}) || ({releases}))"


APPS = "mobile-release.yml"
"""The workflow that a tag of the apps starts."""
DEPLOYING = ("deploy-staging.yml", "deploy-production.yml", "rollback.yml", "performance.yml", "mobile-promote.yml")
"""Workflows whose jobs may become a deployer, as docs/DEPLOYMENT.md has them set up."""


NO_POOL = "//iam.googleapis.com/projects/0/locations/global/workloadIdentityPools/none/providers/none"
"""Of a platform that has no deployer at Google."""


def google_policy(definition: Definition, issuer: str, *, trusted: TrustedWorkflows) -> Policy:
    """One pool for all environments: only jobs of the trusted workflows on the default branch are let in, and each deployer is
    impersonated by those of its own GitHub environment alone."""
    pools = [pool for pool, _ in definition.deployers.values()]
    provider = (pools or [NO_POOL])[0].removeprefix("//iam.googleapis.com/")
    accounts = [_deployer(definition, environment) for environment in definition.deployers]
    accounts += _play(definition)
    accounts += [_runtime(definition, service) for service in definition.services]
    accounts += [
        _service_agent(definition, project) for project in dict.fromkeys(s.project for s in definition.services)
    ]
    accounts.append(_operator(definition, provider))
    return Policy(
        provider=provider,
        issuer=issuer,
        condition=trusted.condition(definition.repository),
        mapping=MAPPING,
        accounts=tuple(accounts),
    )


def _deployer(definition: Definition, environment: str) -> ServiceAccount:
    proof = definition.proved_by.get(environment)
    roles: dict[str, set[str]] = {}
    for service in definition.services:
        if service.environment == proof:
            roles.setdefault(f"projects/{service.project}", set()).add(RUN_VIEWER)
        if service.environment == environment:
            roles.setdefault(f"projects/{service.project}", set()).add(RUN_DEVELOPER)
            roles.setdefault(_account(service), set()).add(ACCOUNT_USER)
            for name in service.read_secrets:
                roles.setdefault(_secret(service, name), set()).add(SECRET_ACCESSOR)
    for repository in repositories(definition):
        roles.setdefault(repository, set()).add(REGISTRY_WRITER)
    return ServiceAccount(
        email=definition.deployers[environment][1],
        attributes=frozenset({("environment", definition.github_environments[environment])}),
        roles={resource: frozenset(held) for resource, held in roles.items()},
    )


def _account(service: Service) -> str:
    return f"projects/{service.account.partition('@')[2].partition('.')[0]}/serviceAccounts/{service.account}"


def _secret(service: Service, name: str) -> str:
    return f"projects/{service.project}/secrets/{name}"


def _play(definition: Definition) -> list[ServiceAccount]:
    """Who releases on Google Play. It may use the API of its own project; what it may do to the app is set in the Play Console."""
    if definition.apps is None or definition.apps.deployer is None:
        return []
    _, email, environment = definition.apps.deployer
    environments = (environment, definition.apps.promote)
    account = ServiceAccount(email=email, attributes=frozenset(("environment", each) for each in environments))
    return [replace(account, grants={account.project: PLAY_GRANTS})]


def _operator(definition: Definition, provider: str) -> ServiceAccount:
    projects = [*(service.project for service in definition.services), *registry_projects(definition)]
    grants = dict.fromkeys(projects, OPERATOR_GRANTS | READER_GRANTS)
    pool_project = provider.split("/")[1]
    for account in _play(definition):
        grants[account.project] = grants.get(account.project, frozenset()) | PLAY_GRANTS
    return ServiceAccount(
        email=OPERATOR, grants={**grants, pool_project: frozenset({"iam.workloadIdentityPoolProviders.get"})}
    )


def _runtime(definition: Definition, service: Service) -> ServiceAccount:
    """An account that runs several services of its project reads the secrets of each, and connects to the databases of each."""
    same = [each for each in definition.services if each.account == service.account]
    roles = {_secret(each, name): frozenset({SECRET_ACCESSOR}) for each in same for name in each.run_secrets}
    instances = (instance for each in same for instance in each.cloud_sql)
    roles |= {f"projects/{instance.rsplit(':', 2)[0]}": frozenset({CLOUD_SQL_CLIENT}) for instance in instances}
    return ServiceAccount(email=service.account, roles=roles)


def _service_agent(definition: Definition, project: str) -> ServiceAccount:
    reads = dict.fromkeys(repositories(definition), frozenset({REGISTRY_READER}))
    return ServiceAccount(
        email=run_service_agent(project), roles={f"projects/{project}": frozenset({RUN_AGENT}), **reads}
    )


def repositories(definition: Definition) -> list[str]:
    """Repositories of Artifact Registry that images and builds are kept in, by their full names."""
    parts = (repository.partition("/") for repository in definition.image_repositories)
    return list(dict.fromkeys(repository_name(host, path) for host, _, path in parts))


def registry_projects(definition: Definition) -> list[str]:
    """Projects of Artifact Registry repositories: the first part of their path."""
    return list(dict.fromkeys(repository.split("/")[1] for repository in definition.image_repositories))
