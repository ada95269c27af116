"""One port for every ordinary browser: routes by Host to the world's sites, and keeps their addresses on this machine, both ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rehearsal.world.plain_addresses import GITHUB, SUFFIX, WORLD, PlainAddresses

LONGEST = 16 << 20
"""Bytes of a body that is looked through for addresses; a longer one is passed on as it comes."""
_TEXTS = ("text/html", "text/javascript", "application/javascript", "application/json", "application/manifest+json")
_ADDRESSES_IN = (
    "location",
    "link",
    "access-control-allow-origin",
    "content-security-policy",
    "content-security-policy-report-only",
)
_PROGRAMS = (".github.localhost",)
"""Names that gh and git know; GitHub answers to them as to its own address."""

Rewrite = Callable[[bytes, str], bytes]


@dataclass(frozen=True, kw_only=True)
class PlainSites:
    """`sites`: public host -> app, `*.` for one label of any name. `github` answers for every other name, `pages` for the world's own.
    `server`: GitHub's address, once it is known."""

    sites: Mapping[str, ASGIApp]
    github: ASGIApp
    pages: ASGIApp
    server: Callable[[], str]

    @property
    def addresses(self) -> PlainAddresses:
        """As they are now: GitHub's own is known once it listens."""
        return PlainAddresses(tuple(self.sites), self.server())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        host = Headers(scope=scope).get("host", "").lower()
        name, colon, number = host.partition(":")
        await self._app(scope, name.removesuffix("."), f"{colon}{number}")(scope, receive, send)

    def related(self, host: str, origin: str) -> bool | None:
        """Whether a page of this origin is one of the platform's own, for a request that changes something at one of its sites; None for
        other hosts, which have the usual rule (rehearsal/callers.py)."""
        if self.addresses.public(host) is None:
            return None
        return self.addresses.original(origin, f":{host.partition(':')[2]}".rstrip(":")) is not None

    def _app(self, scope: Scope, name: str, port: str) -> ASGIApp:
        public = self.addresses.public(name)
        if public is not None:
            app = self.sites.get(public) or self.sites[f"*.{public.partition('.')[2]}"]
            return _Translated(app, self.addresses.translate, self.addresses, port, public)
        if name == GITHUB and port:  # programs write it without
            return _Translated(self.github, self.addresses.translate_links, self.addresses, port)
        if name == WORLD:
            return _Translated(self.pages, self.addresses.translate_links, self.addresses, port)
        if name.endswith(SUFFIX) and name != GITHUB and not name.endswith(_PROGRAMS):
            return _unknown(name, port)
        return self.github


@dataclass(frozen=True)
class _Translated:
    """An app at its plain address. `public`: the name that it believes to have; None for what knows its plain one."""

    app: ASGIApp
    rewrite: Rewrite
    addresses: PlainAddresses
    port: str
    public: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send, self)
        await self.app(self._asked(scope), receive, answer.send)

    def _asked(self, scope: Scope) -> Scope:
        """The request as the site would get it at its public address, and never compressed."""
        headers = MutableHeaders(raw=list(scope["headers"]))
        del headers["accept-encoding"]
        if self.public is None:
            return {**scope, "headers": headers.raw}
        headers["host"] = self.public
        for name in ("origin", "referer"):
            original = self.addresses.original(headers.get(name, ""), self.port)
            if original is not None:
                headers[name] = original
        return {**scope, "headers": headers.raw, "scheme": "https", "server": (self.public, 443)}


class _Answer:
    """What goes back: texts are gathered and translated, everything else is passed on as it comes."""

    def __init__(self, send: Send, site: _Translated) -> None:
        self._send = send
        self._site = site
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = self._headers(message["headers"])
            message = {**message, "headers": headers.raw}
            if _is_text(headers):
                self._start = message
            else:
                await self._send(message)
        elif self._start is None:
            await self._send(message)
        else:
            await self._gather(message)

    async def _gather(self, message: Message) -> None:
        self._body += message.get("body", b"")
        more = message.get("more_body", False)
        if more and len(self._body) <= LONGEST:
            return
        start, self._start = self._start, None
        body = self._body if more else self._site.rewrite(self._body, self._site.port)
        if start is not None:
            headers = MutableHeaders(raw=list(start["headers"]))
            if body != self._body:  # a HEAD keeps the length it has
                headers["content-length"] = str(len(body))
            await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    def _headers(self, sent: Any) -> MutableHeaders:
        headers = MutableHeaders(raw=list(sent))
        addresses, port = self._site.addresses, self._site.port
        for name in _ADDRESSES_IN:
            if name in headers:
                headers[name] = addresses.translate_text(headers[name], port)
        if self._site.public is not None:
            _without_tls(headers)
        return headers


def _without_tls(headers: MutableHeaders) -> None:
    """What asks a browser for TLS is left out: there is none at a plain address."""
    del headers["strict-transport-security"]
    for name in ("content-security-policy", "content-security-policy-report-only"):
        if name in headers:
            kept = (part for part in headers[name].split(";") if part.strip() != "upgrade-insecure-requests")
            headers[name] = ";".join(kept)
    cookies = headers.getlist("set-cookie")
    del headers["set-cookie"]
    for cookie in cookies:
        headers.append("set-cookie", "; ".join(_plain_attributes(cookie)))


def _plain_attributes(cookie: str) -> list[str]:
    """A cookie for this one host: no Domain, which the names below localhost have no parent for, and what goes with Secure."""
    first, *attributes = (part.strip() for part in cookie.split(";"))
    dropped = ("secure", "partitioned", "samesite=none")
    return [first, *(one for one in attributes if one.lower() not in dropped and not one.lower().startswith("domain="))]


def _is_text(headers: MutableHeaders) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip() in _TEXTS and "content-encoding" not in headers


def _unknown(name: str, port: str) -> ASGIApp:
    home = f"http://{WORLD}{port}/"
    text = f'<p>No site of this world is called {escape(name)}. <a href="{home}">{home}</a> lists them.</p>'
    return HTMLResponse(f"<!doctype html><title>No such site</title>{text}", 404)
