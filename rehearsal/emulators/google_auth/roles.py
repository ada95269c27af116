"""What Google's predefined roles allow, of those that docs/DEPLOYMENT.md names and as far as an emulator asks.

Source: cloud.google.com/iam/docs/understanding-roles
"""

from __future__ import annotations

from collections.abc import Mapping

RUN_DEVELOPER, RUN_VIEWER, RUN_AGENT = "roles/run.developer", "roles/run.viewer", "roles/run.serviceAgent"
REGISTRY_READER, REGISTRY_WRITER = "roles/artifactregistry.reader", "roles/artifactregistry.writer"
SECRET_ACCESSOR = "roles/secretmanager.secretAccessor"
CLOUD_SQL_CLIENT = "roles/cloudsql.client"
ACCOUNT_USER = "roles/iam.serviceAccountUser"
WORKLOAD_IDENTITY_USER = "roles/iam.workloadIdentityUser"

_PULL = frozenset({"artifactregistry.repositories.get", "artifactregistry.repositories.downloadArtifacts"})

ROLES: Mapping[str, frozenset[str]] = {
    RUN_DEVELOPER: frozenset({"run.*", "resourcemanager.projects.get"}),
    RUN_VIEWER: frozenset(
        {"run.services.get", "run.revisions.get", "run.revisions.list", "resourcemanager.projects.get"}
    ),
    RUN_AGENT: _PULL,
    REGISTRY_READER: _PULL,
    REGISTRY_WRITER: _PULL | {"artifactregistry.repositories.uploadArtifacts"},
    SECRET_ACCESSOR: frozenset({"secretmanager.versions.access"}),
    CLOUD_SQL_CLIENT: frozenset({"cloudsql.instances.connect", "cloudsql.instances.get"}),
    ACCOUNT_USER: frozenset({"iam.serviceAccounts.actAs"}),
}
"""Role -> permissions; `*` matches any run of characters. A role that is not here allows nothing."""
