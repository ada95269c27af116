"""What an administrator reads at Google: projects, enabled APIs, quotas, and who was given which role on what. Nothing is written.

Sources: discovery documents cloudresourcemanager.v3, serviceusage.v1 and v1beta1, artifactregistry.v1, secretmanager.v1, iam.v1
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipelines.http import Http
from pipelines.providers import cloud_run_quota, secret_manager
from pipelines.providers.google_api import GoogleApi

RESOURCE_MANAGER = "https://cloudresourcemanager.googleapis.com/v3"
SERVICE_USAGE = "https://serviceusage.googleapis.com"
ARTIFACT_REGISTRY = "https://artifactregistry.googleapis.com/v1"
IAM = "https://iam.googleapis.com/v1"

RUN = "run.googleapis.com"
_PAGES = 20
_REGISTRY = ".pkg.dev"

Bindings = list[Mapping[str, Any]]
"""Of a policy: role, members, and a condition where one binds it."""


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository of Artifact Registry."""

    project: str
    location: str
    name: str

    @classmethod
    def of(cls, reference: str) -> Repository | None:
        """Of `europe-west1-docker.pkg.dev/project/repository/image`; None for a place at another registry."""
        host, _, path = reference.partition("/")
        parts = path.split("/")
        if not host.endswith(_REGISTRY) or len(parts) < 2:
            return None
        location = host.removesuffix(_REGISTRY).removesuffix("-docker")
        return cls(project=parts[0], location=location, name=parts[1])

    def __str__(self) -> str:
        return f"projects/{self.project}/locations/{self.location}/repositories/{self.name}"


class GoogleAccount:
    """Reads with one token. Every method raises CredentialsError where it may not be read, GoogleRefused (`missing` for what is not
    there), ProviderUnavailable. What was read of a project is kept."""

    def __init__(self, http: Http, token: Callable[[], str]) -> None:
        self._http, self._token = http, token
        self.project = cache(self._project)
        self.project_bindings = cache(self._project_bindings)

    def _project(self, project: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._api(RESOURCE_MANAGER).call("GET", f"projects/{project}")
        return found

    def number(self, project: str) -> str:
        """The project's number."""
        return str(self.project(project)["name"]).removeprefix("projects/")

    def service_agent(self, project: str) -> str:
        """Cloud Run's own account in a project, which pulls images (cloud.google.com/iam/docs/service-agents)."""
        return f"service-{self.number(project)}@serverless-robot-prod.iam.gserviceaccount.com"

    def enabled(self, project: str) -> set[str]:
        """Names of the APIs that a project has enabled."""
        params = {"filter": "state:ENABLED", "pageSize": "200"}
        pages = self._api(SERVICE_USAGE).pages(f"v1/projects/{project}/services", params, most=_PAGES)
        return {str(each["name"]).rpartition("/")[2] for page in pages for each in page.get("services", ())}

    def cpu_limit(self, project: str, region: str) -> int | None:
        """Milli vCPU that Cloud Run may allocate in a region; -1 for no limit, None where the answer names no such quota."""
        return cloud_run_quota.cpu_limit(self._http, self._token, project, region)

    def _project_bindings(self, project: str) -> Bindings:
        policy = self._api(RESOURCE_MANAGER).call("POST", f"projects/{project}:getIamPolicy", body=_WHOLE)
        return list(policy.get("bindings", ()))

    def bindings_above(self, project: str) -> Bindings:
        """Roles that a project inherits: of its folders, and of the organisation."""
        manager, found = self._api(RESOURCE_MANAGER), Bindings()
        parent = str(self.project(project).get("parent", ""))
        while parent:
            found += manager.call("POST", f"{parent}:getIamPolicy", body=_WHOLE).get("bindings", ())
            parent = str(manager.call("GET", parent).get("parent", "")) if parent.startswith("folders/") else ""
        return found

    def repository_bindings(self, repository: Repository) -> Bindings:
        """Roles on a repository itself."""
        return self._read(ARTIFACT_REGISTRY, f"{repository}:getIamPolicy")

    def secret_bindings(self, project: str, secret: str) -> Bindings:
        """Roles on a secret itself."""
        return self._read(secret_manager.ROOT, f"projects/{project}/secrets/{secret}:getIamPolicy")

    def account_bindings(self, account: str) -> Bindings:
        """Roles on a service account itself: who may act as it, or become it."""
        policy = self._api(IAM).call("POST", f"projects/-/serviceAccounts/{account}:getIamPolicy", body={})
        return list(policy.get("bindings", ()))

    def _read(self, root: str, path: str) -> Bindings:
        params = {"options.requestedPolicyVersion": "3"}
        return list(self._api(root).call("GET", path, params=params).get("bindings", ()))

    def _api(self, root: str) -> GoogleApi:
        return GoogleApi(self._http, self._token, root)


_WHOLE = {"options": {"requestedPolicyVersion": 3}}
"""Version 3 shows conditions."""
