"""The edge: one TLS port for everything that people and their browsers open."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

from starlette.types import ASGIApp

from rehearsal.emulator import ProviderEmulator
from rehearsal.emulators.cloud_run.front import Front
from rehearsal.emulators.cloud_run.names import ServiceName
from rehearsal.emulators.edge.authority import Certificates, issue
from rehearsal.emulators.edge.routes import EdgeRoutes, ServeHost, redirect
from rehearsal.serving import Server

PLATFORM_HOSTS = ("*.a.run.app", "*.vercel.app")
"""Names that the platforms themselves give to what runs there."""
_HOSTS = ("techmate.ai", "*.techmate.ai", *PLATFORM_HOSTS)


def nobody(_host: str) -> ASGIApp | None:
    """A `ServeHost` for worlds without Vercel."""
    return None


class Edge(ProviderEmulator):
    """Routes by Host, as `EdgeRoutes` says.

    `start` makes a certificate authority and listens, by TLS on `port` and in plain on `http_port`, which only
    redirects. `app` is what the TLS port serves; wrap it before `start` to listen in. `servers`: names that others answer for, with
    the same certificate.
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
        servers: tuple[str, ...] = (),
        port: int = 0,
        http_port: int = 0,
    ) -> None:
        self.hosts = hosts
        self.port = port
        self.http_port = http_port
        self._routes = EdgeRoutes(front, domains, serve)
        self.app: ASGIApp = self._routes
        self._servers: list[Server] = []
        self._certificates: Certificates = issue(work, (*hosts, *servers))

    @property
    def ca_path(self) -> Path:
        """PEM of the authority, for clients to trust."""
        return self._certificates.ca

    def server_tls(self) -> ssl.SSLContext:
        """For a server that answers for one of `servers`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificates.leaf, self._certificates.key)
        return context

    @property
    def leaf_spki(self) -> str:
        """Base64 SHA-256 of the leaf's public key, for browsers that pin it."""
        return self._certificates.leaf_spki

    @property
    def url(self) -> str:
        """It speaks TLS by itself: `https://127.0.0.1:<port>`; `start` must have returned."""
        return f"https://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen. Raises OSError when a wanted port is taken."""
        certificates = self._certificates
        secure = Server(self.app, "edge", port=self.port, certificate=certificates.leaf, key=certificates.key)
        plain = Server(redirect, "edge (http)", port=self.http_port)
        self.port = await secure.start()
        self._servers.append(secure)
        self.http_port = await plain.start()
        self._servers.append(plain)

    async def stop(self) -> None:
        """Take no more requests. Idempotent."""
        while self._servers:
            await self._servers.pop().stop()
        self._routes.close()

    def reset(self) -> None:
        """Nothing is kept here: what answers is Cloud Run's and Vercel's state."""
