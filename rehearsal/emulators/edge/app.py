"""The edge: one TLS port for everything that people and their browsers open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from rehearsal.emulators.cloud_run.front import Destination, Front
from rehearsal.emulators.cloud_run.names import ServiceName
from rehearsal.emulators.edge.answers import no_such_deployment, no_such_page, to_https
from rehearsal.emulators.edge.authority import Certificates, issue
from rehearsal.emulators.edge.proxy import Proxy
from rehearsal.serving import Server

ServeHost = Callable[[str], ASGIApp | None]
"""What answers for a Vercel host, or None when no deployment has it."""

PLATFORM_HOSTS = ("*.a.run.app", "*.vercel.app")
"""Names that the platforms themselves give to what runs there."""
_HOSTS = ("techmate.ai", "*.techmate.ai", *PLATFORM_HOSTS)


def nobody(_host: str) -> ASGIApp | None:
    """A `ServeHost` for worlds without Vercel."""
    return None


class Edge:
    """Routes by Host: `domains` (custom domain -> Cloud Run service), run.app names, then Vercel's hosts.

    `start` makes a certificate authority and listens, by TLS on `port` and in plain on `http_port`, which only
    redirects. `app` is what the TLS port serves; wrap it before `start` to listen in.
    """

    name = "edge"
    contract: str | None = None  # there is no description of what a platform's own front answers

    def __init__(
        self,
        work: Path,
        front: Front,
        *,
        domains: Mapping[str, ServiceName],
        serve: ServeHost = nobody,
        hosts: tuple[str, ...] = _HOSTS,
        port: int = 0,
        http_port: int = 0,
    ) -> None:
        self.hosts = hosts
        self.port = port
        self.http_port = http_port
        self.app: ASGIApp = self._route
        self._front = front
        self._domains = dict(domains)
        self._serve = serve
        self._proxy = Proxy(front)
        self._servers: list[Server] = []
        self._certificates: Certificates = issue(work, hosts)

    @property
    def ca_path(self) -> Path:
        """PEM of the authority, for clients to trust."""
        return self._certificates.ca

    @property
    def leaf_spki(self) -> str:
        """Base64 SHA-256 of the leaf's public key, for browsers that pin it."""
        return self._certificates.leaf_spki

    @property
    def url(self) -> str:
        """`https://127.0.0.1:<port>`; `start` must have returned."""
        return f"https://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen. Raises OSError when a wanted port is taken."""
        certificates = self._certificates
        secure = Server(self.app, "edge", port=self.port, certificate=certificates.leaf, key=certificates.key)
        plain = Server(_redirect, "edge (http)", port=self.http_port)
        self.port = await secure.start()
        self._servers.append(secure)
        self.http_port = await plain.start()
        self._servers.append(plain)

    async def stop(self) -> None:
        """Take no more requests. Idempotent."""
        while self._servers:
            await self._servers.pop().stop()
        self._proxy.close()

    def reset(self) -> None:
        """Nothing is kept here: what answers is Cloud Run's and Vercel's state."""

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = _host(scope)
        destination = self._destination(host)
        if destination is not None:
            await self._proxy(destination, scope, receive, send)
            return
        deployed = self._serve(host)
        if deployed is None:
            deployed = no_such_deployment() if host.endswith(".vercel.app") else no_such_page(host)
        await deployed(scope, receive, send)

    def _destination(self, host: str) -> Destination | None:
        service = self._domains.get(host)
        return Destination(service) if service is not None else self._front.find(host)


async def _redirect(scope: Scope, receive: Receive, send: Send) -> None:
    path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    answer = to_https(_host(scope), path, scope["query_string"].decode("latin-1"))
    await answer(scope, receive, send)


def _host(scope: Scope) -> str:
    """The host asked for, lower case and without a port."""
    for name, value in scope["headers"]:
        if name == b"host":
            return str(value.decode("latin-1").partition(":")[0].lower())
    return ""
