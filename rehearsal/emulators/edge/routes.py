"""Which host leads where, and the redirect of plain HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from rehearsal.emulators.cloud_run.front import Destination, Front
from rehearsal.emulators.cloud_run.names import ServiceName
from rehearsal.emulators.edge.answers import no_such_deployment, no_such_page, to_https
from rehearsal.emulators.edge.proxy import Proxy

ServeHost = Callable[[str], ASGIApp | None]
"""What answers for a Vercel host, or None when no deployment has it."""


class EdgeRoutes:
    """By Host: `domains` (custom domain -> Cloud Run service), run.app names, then Vercel's hosts."""

    def __init__(self, front: Front, domains: Mapping[str, ServiceName], serve: ServeHost) -> None:
        self._front = front
        self._domains = dict(domains)
        self._serve = serve
        self._proxy = Proxy(front)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        host = _host(scope)
        destination = self._destination(host)
        if destination is not None:
            await self._proxy(destination, scope, receive, send)
            return
        deployed = self._serve(host)
        if deployed is None:
            deployed = no_such_deployment() if host.endswith(".vercel.app") else no_such_page(host)
        await deployed(scope, receive, send)

    def close(self) -> None:
        """Close idle connections to instances."""
        self._proxy.close()

    def _destination(self, host: str) -> Destination | None:
        service = self._domains.get(host)
        return Destination(service) if service is not None else self._front.find(host)


async def redirect(scope: Scope, receive: Receive, send: Send) -> None:
    """The app of the plain port: everything is to be asked again over HTTPS."""
    path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    answer = to_https(_host(scope), path, scope["query_string"].decode("latin-1"))
    await answer(scope, receive, send)


def _host(scope: Scope) -> str:
    """The host asked for, lower case and without a port."""
    for name, value in scope["headers"]:
        if name == b"host":
            return str(value.decode("latin-1").partition(":")[0].lower())
    return ""
