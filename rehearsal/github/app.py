"""GitHub as an emulator: one ASGI app for git, the REST API, GraphQL and (by `mount`) pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from rehearsal.github import snapshot
from rehearsal.github.hub import GitHubHub
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.problems import Problem
from rehearsal.github.rest import root
from rehearsal.github.rest.authentication import identify
from rehearsal.github.routes.git import GitRoutes
from rehearsal.github.routes.pages import page_routes
from rehearsal.github.routes.rest import api_routes
from rehearsal.github.seeding import Seed
from rehearsal.runner.hub import Runner


class GitHub:
    """github.com and api.github.com on one port.

    `instance` is its state, `seed` sets it up, `hub` is what a runner asks of it. Set `address`
    when the port is known, and `attach` the runner, before the first request.
    """

    name = "github"
    hosts: tuple[str, ...] = ("github.com", "api.github.com", "uploads.github.com")
    contract: str | None = "github"

    def __init__(self, data: Path, now: Callable[[], datetime]) -> None:
        self.instance = GitHubInstance(data, now)
        self.seed = Seed(self.instance)
        self.hub = GitHubHub(self.instance)
        self._starlette = Starlette(
            routes=[*api_routes(self.instance), *GitRoutes(self.instance).routes(), *page_routes(self.instance)],
        )
        self.app: ASGIApp = PlainPaths(self._starlette)
        self.instance.prepare()

    @property
    def address(self) -> str:
        """Base address, http://127.0.0.1:PORT; git, API, pages and OIDC issuer are all under it."""
        return self.instance.address

    @address.setter
    def address(self, address: str) -> None:
        self.instance.address = address.rstrip("/")

    def attach(self, runner: Runner) -> None:
        """The runner that events go to."""
        self.instance.runner = runner

    def mount(self, routes: Sequence[BaseRoute]) -> None:
        """Serve pages beside the API; its own paths are tried first."""
        self._starlette.router.routes.extend(routes)

    def who(self, scope: Scope) -> frozenset[str]:
        """The caller of a request: the login, with "job" for a job's token and "person" for a user's own. Empty for who cannot
        be known from the Authorization header (browsers, anonymous requests, tokens that are no longer valid)."""
        header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        try:
            identity = identify(self.instance, header)
        except Problem:
            return frozenset()
        if identity.token is None:
            return frozenset()
        return frozenset({identity.login, "job" if identity.is_job else "person"})

    async def start(self) -> None:
        """Nothing runs beside HTTP: git processes start when they are needed."""

    async def stop(self) -> None:
        """End the git processes that are kept open."""
        await self.hub.run_events.stop()
        await self.hub.merge_queues.stop()
        await self.instance.close()

    def reset(self) -> None:
        """Forget accounts, tokens, repositories and everything in them."""
        self.instance.forget()

    def save(self) -> dict[str, Any]:
        """The whole state, git repositories and release assets included, JSON-ready."""
        return snapshot.save(self.instance)

    def load(self, saved: dict[str, Any]) -> None:
        """Replace the state by one that `save` gave."""
        snapshot.load(self.instance, saved)


class PlainPaths:
    """Makes `GET http://api.github.localhost/user`, as clients write it to a proxy, into `GET /user`; and the root
    of an address called `api.…` into the root of the API."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if not self._is_meant(scope):
                text = (
                    f"{scope['path']} is another server's: this is the rehearsal's GitHub, and a proxy to nothing else."
                )
                await JSONResponse({"message": text}, 421)(scope, receive, send)
                return
            scope = self._plain(scope)
        await self._app(scope, receive, send)

    @staticmethod
    def _is_meant(scope: Scope) -> bool:
        """Whether a request is for a GitHub, and not for another server of this machine, as one to a proxy can be: its address may stand in
        the path or, once that is parsed, in Host alone."""
        path, host = scope["path"], dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        asked = urlsplit(path if path.startswith("http://") else f"http://{host}/")
        if asked.hostname not in ("localhost", "127.0.0.1"):
            return True
        own = (scope.get("server") or (None, None))[1]
        return own is None or (asked.port or 80) == own

    def _plain(self, scope: Scope) -> Scope:
        path = scope["path"]
        if path.startswith("http://"):
            path = urlsplit(path).path or "/"
        if path == "/" and dict(scope["headers"]).get(b"host", b"").startswith(b"api."):
            path = root.PATH
        return scope if path == scope["path"] else {**scope, "path": path, "raw_path": path.encode()}
