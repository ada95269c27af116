"""The platform's own browser tests against candidates: the page at its public origin, its requests to other addresses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from e2e.routes import Routes, RoutesError
from rehearsal.services import browser

pytestmark = pytest.mark.world

ROOT = Path(__file__).parents[2]
BYPASS = "x-preview-bypass"
PAGE = """<!doctype html><title>TechMate notes</title><link rel="icon" href="data:,">
<p data-testid="release"></p><p data-testid="environment">production</p><main></main>
<script>
%(first)s
fetch("%(api)s/version", {headers: {"X-Asked": "by the page"}}).then((answer) => answer.json()).then((version) => {
  document.querySelector("[data-testid=release]").textContent = version.release;
  document.querySelector("main").innerHTML = "<h2>Newest notes</h2>";
});
</script>"""


class Served(BaseHTTPRequestHandler):
    """One page or one API."""

    place: dict[str, Any]
    """body, kind, origin (which may read it), bypass (what is asked for); `asked` collects headers."""

    def do_GET(self) -> None:
        place = self.place
        place["asked"].append(dict(self.headers))
        if place["bypass"] and self.headers.get(BYPASS) != place["bypass"]:
            self.answer(401, "protected", "text/plain")
        elif self.path in ("/", "/version"):
            self.answer(200, place["body"], place["kind"])
        else:
            self.answer(404, "not found", "text/plain")

    def do_OPTIONS(self) -> None:
        self.answer(200, "", "text/plain")

    def answer(self, status: int, body: str, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.headers.get("Origin") == self.place["origin"]:
            self.send_header("Access-Control-Allow-Origin", self.place["origin"])
            self.send_header("Access-Control-Allow-Headers", "X-Asked")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def serving() -> Iterator[tuple[str, dict[str, Any]]]:
    place: dict[str, Any] = {"body": "", "kind": "text/html", "origin": None, "bypass": "", "asked": []}
    with ThreadingHTTPServer(("127.0.0.1", 0), type("One", (Served,), {"place": place})) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", place
        finally:
            server.shutdown()


class Platform:
    """A page and an API that are live, and a candidate of each, which knows the public origins alone."""

    def __init__(self, stack: ExitStack) -> None:
        (self.web, live), (self.api, live_api), (self.own_web, self.page), (self.own_api, api) = (
            stack.enter_context(serving()) for _ in range(4)
        )
        self.live = (live, live_api)
        live["body"] = PAGE % {"api": self.api, "first": ""}
        self.page["body"] = PAGE % {"api": self.api, "first": ""}
        for place, release in ((live_api, "v1.0.0"), (api, "v1.1.0")):
            place |= {"body": json.dumps({"release": release}), "kind": "application/json", "origin": self.web}

    def look(
        self, *, headers: dict[str, dict[str, str]] | None = None, routed: bool = True, bad: bool = False
    ) -> tuple[int, str]:
        """Run the test that opens the page; exit code and output. For a `bad` page it does not wait long."""
        routes = {self.web: self.own_web, self.api: self.own_api} if routed else {}
        given = {
            "E2E_WEB_URL": self.web,
            "E2E_API_URL": self.api,
            "E2E_ROUTES": json.dumps(routes),
            "E2E_ROUTE_HEADERS": json.dumps(headers or {}),
            "SHIPMATE_BROWSER": str(browser.find().path),
            **({"E2E_PATIENCE_MS": "1000"} if bad else {}),
        }
        environ = {name: value for name, value in os.environ.items() if name != "SHIPMATE_OVERLAY"}
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "read_only", "-k", "opens", "e2e"]
        ran = subprocess.run(
            argv, cwd=ROOT, env={**environ, **given}, capture_output=True, text=True, check=False, timeout=120
        )
        return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture
def platform() -> Iterator[Platform]:
    with ExitStack() as stack:
        yield Platform(stack)


def test_the_candidates_are_asked_alone_as_production_would_be(platform: Platform) -> None:
    platform.page["bypass"] = "made-up"
    code, message = platform.look(headers={platform.own_web: {BYPASS: "made-up"}})
    assert code == 0, message
    assert [place["asked"] for place in platform.live] == [[], []]
    code, message = platform.look(bad=True)
    assert code == 1, message
    assert "1 failed" in message


def test_a_page_that_throws_where_it_is_production_is_seen_before_users_come(platform: Platform) -> None:
    throws = f'if (location.origin === "{platform.web}") throw new Error("This page cannot start.");'
    platform.page["body"] = PAGE % {"api": platform.api, "first": throws}
    code, message = platform.look(bad=True)
    assert code == 1, message
    assert "1 failed" in message
    code, message = platform.look(routed=False)
    assert code == 0, f"what is live is well, but {message}"


def test_a_page_that_only_logs_an_error_is_seen(platform: Platform) -> None:
    platform.page["body"] = PAGE % {"api": platform.api, "first": 'console.error("no configuration");'}
    code, message = platform.look()
    assert (code, "console error: no configuration" in message) == (1, True), message


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("{", "E2E_ROUTES is no JSON"),
        ("[]", "no object"),
        ('{"https://a.test": "http://b.test"}', "keeps the scheme"),
    ],
)
def test_routes_that_cannot_be_used_say_which(value: str, why: str) -> None:
    with pytest.raises(RoutesError, match=why):
        Routes.of({"E2E_ROUTES": value})
