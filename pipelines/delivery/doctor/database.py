"""What the addresses of an environment's databases are: of a session, reachable from a hosted runner, and answered by something.

Nothing signs in, and of an address only host and port are ever shown: a password may stand anywhere in one that cannot be read.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines import findings
from pipelines.delivery.migrations import address as addresses
from pipelines.delivery.migrations.address import DatabaseAddress, Resolve
from pipelines.errors import CredentialsError
from pipelines.findings import Finding
from pipelines.providers import secret_manager
from pipelines.providers.google_api import GoogleRefused

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.manifest.targets import Target

Connect = Callable[..., Any]
"""As `socket.create_connection`."""
SECONDS = 5.0
"""How long a connection may take."""
_USES = {
    "database_secret": "migrations",
    "database_read_secret": "counting rows",
    "database_copy_secret": "trying migrations",
}
"""Key of a target -> what is done at the address in that secret."""


def look(
    contexts: Mapping[str, Context],
    *,
    resolve: Resolve = socket.getaddrinfo,
    connect: Connect = socket.create_connection,
) -> Iterator[Finding]:
    """One finding for each address of the environments that are asked about."""
    for name, context in contexts.items():
        for component, target in context.settings.targets.items():
            for secret, use in _addresses(target):
                database = _Database(f"database, {name}: {component}, {use}", context, target.project, secret)
                yield from findings.guarded(database.subject, partial(database.examined, resolve, connect))


def _addresses(target: Target) -> Iterator[tuple[str, str]]:
    """(secret, what is done at the address in it): those that this machine reads, as a workflow's job does."""
    for key, use in _USES.items():
        secret = getattr(target, key)
        if secret and not (target.migrate_by == "job" and key != "database_copy_secret"):
            yield secret, use


class _Database:
    """The address in one secret."""

    def __init__(self, subject: str, context: Context, project: str, secret: str) -> None:
        self.subject = subject
        self._context, self._project, self._secret = context, project, secret

    def examined(self, resolve: Resolve, connect: Connect) -> Iterator[Finding]:
        """The one finding. Raises CredentialsError where the secret may not be read."""
        yield self._examined(resolve, connect)

    def _examined(self, resolve: Resolve, connect: Connect) -> Finding:
        try:
            text = self._text()
        except CredentialsError as error:
            if not isinstance(error.__cause__, GoogleRefused):
                raise
            return self._missing(error.what, self._store())
        try:
            found = addresses.read(text)
        except CredentialsError as error:
            return self._missing(f"{error.what}: {error.why}", self._store())
        if found.next_step:
            says = "a pooler in transaction mode: each transaction gets another session, and the lock of migrations would not hold"
            return self._missing(f"{found.host}:{found.port} is {says}", f"{found.next_step}: {self._store()}")
        if addresses.is_ipv6_only(text, resolve):
            says = f"{found.host} has addresses of IPv6 alone, and GitHub's hosted runners have IPv4 alone"
            return self._missing(says, f"use an address that has IPv4 (Supabase: the session pooler): {self._store()}")
        return self._reached(found, connect)

    def _text(self) -> str:
        text = secret_manager.access(self._context.http, self._context.credentials, self._project, self._secret)
        self._context.runtime.mask(text)
        return text

    def _reached(self, found: DatabaseAddress, connect: Connect) -> Finding:
        """Whether something takes a connection. From here: what is closed to this machine can be open to a runner."""
        host, where = found.host.split(",")[0], f"{found.host}:{found.port}"
        if not host or host.startswith("/"):
            return Finding(subject=self.subject, state="unknown", says="a socket of the machine that migrates")
        try:
            connect((host, found.port), timeout=SECONDS).close()
        except socket.gaierror:
            return self._missing(f"there is no host {host}", self._store())
        except ConnectionRefusedError:
            return self._missing(f"nothing listens at {where}", f"start it there, or store another: {self._store()}")
        except OSError as error:
            says = f"{where} cannot be reached from here within {SECONDS:.0f} s ({error.strerror or 'timed out'})"
            fix = "let GitHub's hosted runners in, or have the workflows run on a runner inside its network (`runs-on`)"
            return Finding(subject=self.subject, state="unknown", says=says, fix=fix)
        return Finding(subject=self.subject, state="ok", says=f"{where} gives a session, and can be reached")

    def _store(self) -> str:
        return (
            f"gcloud secrets versions add {self._secret.partition('@')[0]} --project={self._project} --data-file=- "
            f"# then its number into {self._context.manifest.file.name}"
        )

    def _missing(self, says: str, fix: str) -> Finding:
        return Finding(subject=self.subject, state="missing", says=says, fix=fix)
