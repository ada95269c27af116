"""Sends the requests of a page that is opened at its public address to candidates, which have addresses of their own.

For the page nothing differs: its origin, and so CORS, its configuration and its storage are those that users will have.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Route


class RoutesError(Exception):
    """The routes cannot be used; the text says which variable and why."""


@dataclass(frozen=True)
class Routes:
    """`to`: public origin -> origin of the candidate. `headers`: origin of a candidate -> what is sent to it, and to no other."""

    to: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Routes:
        """From E2E_ROUTES and E2E_ROUTE_HEADERS, JSON both; none of them: no routes. Raises RoutesError."""
        to, headers = (_read(values, name) for name in ("E2E_ROUTES", "E2E_ROUTE_HEADERS"))
        for public, candidate in to.items():
            if urlsplit(public).scheme != urlsplit(str(candidate)).scheme:
                raise RoutesError(f"E2E_ROUTES: {public} -> {candidate}: a browser keeps the scheme of a request")
        return cls(to, headers)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names of the candidates."""
        return tuple(urlsplit(url).hostname or "" for url in self.to.values())

    def apply(self, context: BrowserContext) -> None:
        """Of every page of a context, also what its frames and its scripts ask for."""
        for public, candidate in self.to.items():
            context.route(f"{public}/**", lambda route, _, here=public, there=candidate: self._send(route, here, there))

    def _send(self, route: Route, public: str, candidate: str) -> None:
        # Continued by the browser, so that it goes where the browser's own arguments say and its rules of CORS judge the answer.
        # Questions before a request (OPTIONS) are answered by Playwright once anything is routed.
        asked = route.request
        route.continue_(
            url=candidate + asked.url.removeprefix(public),
            headers={**asked.headers, **self.headers.get(candidate, {})},
        )


def _read(values: Mapping[str, str], name: str) -> dict[str, Any]:
    try:
        found = json.loads(values.get(name) or "{}")
    except ValueError as error:
        raise RoutesError(f"{name} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise RoutesError(f"{name} is no object of JSON")
    return found
