"""Who may call: the question every Google emulator asks about a bearer token."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Protocol

from rehearsal.emulators.google.errors import GoogleError


class Authorise(Protocol):
    """Answers whether the holder of a token has a permission on a resource.

    `permission` is an IAM permission ("run.services.update"), `resource` a name that begins `projects/<project>`.
    Returns the principal (a service account's address). Raises GoogleError UNAUTHENTICATED or PERMISSION_DENIED.
    """

    def __call__(self, token: str | None, permission: str, resource: str, /) -> str: ...


Allows = Callable[[str, str, str], bool]
"""(service account, permission, resource) -> whether it is granted."""


def everything_allowed(_account: str, _permission: str, _resource: str, /) -> bool:
    """An `Allows` for tests in which access is not what is being looked at."""
    return True


def project_number(project: str) -> str:
    """Twelve digits, the same for the same project in every world."""
    return str(100_000_000_000 + int.from_bytes(hashlib.sha256(project.encode()).digest()[:5]) % 900_000_000_000)


def run_service_agent(project: str) -> str:
    """Cloud Run's own account in a project: it pulls images, whatever account the service runs as."""
    return f"service-{project_number(project)}@serverless-robot-prod.iam.gserviceaccount.com"


def repository_name(host: str, path: str) -> str:
    """`projects/P/locations/L/repositories/R` of `P/R/…` at a host of Artifact Registry; the location is in the host's name."""
    project, _, rest = path.partition("/")
    name = host.partition(":")[0]
    location = name.removesuffix(".pkg.dev").removesuffix("-docker") if name.endswith(".pkg.dev") else "europe-west1"
    return f"projects/{project or '-'}/locations/{location}/repositories/{rest.partition('/')[0]}".rstrip("/")


def anyone(_token: str | None, _permission: str, _resource: str, /) -> str:
    """An `Authorise` for worlds and tests in which access is not what is being looked at."""
    return "anyone@world.invalid"


def project_of(resource: str) -> str:
    """The project in `projects/<project>/…`. Raises GoogleError INVALID_ARGUMENT for any other form."""
    parts = resource.split("/")
    if len(parts) < 2 or parts[0] != "projects" or not parts[1]:
        raise GoogleError("INVALID_ARGUMENT", f"'{resource}' does not begin with projects/<project>.")
    return parts[1]
