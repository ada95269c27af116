"""Put into the providers what a platform team would set up once: projects, accounts, secrets, people, rules, the repository."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rehearsal.definition import Definition, Service
from rehearsal.emulators.google_auth.policy import Policy, ServiceAccount
from rehearsal.emulators.table import EMULATORS

if TYPE_CHECKING:
    from rehearsal.emulators.declaration import Declaration
    from rehearsal.github.repositories.state import Repository
    from rehearsal.github.seeding import Seed

PEOPLE: Mapping[str, str] = {"dev-1": "write", "dev-2": "write", "release-manager": "maintain", "on-call": "maintain"}
"""Login -> permission on the repository."""
AUTHOR = "dev-2"
"""Who brought what main holds as a world begins, its schedules too."""

DEPLOYER_GRANTS = frozenset(
    {"run.*", "artifactregistry.*", "secretmanager.versions.access", "iam.serviceAccounts.actAs"}
)
VIEWER_GRANTS = frozenset({"run.services.get", "run.revisions.get", "run.revisions.list"})
"""Of a deployer on the environment that proves its releases: what is sealed there counts when the proving run is gone."""
PLAY_GRANTS = frozenset({"serviceusage.services.use"})
RUNTIME_GRANTS = frozenset({"secretmanager.versions.access", "artifactregistry.repositories.downloadArtifacts"})


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Credentials of this world, new every time."""

    vercel: str = field(default_factory=lambda: f"vercel-{secrets.token_hex(12)}")
    vercel_bypass: str = field(default_factory=lambda: secrets.token_hex(16))
    smtp_password: str = field(default_factory=lambda: secrets.token_hex(12))
    declared: Mapping[str, Mapping[str, str]] = field(
        default_factory=lambda: {emulator.name: emulator.secrets() for emulator in EMULATORS}
    )
    """Emulator -> name of the secret at GitHub -> value."""
    personal: Mapping[str, Mapping[str, str]] = field(
        default_factory=lambda: {emulator.name: emulator.personal() for emulator in EMULATORS}
    )
    """Emulator -> name -> value of what GitHub does not hold."""


SMTP_USER = "alerts-of-the-rehearsal"
"""A secret is masked wherever it stands, so it is no word that logs are full of."""
MAINTAIN = 2
"""GitHub's number of the role."""
OPERATOR = "on-call@operators.iam.gserviceaccount.com"
"""The account behind a terminal that is logged in to Google; may do what the deployers may, and read who may become one."""

MAPPING: Mapping[str, str] = {
    "google.subject": "assertion.sub",
    "attribute.environment": "assertion.environment",
    "attribute.repository_id": "assertion.repository_id",
}


@dataclass(frozen=True, kw_only=True)
class TrustedWorkflows:
    """The workflow files that deploy, bound by what nobody can take over: the repository's number, its ref, their paths."""

    repository_id: int
    files: tuple[str, ...]
    """Names below .github/workflows/."""
    ref: str = "refs/heads/main"
    tags: str = ""
    """Pattern of the tags that release the apps, by a workflow of the tagged commit; empty where none do."""

    def condition(self, repository: str) -> str:
        """The provider's attribute condition."""
        at = f"{repository}/.github/workflows"
        workflows = ", ".join(f"'{at}/{file}@{self.ref}'" for file in self.files)
        ours = f"assertion.repository_id == '{self.repository_id}'"
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
    """One pool for all environments: only jobs of the trusted workflows on the default branch are let in, and each deployer can be had by
    those of its own GitHub environment alone."""
    pools = [pool for pool, _ in definition.deployers.values()]
    provider = (pools or [NO_POOL])[0].removeprefix("//iam.googleapis.com/")
    accounts = [_deployer(definition, environment) for environment in definition.deployers]
    accounts += _play(definition)
    accounts += [_runtime(definition, service) for service in definition.services]
    accounts.append(_operator(definition, provider))
    return Policy(
        provider=provider,
        issuer=issuer,
        condition=trusted.condition(definition.repository),
        mapping=MAPPING,
        accounts=tuple(accounts),
    )


