"""Our page-load figures beside those of what people use: web-vitals' INP, LCP and CLS of the same visits, Lighthouse's load and LCP.

`python -m benchmarks.page_load [--lighthouse] [--rounds 5]`. Both come from npm, pinned; Lighthouse and what it needs are 111 MB, so it
only runs when asked. Goals: INP and LCP within 8 ms of web-vitals' (Event Timing rounds to that), CLS the same to three places;
Lighthouse's medians within a quarter of ours, since it measures other loads of the page. What web-vitals says by default it says only
when the page is hidden (web-vitals#378): a test that reads it before has nothing, or half of it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from e2e import local
from e2e.browser import fetched, launch_arguments
from e2e.page_load import AFTER_PAINT, OBSERVE, READ, Device, samples

WEB_VITALS, SHA256 = "web-vitals@6.2.3", "0345c05eceae57e921485b0696ab979ef559f3c3dda56abad6ad8145e399a262"
LIGHTHOUSE = "lighthouse@12.2.3"
BUSY = (0, 30, 90, 200, 400)
"""Milliseconds that the slowest of three clicks keeps the page busy."""
ROUNDING = 8
NEAR = 0.25

PAGE = """<!doctype html><link rel="icon" href="data:,"><button>Go</button><div id="above"></div><p>Some content</p><script>
let clicks = 0;
document.querySelector("button").onclick = () => {
  const until = performance.now() + %d / (1 + clicks++);
  while (performance.now() < until);
  document.title = `clicked ${clicks}`;
};
requestAnimationFrame(() => requestAnimationFrame(() => { document.querySelector("#above").style.height = "%dpx"; }));
</script>"""
THEIRS = """;window.theirs = { early: {}, hidden: {} };
for (const name of ["onINP", "onLCP", "onCLS"]) {
  webVitals[name](({ name, value }) => { window.theirs.early[name] = value; }, { reportAllChanges: true });
  webVitals[name](({ name, value }) => { window.theirs.hidden[name] = value; });
}"""
HIDE = """() => {
  Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


class Served(BaseHTTPRequestHandler):
    """Pages whose path says how busy a click is and how far content moves: /200/40."""

    def do_GET(self) -> None:
        """Answer one request."""
        busy, moves = self.path.strip("/").split("/")
        body = (PAGE % (int(busy), int(moves))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def served() -> Iterator[str]:
    """The address of the pages."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Served) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def web_vitals(folder: Path) -> str:
    """The library as a script for a page. Raises SystemExit for another one than the pinned."""
    subprocess.run(
        ["npm", "pack", WEB_VITALS, "--silent", "--pack-destination", str(folder)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (file,) = folder.glob("web-vitals-*.tgz")
    if hashlib.sha256(file.read_bytes()).hexdigest() != SHA256:
        raise SystemExit(f"{WEB_VITALS} is not the one that is pinned here")
    with tarfile.open(file) as archive:
        member = archive.extractfile("package/dist/web-vitals.iife.js")
        if member is None:
            raise SystemExit(f"{WEB_VITALS} holds no script for a page")
        return member.read().decode()


def beside_web_vitals(browser: Browser, library: str) -> bool:
    """Print both for each page; whether they agree."""
    agree = True
    print(
        f"{'click ms':>8}  {'INP ours':>8} {'theirs':>7} {'unhidden':>9}   {'LCP ours':>8} {'theirs':>7}   {'CLS ours':>8} {'theirs':>7}"
    )
    with served() as url:
        for busy in BUSY:
            ours, theirs = _visit(browser, f"{url}/{busy}/{busy}", library)
            inp = max([16, *ours["events"]])
            message = theirs["hidden"].get("INP", 16)
            hidden, before = theirs["hidden"], theirs["before"].get("INP", "-")
            print(
                f"{busy:8}  {inp:8.0f} {message:7.0f} {before:>9}   {ours['lcp']:8.0f} {hidden['LCP']:7.0f}   "
                f"{ours['cls']:8.3f} {hidden['CLS']:7.3f}"
            )
            agree &= abs(inp - message) <= ROUNDING and abs(ours["lcp"] - theirs["hidden"]["LCP"]) <= ROUNDING
            agree &= abs(ours["cls"] - theirs["hidden"]["CLS"]) < 0.0005
    return agree


def _visit(browser: Browser, url: str, library: str) -> tuple[dict[str, Any], dict[str, Any]]:
    context = browser.new_context(viewport={"width": 800, "height": 600})
    context.add_init_script(OBSERVE)
    context.add_init_script(library + THEIRS)
    page = context.new_page()
    page.goto(url)
    page.evaluate(AFTER_PAINT)
    for number in (1, 2, 3):
        page.get_by_role("button", name="Go").click()
        page.wait_for_function("(title) => document.title === title", arg=f"clicked {number}")
    page.evaluate(AFTER_PAINT)
    ours = page.evaluate(READ)
    before = page.evaluate("() => ({ ...window.theirs.hidden })")
    page.evaluate(HIDE)
    page.evaluate(AFTER_PAINT)
    theirs = page.evaluate("() => window.theirs")
    context.close()
    return ours, {**theirs, "before": before}


def beside_lighthouse(browser: Browser, chrome: str, rounds: int, folder: Path) -> bool:
    """Print the medians of our and of Lighthouse's loads of the same page; whether they are near."""
    subprocess.run(
        [
            "npm",
            "install",
            "--prefix",
            str(folder),
            LIGHTHOUSE,
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--silent",
        ],
        check=True,
    )
    near = True
    with local.running(build=False) as values:
        url = values["E2E_WEB_URL"]
        for device in ("desktop", "phone"):
            cold = [one for one in samples(browser, url, [device], rounds) if one.visit == "cold"]
            theirs = [_lighthouse(folder, chrome, url, device) for _ in range(rounds)]
            for name, own, their in (
                ("load", [one.load for one in cold], [one["observedLoad"] for one in theirs]),
                ("LCP", [one.lcp for one in cold], [one["observedLargestContentfulPaint"] for one in theirs]),
            ):
                mine, other = statistics.median(own), statistics.median(their)
                print(
                    f"{device:8} {name:5} ours {mine:6.0f} ms ({min(own):.0f} to {max(own):.0f})   "
                    f"Lighthouse {other:6.0f} ms ({min(their):.0f} to {max(their):.0f})"
                )
                near &= device == "desktop" or abs(mine - other) <= NEAR * other
    return near


def _lighthouse(folder: Path, chrome: str, url: str, device: Device) -> dict[str, float]:
    throttled = [
        "--throttling-method=devtools",
        "--throttling.cpuSlowdownMultiplier=4",
        "--throttling.requestLatencyMs=150",
    ]
    throttled += ["--throttling.downloadThroughputKbps=1600", "--throttling.uploadThroughputKbps=750"]
    how = throttled if device == "phone" else ["--preset=desktop", "--throttling-method=provided"]
    argv = [
        str(folder / "node_modules/.bin/lighthouse"),
        url,
        "--output=json",
        "--quiet",
        "--only-categories=performance",
    ]
    argv += ["--chrome-flags=--headless --no-sandbox --window-size=1100,800", *how]
    ran = subprocess.run(argv, env={**os.environ, "CHROME_PATH": chrome}, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(ran.stderr[-2000:])
    found: dict[str, float] = json.loads(ran.stdout)["audits"]["metrics"]["details"]["items"][0]
    return found


def main() -> int:
    """0 where the figures agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lighthouse", action="store_true")
    parser.add_argument("--rounds", type=int, default=5, help="loads of each device beside Lighthouse")
    options = parser.parse_args()
    os.environ.update(fetched())
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        library = web_vitals(Path(folder))
        given = launch_arguments(())
        browser = playwright.chromium.launch(**given)
        agree = beside_web_vitals(browser, library)
        if options.lighthouse:
            agree &= beside_lighthouse(browser, str(given["executable_path"]), options.rounds, Path(folder))
        browser.close()
    print("they agree" if agree else "they do NOT agree")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
