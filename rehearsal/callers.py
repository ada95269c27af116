"""Who may call a server on this machine: programs, and pages of its own. Every web page reaches the ports here through its reader.

Sources: www.w3.org/TR/fetch-metadata (Sec-Fetch-Site), RFC 6454 §7 (Origin), RFC 9110 §7.2 (Host). DNS rebinding makes a foreign page one
of the same origin, under a host name that is its own: so the name is looked at for every request.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
Hosts = Callable[[], Collection[str]]
Related = Callable[[str, str], bool | None]
"""Host and origin of a request -> whether that page belongs to the site; None where it is not for this to say."""


def nobody(_host: str, _origin: str) -> bool | None:
    """A `Related` that leaves everything to the usual rule."""
    return None


class KnownCallers:
    """ASGI middleware: 421 for a host name that is not of this world, 403 for what a page of another site sends.

    `hosts`: public names that lead here, `*.` for a whole level; read at each request. Addresses of loopback and names below localhost
    always do. `related`: which pages of other origins may change something at a host, in place of those of public names.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts, related: Related = nobody) -> None:
        self._app, self._hosts, self._related = app, hosts, related

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        refused = self._refusal(scope) if scope["type"] == "http" else None
        await (refused or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host and not self._is_ours(_name(f"//{host}")):
            return JSONResponse({"message": f"{host} is not served here: a rehearsal answers to its own names."}, 421)
        if scope["method"] not in SAFE and self._is_foreign(headers, host):
            return JSONResponse({"message": "A page of another site may change nothing in a rehearsal."}, 403)
        return None

    def _is_foreign(self, headers: Headers, host: str) -> bool:
        """Whether a browser says that a page of another origin asks. One that says nothing is no browser."""
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if site in ("same-origin", "none"):
            return False
        if origin is None:
            return site is not None
        related = self._related(host, origin)
        if related is not None:
            return not related
        return origin not in (f"http://{host}", f"https://{host}") and not self._is_published(_name(origin))

    def _is_ours(self, name: str) -> bool:
        return _is_loopback(name) or self._is_published(name)

    def _is_published(self, name: str) -> bool:
        hosts = self._hosts()
        return bool(name) and (name in hosts or f"*.{name.partition('.')[2]}" in hosts)


class Token:
    """ASGI middleware: 401 for every request without `Authorization: Bearer` and the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._expected = app, f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        given = Headers(scope=scope).get("authorization", "").encode("latin-1")
        if scope["type"] == "http" and not hmac.compare_digest(given, self._expected):
            refused = JSONResponse(
                {"message": "This port takes the world's own token (control_token of world.json)."}, 401
            )
            await refused(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _name(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