def _deployer(definition: Definition, environment: str) -> ServiceAccount:
    proof = definition.proofs.get(environment)
    grants = {service.project: VIEWER_GRANTS for service in definition.services if service.environment == proof}
    grants |= {
        service.project: DEPLOYER_GRANTS for service in definition.services if service.environment == environment
    }
    grants.update({project: frozenset({"artifactregistry.*"}) for project in registry_projects(definition)})
    return ServiceAccount(
        email=definition.deployers[environment][1],
        attributes=frozenset({("environment", definition.github_environments[environment])}),
        grants=grants,
    )


def _play(definition: Definition) -> list[ServiceAccount]:
    """Who releases on Google Play. It may use the API of its own project; what it may do to the app is said in the Play Console."""
    if definition.apps is None or definition.apps.deployer is None:
        return []
    _, email, environment = definition.apps.deployer
    environments = (environment, definition.apps.promote)
    account = ServiceAccount(email=email, attributes=frozenset(("environment", each) for each in environments))
    return [replace(account, grants={account.project: PLAY_GRANTS})]


def _operator(definition: Definition, provider: str) -> ServiceAccount:
    projects = [*(service.project for service in definition.services), *registry_projects(definition)]
    grants = {project: DEPLOYER_GRANTS | {"iam.serviceAccounts.getIamPolicy"} for project in projects}
    pool_project = provider.split("/")[1]
    for account in _play(definition):
        grants[account.project] = grants.get(account.project, frozenset()) | PLAY_GRANTS
    return ServiceAccount(
        email=OPERATOR, grants={**grants, pool_project: frozenset({"iam.workloadIdentityPoolProviders.get"})}
    )


def _runtime(definition: Definition, service: Service) -> ServiceAccount:
    grants = {service.project: RUNTIME_GRANTS, **dict.fromkeys(registry_projects(definition), RUNTIME_GRANTS)}
    return ServiceAccount(email=service.account, grants=grants)


def registry_projects(definition: Definition) -> list[str]:
    """Projects of Artifact Registry repositories: the first part of their path."""
    return list(dict.fromkeys(repository.split("/")[1] for repository in definition.image_repositories))


def secret_values(
    definition: Definition, database: Callable[[str], str], redis: Callable[[str], str], sentry: Callable[[str], str]
) -> dict[tuple[str, str], str]:
    """(project, secret) -> value, for every secret a service names: the address of what the world has, known by how the name ends
    (`shop-database-url`) or as the `database_secret`; for any other something that nobody can guess."""
    made: dict[tuple[str, str], str] = {}
    for service in definition.services:
        known = {
            "database-url": database(service.environment),
            "redis-url": redis(service.environment),
            "sentry-dsn": sentry(service.component),
        }
        for name in service.secrets:
            if name == service.database_secret:
                value = known["database-url"]
            else:
                value = next((held for end, held in known.items() if name.endswith(end)), secrets.token_hex(16))
            made[(service.project, name)] = value
    return made


def github_secrets(keys: Keys) -> dict[str, str]:
    """Secrets of the deployment environments at GitHub."""
    return site_secrets(keys) | mail_secrets(keys) | declared_secrets(keys, EMULATORS)


def site_secrets(keys: Keys) -> dict[str, str]:
    return {"VERCEL_TOKEN": keys.vercel, "VERCEL_BYPASS": keys.vercel_bypass}


def mail_secrets(keys: Keys) -> dict[str, str]:
    return {"SMTP_USER": SMTP_USER, "SMTP_PASSWORD": keys.smtp_password}


def declared_secrets(keys: Keys, emulators: Iterable[Declaration]) -> dict[str, str]:
    return {name: value for emulator in emulators for name, value in keys.declared[emulator.name].items()}


