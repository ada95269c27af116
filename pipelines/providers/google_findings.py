"""What stands at Google for an environment: enabled APIs, who may do what, and CPU for as many instances as the manifest asks for.

Sources: cloud.google.com/run/docs/reference/iam/roles, …/run/docs/deploying (service agent), …/run/quotas
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from pipelines import findings
from pipelines.findings import Finding
from pipelines.manifest.targets import CloudRun
from pipelines.providers.cloud_run_quota import milli
from pipelines.providers.google_account import Bindings, GoogleAccount, Repository
from pipelines.providers.google_api import GoogleRefused
from pipelines.providers.google_bindings import OWNERS, held

if TYPE_CHECKING:
    from pipelines.http import Http
    from pipelines.manifest import Manifest
    from pipelines.providers import Credentials

RUN_DEVELOPER, RUN_VIEWER = "roles/run.developer", "roles/run.viewer"
REGISTRY_READER, REGISTRY_WRITER = "roles/artifactregistry.reader", "roles/artifactregistry.writer"
CLOUD_SQL_CLIENT = "roles/cloudsql.client"
SECRET_ACCESSOR, ACCOUNT_USER = "roles/secretmanager.secretAccessor", "roles/iam.serviceAccountUser"

ENOUGH: Mapping[str, frozenset[str]] = {
    RUN_DEVELOPER: OWNERS | {RUN_DEVELOPER, "roles/run.admin"},
    RUN_VIEWER: OWNERS | {RUN_VIEWER, RUN_DEVELOPER, "roles/run.admin", "roles/viewer"},
    REGISTRY_WRITER: OWNERS
    | {REGISTRY_WRITER, "roles/artifactregistry.repoAdmin", "roles/artifactregistry.admin"},
    REGISTRY_READER: OWNERS
    | {
        REGISTRY_READER, REGISTRY_WRITER, "roles/artifactregistry.repoAdmin", "roles/artifactregistry.admin", "roles/viewer",
        "roles/run.serviceAgent",
    },
    SECRET_ACCESSOR: frozenset({SECRET_ACCESSOR, "roles/secretmanager.admin", "roles/owner"}),
    ACCOUNT_USER: OWNERS | {ACCOUNT_USER},
    CLOUD_SQL_CLIENT: OWNERS | {CLOUD_SQL_CLIENT, "roles/cloudsql.editor", "roles/cloudsql.admin"},
}  # fmt: skip
"""Role that is asked for -> the predefined ones that allow the same."""
OF_SERVICES = ("run", "iam", "iamcredentials", "sts")
DEFAULT_CPU = "1"
"""Of an instance where neither the manifest nor an earlier revision says another."""


def look(name: str, manifest: Manifest, http: Http, credentials: Credentials) -> Iterator[Finding]:
    """Every finding of one environment that has services at Google. Nothing is raised for what cannot be read: it is unknown."""
    environment = _Environment(name, manifest, GoogleAccount(http, credentials.google))
    for subject, ask in (
        ("APIs", environment.apis),
        ("Cloud Run's service agent", environment.agents),
        ("the deployer", environment.deployer),
        ("runtime accounts", environment.runtime),
        ("CPU", environment.quota),
    ):
        yield from findings.guarded(f"Google, {name}: {subject}", ask)


class _Environment:
    """One environment's part of Google."""

    def __init__(self, name: str, manifest: Manifest, account: GoogleAccount) -> None:
        self._name, self._manifest, self._account = name, manifest, account
        self._settings = manifest.environments[name]
        self._services = [each for each in self._settings.targets.values() if isinstance(each, CloudRun)]
        self._projects = tuple(dict.fromkeys(service.project for service in self._services))

    def apis(self) -> Iterator[Finding]:
        """Of the projects of the services, and of those of the registry."""
        wanted = {project: set(OF_SERVICES) for project in self._projects}
        for service in self._services:
            if _secrets_of(service) or _read_by_deployer(service):
                wanted[service.project].add("secretmanager")
            for instance in service.cloud_sql or ():
                wanted.setdefault(_project_of(instance), set()).add("sqladmin")
        for repository in self._repositories():
            wanted.setdefault(repository.project, set()).add("artifactregistry")
        for project, names in wanted.items():
            yield from findings.guarded(f"Google, {self._name}: APIs of {project}", partial(self._apis, project, names))

    def _apis(self, project: str, names: set[str]) -> Iterator[Finding]:
        enabled, subject = self._account.enabled(project), f"Google, {self._name}: APIs of {project}"
        lacks = sorted(full for name in names if (full := f"{name}.googleapis.com") not in enabled)
        if lacks:
            fix = f"gcloud services enable {' '.join(lacks)} --project={project}"
            yield Finding(subject=subject, state="missing", says=f"{', '.join(lacks)} not enabled", fix=fix)
        else:
            yield Finding(subject=subject, state="ok", says=f"{', '.join(sorted(names))} are enabled")

    def agents(self) -> Iterator[Finding]:
        """Images are pulled by the service agent of each service's project."""
        for project in self._projects:
            agent = self._account.service_agent(project)
            for repository in self._repositories():
                yield self._on_repository(repository, agent, REGISTRY_READER, "pull images")

    def deployer(self) -> Iterator[Finding]:
        """What docs/DEPLOYMENT.md has the deployer allowed, and nothing that it does not need."""
        if self._settings.deployer is None:
            return
        account = self._settings.deployer.service_account
        for project in self._projects:
            yield self._on_project(project, account, RUN_DEVELOPER, "deploy")
        for repository in self._repositories():
            yield self._on_repository(repository, account, REGISTRY_WRITER, "push images")
        for runtime in dict.fromkeys(service.service_account for service in self._services):
            yield self._on_account(runtime, account)
        for service in self._services:
            for secret in _read_by_deployer(service):
                yield self._on_secret(service.project, secret, account)
        for project in self._proving():
            yield self._on_project(project, account, RUN_VIEWER, f"see what {self._settings.proved_by} proved")

    def runtime(self) -> Iterator[Finding]:
        """The account that the instances run as reads their secrets, and connects to their databases."""
        for service in self._services:
            for project in dict.fromkeys(_project_of(instance) for instance in service.cloud_sql or ()):
                yield self._on_project(project, service.service_account, CLOUD_SQL_CLIENT, "connect to Cloud SQL")
            for secret in _secrets_of(service):
                yield self._on_secret(service.project, secret, service.service_account)

    def quota(self) -> Iterator[Finding]:
        """CPU of each region against the instances there may be."""
        for project, region in dict.fromkeys((each.project, each.region) for each in self._services):
            subject = f"Google, {self._name}: CPU in {region} of {project}"
            yield from findings.guarded(subject, partial(self._quota, project, region, subject))

    def _quota(self, project: str, region: str, subject: str) -> Iterator[Finding]:
        limit = self._account.cpu_limit(project, region)
        asked = self._asked(project, region)
        total, largest = sum(asked.values()), max(asked, key=asked.__getitem__)
        if limit is None:
            yield Finding(subject=subject, state="unknown", says="Google names no quota of Cloud Run's CPU")
        elif limit < 0 or total <= limit:
            room = "no limit" if limit < 0 else f"{limit / 1000:g} vCPU are allowed"
            yield Finding(subject=subject, state="ok", says=f"{room}, at most {total / 1000:g} are asked for")
        else:
            refused = asked[largest] > limit
            then = f"Cloud Run refuses to deploy {largest}" if refused else "instances are refused under load"
            says = f"{limit / 1000:g} vCPU are allowed, up to {total / 1000:g} are asked for: {then}"
            yield Finding(subject=subject, state="missing", says=says, fix=self._more_cpu(project, region, total))

    def _asked(self, project: str, region: str) -> dict[str, int]:
        """Service -> milli vCPU of all its instances, of every environment there."""
        targets = [target for each in self._manifest.environments.values() for target in each.targets.values()]
        return {
            each.service: milli(each.cpu or DEFAULT_CPU) * each.scaling.max
            for each in targets
            if isinstance(each, CloudRun) and (each.project, each.region) == (project, region)
        }

    def _more_cpu(self, project: str, region: str, total: int) -> str:
        return (
            f"gcloud beta quotas preferences create --project={project} --service=run.googleapis.com "
            f"--quota-id=CpuAllocPerProjectRegion --dimensions=region={region} --preferred-value={total} --email=YOUR_ADDRESS"
            f" # or a lower `scaling/max` in {self._manifest.file.name}"
        )

    def _repositories(self) -> list[Repository]:
        """Of the components that live here: images and builds."""
        components = (self._manifest.components[name] for name in self._settings.targets)
        places = (each.image or each.build for each in components)
        found = (Repository.of(place.repository) for place in places if place is not None)
        return list(dict.fromkeys(repository for repository in found if repository is not None))

    def _proving(self) -> list[str]:
        """Projects of the environment that proves releases, where they are others."""
        proof = self._manifest.environments.get(self._settings.proved_by or "")
        targets = proof.targets.values() if proof is not None else ()
        projects = dict.fromkeys(target.project for target in targets if isinstance(target, CloudRun))
        return [project for project in projects if project not in self._projects]

    # one role on one resource ------------------------------------------------------------------------------------------------

    def _on_project(self, project: str, account: str, role: str, allows: str) -> Finding:
        return self._need(
            account, role, f"{allows} in {project}", self._inherited(project),
            f"gcloud projects add-iam-policy-binding {project}", f"gcloud projects create {project}",
        )  # fmt: skip

    def _on_repository(self, repository: Repository, account: str, role: str, allows: str) -> Finding:
        place = f"{repository.name} --project={repository.project} --location={repository.location}"
        return self._need(
            account, role, f"{allows} ({repository.location}, {repository.project}/{repository.name})",
            (lambda: self._account.repository_bindings(repository), *self._inherited(repository.project)),
            f"gcloud artifacts repositories add-iam-policy-binding {place}",
            f"gcloud artifacts repositories create {place} --repository-format=docker",
        )  # fmt: skip

    def _on_secret(self, project: str, secret: str, account: str) -> Finding:
        return self._need(
            account, SECRET_ACCESSOR, f"read the secret {secret} of {project}",
            (lambda: self._account.secret_bindings(project, secret), *self._inherited(project)),
            f"gcloud secrets add-iam-policy-binding {secret} --project={project}",
            f"gcloud secrets create {secret} --project={project} --replication-policy=automatic --data-file=-",
        )  # fmt: skip

    def _on_account(self, runtime: str, account: str) -> Finding:
        name, _, domain = runtime.partition("@")
        project = domain.partition(".")[0]
        return self._need(
            account, ACCOUNT_USER, f"let services run as {runtime}",
            (lambda: self._account.account_bindings(runtime), *self._inherited(project)),
            f"gcloud iam service-accounts add-iam-policy-binding {runtime} --project={project}",
            f"gcloud iam service-accounts create {name} --project={project}",
        )  # fmt: skip

    def _inherited(self, project: str) -> tuple[Callable[[], Bindings], ...]:
        return (lambda: self._account.project_bindings(project), lambda: self._account.bindings_above(project))

    def _need(
        self, account: str, role: str, allows: str, policies: Iterable[Callable[[], Bindings]], grant: str, make: str
    ) -> Finding:
        """One finding. `allows`: in words, what the role is for; `grant`: the command up to the member; `make`: what makes the resource."""
        subject = f"Google, {self._name}: {account}"
        try:
            known = held(account, ENOUGH[role], policies)
        except GoogleRefused as error:
            if not error.missing:
                raise
            return Finding(subject=subject, state="missing", says=f"cannot {allows}: it does not exist", fix=make)
        if known.state == "ok":
            return Finding(subject=subject, state="ok", says=f"may {allows}")
        fix = f"{grant} --member={shlex.quote(f'serviceAccount:{account}')} --role={role}"
        if known.state == "unknown":
            says = f"whether it may {allows} cannot be read: {known.why}"
            return Finding(subject=subject, state="unknown", says=says, fix=fix)
        return Finding(subject=subject, state="missing", says=f"may not {allows}", fix=fix)


def _project_of(instance: str) -> str:
    """Of `project:region:name`; a project of a domain has a colon of its own."""
    return instance.rsplit(":", 2)[0]


def _names(references: Iterable[str | None]) -> list[str]:
    """Of `name@version`, each once."""
    return list(dict.fromkeys(each.partition("@")[0] for each in references if each))


def _secrets_of(service: CloudRun) -> list[str]:
    """Secrets that its instances read, or a job that migrates."""
    by_job = (service.database_secret, service.database_read_secret) if service.migrate_by == "job" else ()
    return _names((*service.secrets.values(), *by_job))


def _read_by_deployer(service: CloudRun) -> list[str]:
    """Secrets that jobs read: addresses of databases, and what checks identify themselves by."""
    migrates = (service.database_secret, service.database_read_secret) if service.migrate_by == "workflow" else ()
    return _names((*migrates, service.database_copy_secret, service.probe_secret))
