"""What is measured of a page whose faults are known. Lower bounds only: a busy machine makes everything longer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from e2e import page_load
from e2e.page_load import Device, Sample, document, judged, samples, worst

pytestmark = pytest.mark.world

PAGE = """<!doctype html><link rel="icon" href="data:,"><style>p { height: 300px }</style><script src="/kept.js"></script>
<button>Go</button><div id="above"></div><p>Content</p><script>
const busy = (ms) => { const until = performance.now() + ms; while (performance.now() < until); };
document.querySelector("button").onclick = () => { busy(%(busy)d); document.title = "went"; };
if (%(moves)s) requestAnimationFrame(() => requestAnimationFrame(() => {
  document.querySelector("#above").style.height = "400px"; document.title = "moved";
}));
</script>"""
KEPT = "/" * 20_000


class Served(BaseHTTPRequestHandler):
    page = ""

    def do_GET(self) -> None:
        body = (KEPT if self.path == "/kept.js" else self.page).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if self.path == "/kept.js" else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=3600" if self.path == "/kept.js" else "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Served) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def measured(
    browser: Browser, url: str, *, busy: int = 0, moves: bool = False, device: Device = "desktop", acts: bool = True
) -> tuple[Sample, Sample]:
    """A first and a second visit."""
    Served.page = PAGE % {"busy": busy, "moves": json.dumps(moves)}

    def shown(page: Page) -> None:
        page.get_by_text("Content").wait_for()
        if moves:
            page.wait_for_function("document.title === 'moved'")

    def act(page: Page) -> None:
        if acts:
            page.get_by_role("button", name="Go").click()
            page.wait_for_function("document.title === 'went'")

    cold, warm = samples(browser, url, [device], 1, shown=shown, act=act)
    assert (cold.error, warm.error) == ("", "")
    return cold, warm


def test_the_second_visit_brings_only_what_the_browser_may_not_keep(chromium: Browser, url: str) -> None:
    cold, warm = measured(chromium, url)
    assert (cold.visit, cold.requests, warm.visit, warm.requests) == ("cold", 2, "warm", 1)
    assert cold.bytes > len(KEPT) > warm.bytes > 0
    assert 0 < cold.load < 30_000
    assert 0 < cold.lcp < 30_000


def test_the_worst_interaction_is_measured_to_the_paint_after_it(chromium: Browser, url: str) -> None:
    for sample in measured(chromium, url, busy=150):
        assert sample.inp is not None
        assert sample.inp >= 150


def test_what_is_too_quick_to_be_measured_is_the_shortest_and_no_interaction_is_no_data(
    chromium: Browser, url: str
) -> None:
    quick, _ = measured(chromium, url)
    assert quick.inp is not None
    assert quick.inp >= page_load.SHORTEST_MS
    none, _ = measured(chromium, url, acts=False)
    assert none.inp is None
    answers = judged([none], {"INP": 200.0}, size=10**6, requests=20, confidence=0.95)
    assert next(one.verdict for one in answers if one.metric.startswith("INP")) == "no data"
    assert worst(answers) == "no data"


def test_content_that_moves_is_seen(chromium: Browser, url: str) -> None:
    moved, _ = measured(chromium, url, moves=True)
    still, _ = measured(chromium, url)
    assert moved.cls > 0.1 > still.cls


def test_a_phone_is_slower_by_its_network(chromium: Browser, url: str) -> None:
    cold, _ = measured(chromium, url, device="phone")
    # 150 ms for each of two requests, one after the other, and 20 kB at 1.6 Mbit/s.
    assert cold.load >= 2 * 150 + 1000 * len(KEPT) / 200_000


def test_a_page_that_is_not_there_is_a_sample_and_named(chromium: Browser) -> None:
    found = list(samples(chromium, "http://127.0.0.1:9", ["desktop"], 1))
    assert all("ERR_CONNECTION_REFUSED" in one.error or "ERR_UNSAFE_PORT" in one.error for one in found)
    answers = judged(found * 10, {"page load": 2000.0}, size=10**6, requests=20, confidence=0.95)
    assert worst(answers) == "missed"
    written: dict[str, Any] = json.loads(json.dumps(document(answers, found), allow_nan=False))
    assert written["metrics"][0]["value"] is None
    assert written["errors"][0].startswith("desktop, cold: ")


@pytest.mark.parametrize(
    ("variables", "arguments", "message"),
    [
        ({}, [], "E2E_WEB_URL and E2E_API_URL: set to the address"),
        ({}, ["--environment", "nowhere"], "there is none of that name"),
        ({"E2E_ROUTES": "{}"}, ["--environment", "staging"], "keeps nothing for a second visit"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    variables: dict[str, str],
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    for name in ("E2E_WEB_URL", "E2E_API_URL", "E2E_ROUTES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert page_load.main(arguments) == 2
    assert message in capsys.readouterr().err
