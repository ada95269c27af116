"""What the address of a database says of itself: whether a session can be had there, and whether a hosted runner can reach it.

Migrations need a session of their own: the lock that keeps two runners apart, time-outs and `CONCURRENTLY` belong to one, and a pooler in
transaction mode gives each transaction another.
Sources: supabase.com/docs/guides/database/connecting-to-postgres; neon.com/docs/connect/connection-pooling;
docs.github.com/actions/reference/runners/github-hosted-runners (IPv4 only)
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipelines.errors import CredentialsError, RefusedError

Resolve = Callable[..., list[Any]]
"""As `socket.getaddrinfo`."""
_HOST = re.compile(r"[\w.,:/\[\]-]*")
"""Names, addresses, several of them, the folder of a socket."""
_SUPABASE_TRANSACTIONS = 6543
"""Port of Supabase's poolers in transaction mode, the shared and the dedicated one; 5432 is that of sessions."""


@dataclass(frozen=True, kw_only=True)
class DatabaseAddress:
    """Where a database is; nothing of who signs in."""

    host: str
    port: int

    @property
    def next_step(self) -> str:
        """What to put in place of a pooler in transaction mode; empty where the address is none."""
        if self.host.endswith((".pooler.supabase.com", ".supabase.co")) and self.port == _SUPABASE_TRANSACTIONS:
            return "use Supabase's session pooler: the same user and password at port 5432 of aws-…pooler.supabase.com"
        if self.host.endswith(".neon.tech") and "-pooler." in self.host:
            return "use Neon's direct address: the same without `-pooler` in the host name"
        return ""


def read(address: str) -> DatabaseAddress:
    """Host and port of a URL or of libpq's `key=value` form. Raises CredentialsError, without a word of the address: its password may
    stand anywhere in one that cannot be read."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        found = conninfo_to_dict(address)
        host, port = str(found.get("host") or ""), int(str(found.get("port") or 5432).split(",")[0])
        if not _HOST.fullmatch(host):
            raise ValueError("a part of the password was taken for the host")
    except (psycopg.ProgrammingError, ValueError):
        raise CredentialsError(
            "the address of the database cannot be read",
            where="Postgres",
            why="it is not of the form postgresql://user:password@host:5432/name; in a password `@ / : % ? #` are written as %40 %2F %3A "
            "%25 %3F %23. It is not shown, because its password would be",
            next_step="put a right one into Secret Manager, and its version number into shipmate.yml",
        ) from None
    return DatabaseAddress(host=host, port=port)


def require_session(address: str) -> None:
    """Raises RefusedError for a pooler in transaction mode, CredentialsError as `read` does."""
    found = read(address)
    if found.next_step:
        raise RefusedError(
            f"{found.host}:{found.port} is a pooler in transaction mode",
            where="the address of the database",
            why="each transaction gets another session there: the lock that keeps two runners apart, and time-outs, would not hold",
            next_step=found.next_step,
        )


def is_ipv6_only(address: str, resolve: Resolve = socket.getaddrinfo) -> bool:
    """Whether its host has addresses, and none of IPv4."""
    found = read(address)
    try:
        families = {entry[0] for entry in resolve(found.host, found.port, type=socket.SOCK_STREAM)}
    except OSError:
        return False
    return families == {socket.AF_INET6}