def needed_secrets(definition: Definition, keys: Keys) -> dict[str, str]:
    """Those that the platform has a use for where it deploys, as a team would set them."""
    manifest = definition.manifest
    everywhere = (each for each in EMULATORS if each.used(manifest) and each.environments(manifest) is None)
    used = declared_secrets(keys, everywhere)
    return (site_secrets(keys) if definition.sites else {}) | used | needed_alert_secrets(definition, keys)


def secrets_of_apps(definition: Definition, keys: Keys) -> dict[str, dict[str, str]]:
    """GitHub environment -> its secrets, for those that releases and promotions of the apps run in: the one that builds tells nobody
    anything, the one that promotes reads besides how the apps do."""
    apps, manifest = definition.apps, definition.manifest
    if apps is None:
        return {}
    found: dict[str, dict[str, str]] = {name: {} for name in (*apps.environments, apps.promote)}
    for each in EMULATORS:
        for name in (each.environments(manifest) or ()) if each.used(manifest) else ():
            found[name] |= keys.declared[each.name]
    for name in (*apps.stores, apps.promote):
        found[name] |= needed_alert_secrets(definition, keys)
    found[apps.promote] |= declared_secrets(
        keys, (each for each in EMULATORS if each.name == "sentry" and each.used(manifest))
    )
    return found


def terminal_secrets(definition: Definition, keys: Keys) -> dict[str, str]:
    """What a person on call has in their terminal: everything that any environment has, and what people alone have."""
    found = needed_secrets(definition, keys)
    for each in EMULATORS:
        found |= keys.personal[each.name] if each.used(definition.manifest) else {}
    for held in secrets_of_apps(definition, keys).values():
        found |= held
    return found


def needed_alert_secrets(definition: Definition, keys: Keys) -> dict[str, str]:
    told = declared_secrets(keys, (each for each in EMULATORS if each.alerts and each.used(definition.manifest)))
    return told | (mail_secrets(keys) if definition.mail_server is not None else {})


def renew_secrets(seed: Seed, repository: Repository, keys: Keys) -> None:
    """This world's values for every secret that an environment has: none gets one it did not have, and no environment is made."""
    values = github_secrets(keys)
    for environment in repository.environments.values():
        known = {name: values[name] for name in environment.secrets if name in values}
        seed.secrets(repository.full_name, known, environment=environment.name)


def protect(seed: Seed, definition: Definition) -> None:
    """Rules of branches and tags, as .github/README.md asks for."""
    for pattern in ("main", "release/*"):
        seed.branch_ruleset(definition.repository, (pattern,), checks=("ci",), reviews=1)
    for pattern in definition.tags:
        seed.protect_tags(definition.repository, (pattern,), name=f"tags {pattern}")
    if definition.apps is not None:
        # Whoever makes one has its commit's workflow run beside the secrets of the stores.
        tags = definition.apps.tags
        seed.restrict_tags(definition.repository, (tags,), name=f"who makes {tags}", roles=(MAINTAIN,))


def make_environments(seed: Seed, definition: Definition, keys: Keys) -> None:
    """GitHub's environments: each admits the default branch alone; those that ask for approval have reviewers."""
    for name in definition.github_environments.values():
        wanted = needed_secrets(definition, keys)
        seed.environment(definition.repository, name, branches=("main",), secrets=wanted)
    apps = definition.apps
    for name, secrets_ in secrets_of_apps(definition, keys).items():
        tags = (apps.tags,) if apps and name != apps.promote else ()
        branches = () if tags else ("main",)
        seed.environment(definition.repository, name, branches=branches, tags=tags, secrets=secrets_)
    for approval in definition.approvals:
        seed.environment(
            definition.repository,
            approval.environment,
            branches=("main",),
            reviewers=approval.reviewers,
            prevent_self_review=not approval.alone,
            admins_bypass=False,
            secrets=needed_alert_secrets(definition, keys),
        )
