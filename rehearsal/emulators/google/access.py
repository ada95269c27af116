"""Who may call: the question every Google emulator asks about a bearer token."""

from __future__ import annotations

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


def anyone(_token: str | None, _permission: str, _resource: str, /) -> str:
    """An `Authorise` for worlds and tests in which access is not what is being looked at."""
    return "anyone@world.invalid"


def project_of(resource: str) -> str:
    """The project in `projects/<project>/…`. Raises GoogleError INVALID_ARGUMENT for any other form."""
    parts = resource.split("/")
    if len(parts) < 2 or parts[0] != "projects" or not parts[1]:
        raise GoogleError("INVALID_ARGUMENT", f"'{resource}' does not begin with projects/<project>.")
    return parts[1]
