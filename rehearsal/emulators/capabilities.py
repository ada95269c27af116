"""What parts of a world do for each other: emulators name these in `needs` and `offers`, the world offers those of its services."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from rehearsal.emulators.cloud_run.front import Front
from rehearsal.emulators.cloud_run.launching import DatabaseServer, ReadSecret
from rehearsal.emulators.cloud_run.quota import CpuLimit
from rehearsal.emulators.declaration import Capability
from rehearsal.emulators.edge.routes import ServeHost
from rehearsal.emulators.google.access import Allows, Authorise
from rehearsal.emulators.google_auth.state import Tokens
from rehearsal.emulators.registry.state import Repositories


class IdentityProvider(Protocol):
    """Who signs the OIDC tokens of jobs."""

    @property
    def issuer(self) -> str:
        """The `iss` of its tokens."""

    @property
    def repository_id(self) -> int:
        """GitHub's number of the platform's repository."""

    @property
    def owner_id(self) -> int:
        """GitHub's number of the account that the repository belongs to."""

    async def keys(self) -> Mapping[str, Any]:
        """Its JSON Web Key Set (RFC 7517)."""


IDENTITY_PROVIDER = Capability[IdentityProvider]("GitHub's OIDC tokens")
DATABASE_URL = Capability[Callable[[str], str]]("the database of an environment")
DATABASE_SERVER = Capability[DatabaseServer]("the server that the sockets of Cloud SQL lead to")
CACHE_URL = Capability[Callable[[str], str]]("the Redis of an environment")

GOOGLE_TOKENS = Capability[Tokens]("Google's tokens and policy")
AUTHORISE = Capability[Authorise]("authorising a Google token")
ALLOWS = Capability[Allows]("asking what a Google account may do")
OPERATOR = Capability[str]("the Google account of the person at a terminal, who may do by hand what a pipeline does")
READ_SECRET = Capability[ReadSecret]("reading a secret as a workload")
IMAGE_REPOSITORIES = Capability[Repositories]("repositories of images")
CPU_LIMIT = Capability[CpuLimit]("the quota of CPU of a project in a region")
SERVICE_FRONT = Capability[Front]("instances of services by host name")
SERVER_TLS = Capability[ssl.SSLContext]("a certificate of the world's authority, for the platform's own servers")
SITES = Capability[ServeHost]("sites by host name")
ERROR_REPORTS = Capability[Callable[[str], str]]("the address that a component reports errors to")
