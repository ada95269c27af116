"""What goes wrong in the browser while a test runs: it fails the test unless the test announced it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, Request, Response, WebError

from e2e.browser import PATIENCE_MS

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_READS = ("GET", "HEAD", "OPTIONS")
# A page that is left, or a request that the page itself gave up, is no failure.
_GIVEN_UP = "net::ERR_ABORTED"
# Chromium says so beside the answer itself, which is reported with its method.
_SAID_TWICE = "Failed to load resource:"
_ID = "x-request-id"


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and what came of it. `request_id` is the server's X-Request-ID; None where it sent none."""

    method: str
    url: str
    status: int | None
    request_id: str | None


class Troubles:
    """Listens to every page of a context.

    `found`: one line each. A console error, an uncaught error, a page that crashed, a request that failed, an answer of 400
    and above, mixed content, a request that is never answered, and in a test that is to change nothing a request that may.
    """

    def __init__(self, *, read_only: bool) -> None:
        self.read_only = read_only
        self.found: list[str] = []
        self.exchanges: list[Exchange] = []
        self._announced: list[re.Pattern[str]] = []
        self._open: dict[Request, None] = {}
        self._context: BrowserContext | None = None

    def announce(self, *patterns: str) -> None:
        """The test will cause troubles whose lines match these regular expressions; each must come."""
        self._announced += [re.compile(pattern) for pattern in patterns]

    def watch(self, context: BrowserContext) -> None:
        """Listen from here on."""
        self._context = context
        context.on("console", self._console)
        context.on("weberror", self._uncaught)
        context.on("request", self._asked)
        context.on("requestfinished", lambda request: self._open.pop(request, None))
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)
        context.on("page", lambda page: page.on("crash", self._crashed))

    def wait_for_requests(self, patience_ms: int) -> None:
        """Wait until every request is answered; those that are not within `patience_ms` are troubles."""
        until = time.monotonic() + patience_ms / 1000
        while self._pump() and self._open and time.monotonic() < until:
            pass
        for request in self._open:
            self.found.append(f"not answered within {patience_ms / 1000:g} s: {request.method} {_short(request.url)}")
        self._open.clear()

    def judge(self) -> str:
        """What to say of a test that ended well: the troubles it did not announce, and those it announced that never came."""
        bad = [line for line in self.found if not any(one.search(line) for one in self._announced)]
        absent = [one.pattern for one in self._announced if not any(one.search(line) for line in self.found)]
        return "\n".join([*dict.fromkeys(bad), *(f"announced, and never came: {pattern}" for pattern in absent)])

    def _pump(self) -> bool:
        """Let the browser report its events; False when there is no page left to ask."""
        pages = [page for page in self._context.pages if not page.is_closed()] if self._context else []
        if not pages:
            return False
        try:
            for page in pages:
                page.wait_for_function("() => true", timeout=PATIENCE_MS)  # asked in its next frame
        except Error:  # it is busy, or has crashed: that is reported by its own event
            return False
        return True

    def _console(self, message: ConsoleMessage) -> None:
        text, place = message.text, message.location
        if text.startswith("Mixed Content:"):
            self.found.append(f"mixed content: {text.removeprefix('Mixed Content:').strip()}")
        elif message.type in ("error", "assert") and not text.startswith(_SAID_TWICE):
            self.found.append(f"console error: {text} ({_short(place['url'])}:{place['lineNumber']})")

    def _uncaught(self, error: WebError) -> None:
        self.found.append(f"uncaught error: {error.error}")

    def _crashed(self, page: Page) -> None:
        self.found.append(f"page crashed: {_short(page.url)}")

    def _asked(self, request: Request) -> None:
        self._open[request] = None
        if self.read_only and request.method not in _READS:
            self.found.append(f"changes data in a test marked read_only: {request.method} {_short(request.url)}")
        if _is_mixed(request):
            self.found.append(f"mixed content: {request.method} {_short(request.url)} by a page that came by https")

    def _failed(self, request: Request) -> None:
        self._open.pop(request, None)
        if request.failure != _GIVEN_UP:
            self.found.append(f"request failed: {request.method} {_short(request.url)}: {request.failure}")
            self._exchanged(request, None, None)

    def _answered(self, answer: Response) -> None:
        given = answer.headers.get(_ID)
        self._exchanged(answer.request, answer.status, given)
        if answer.status >= 400:
            named = f" ({_ID} {given})" if given else ""
            self.found.append(f"HTTP {answer.status}: {answer.request.method} {_short(answer.url)}{named}")

    def _exchanged(self, request: Request, status: int | None, request_id: str | None) -> None:
        one = Exchange(method=request.method, url=_short(request.url), status=status, request_id=request_id)
        self.exchanges.append(one)


def _short(url: str) -> str:
    """Of what is no address of a server (data:, blob:), its beginning."""
    return url if url.startswith("http") else url[:80]


def _is_mixed(request: Request) -> bool:
    asked = urlsplit(request.url)
    if asked.scheme != "http" or asked.hostname in _LOOPBACK or request.is_navigation_request():
        return False
    try:
        frame: Any = request.frame
    except Error:  # of a page that does not exist yet, or of a service worker
        return False
    return bool(frame.url.startswith("https:"))
