"""The world's own pages: where everything is, and what people were sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from rehearsal.definition import Definition
from rehearsal.emulator import Notification
from rehearsal.github.pages import rendering
from rehearsal.github.pages.serving import HEADERS
from rehearsal.world.plain_addresses import GITHUB, SUFFIX

LIVE_MILLISECONDS = 2000
"""How often a page that is open asks whether there is anything new."""
_ADDRESS = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")

Received = Callable[[], list[tuple[str, Notification]]]


class WorldPages:
    """`/` and `/messages`. `received`: what people were sent and through what, oldest first."""

    def __init__(self, definition: Definition, received: Received) -> None:
        self._definition = definition
        self._received = received
        self.app = Starlette(routes=[Route("/", self._start), Route("/messages", self._messages)])

    async def _start(self, request: Request) -> Response:
        _, colon, number = request.headers.get("host", "").partition(":")
        port = f"{colon}{number}"
        sites = {
            environment: {name: f"http://{host}{SUFFIX}{port}" for name, host in components.items()}
            for environment, components in self._definition.hosts().items()
        }
        github = f"http://{GITHUB}{port}"
        return self._page(request, "start.html", sites=sites, github=github, count=len(self._received()))

    async def _messages(self, request: Request) -> Response:
        return self._page(request, "messages.html", messages=self._received()[::-1])

    def _page(self, request: Request, template: str, **context: Any) -> Response:
        """A page; 304 for the one that a browser has."""
        now = datetime.now(UTC)
        frame: Mapping[str, Any] = {"now": now, "live": LIVE_MILLISECONDS, "repository": self._definition.repository}
        body = _ENVIRONMENT.get_template(template).render({**frame, **context})
        headers = {**HEADERS, "ETag": rendering.tag(body, now), "Cache-Control": "no-store"}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return HTMLResponse(body, headers=headers)


def linked(text: str | Markup) -> Markup:
    """Plain text with its web addresses as links; HTML as it is."""
    if isinstance(text, Markup):
        return text
    found, position = Markup(""), 0
    for address in _ADDRESS.finditer(text):
        found += escape(text[position : address.start()])
        found += Markup('<a href="{0}">{0}</a>').format(address[0])
        position = address.end()
    return found + escape(text[position:])


def _at(seconds: float) -> Markup:
    return rendering.when(datetime.fromtimestamp(seconds, UTC))


def _build() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"linked": linked, "at": _at}
    environment.globals |= {"script": rendering.SCRIPT, "style": rendering.STYLE}
    return environment


_ENVIRONMENT = _build()
