"""`python -m e2e.page_load`: how long the page takes in a browser, and with what confidence that is within what is promised.

A sample is a browser context of its own, as someone who comes for the first time, and a second visit in it, for which the browser has
kept what it may. On a desktop as it is, and on a phone: a processor four times slower, 150 ms and 1.6 Mbit/s. Of each visit:

page load   milliseconds until the page is loaded and its largest content is shown, whichever is later; load and LCP apart, too
CLS         how far content was moved, as the largest burst of shifts (web vitals' definition)
INP         milliseconds from the worst of the scripted interactions to the paint that shows it, by Event Timing
bytes, requests   what came over the network

    python -m e2e.page_load --environment staging [--json FILE]
    python -m e2e.page_load --local [--built] --samples 10 --devices desktop
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from e2e import environments
from e2e.browser import fetched, launch_arguments
from e2e.devices import DEVICES
from e2e.notes_page import search
from e2e.quantiles import Judged, judge, samples_needed, within_budget
from e2e.target import Target, TargetError

Device = Literal["desktop", "phone"]
Visit = Literal["cold", "warm"]

SHORTEST_MS = 16
"""Event Timing tells of no interaction that took less, and rounds to 8 ms."""
_PATIENCE_MS = 30_000
_CPU, _LATENCY_MS, _DOWN, _UP = 4, 150, 1_600_000 / 8, 750_000 / 8
_LIMITS = {"page load": 2000.0, "CLS": 0.1, "INP": 200.0}
_BYTES, _REQUESTS = 150_000, 12
_EVERY = 1.5
"""Seconds from one visit to the next at least: each asks the API twice, and an address may ask 100 times a minute."""

OBSERVE = """(() => {
  const seen = window.pageLoad = { lcp: null, cls: 0, events: [], burst: { from: 0, last: 0, value: 0 } };
  const take = {
    "largest-contentful-paint": (entry) => { seen.lcp = entry.startTime; },
    "layout-shift": (entry) => {
      if (entry.hadRecentInput) return;
      const burst = seen.burst;
      const goes_on = entry.startTime - burst.last < 1000 && entry.startTime - burst.from < 5000;
      if (!goes_on) Object.assign(burst, { from: entry.startTime, value: 0 });
      burst.last = entry.startTime;
      burst.value += entry.value;
      seen.cls = Math.max(seen.cls, burst.value);
    },
    "event": (entry) => { if (entry.interactionId) seen.events.push(entry.duration); },
    "first-input": (entry) => { seen.events.push(entry.duration); },
  };
  const observers = Object.entries(take).map(([type, keep]) => {
    const observer = new PerformanceObserver((list) => list.getEntries().forEach(keep));
    observer.observe({ type, buffered: true, durationThreshold: 16 });
    return [observer, keep];
  });
  seen.flush = () => observers.forEach(([observer, keep]) => observer.takeRecords().forEach(keep));
})()"""
AFTER_PAINT = """() => new Promise((done) => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => requestAnimationFrame(() => done());
  channel.port2.postMessage(null);
}))"""
READ = """() => {
  window.pageLoad.flush();
  const { lcp, cls, events } = window.pageLoad;
  const [navigation] = performance.getEntriesByType("navigation");
  return { lcp, cls, events, load: navigation.loadEventEnd, interactions: performance.interactionCount ?? events.length };
}"""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One visit. Times in milliseconds; math.inf where the page was not shown; None for INP where nobody did anything."""

    device: Device
    visit: Visit
    load: float = math.inf
    lcp: float = math.inf
    cls: float = 0.0
    inp: float | None = None
    bytes: int = 0
    requests: int = 0
    error: str = ""


class Network:
    """What comes over the network, of one page, as fast as the device's is."""

    def __init__(self, page: Page, device: Device) -> None:
        self.bytes = self.requests = 0
        session = page.context.new_cdp_session(page)
        session.on("Network.responseReceived", self._received)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")
        if device == "phone":
            session.send("Emulation.setCPUThrottlingRate", {"rate": _CPU})
            conditions = {
                "offline": False,
                "latency": _LATENCY_MS,
                "downloadThroughput": _DOWN,
                "uploadThroughput": _UP,
            }
            session.send("Network.emulateNetworkConditions", conditions)

    def _received(self, event: dict[str, Any]) -> None:
        answer = event["response"]
        self.requests += not (answer.get("fromDiskCache") or answer.get("fromPrefetchCache"))

    def _finished(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])


class Pace:
    """Lets someone begin at most once in `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._next = seconds, 0.0

    def wait(self) -> None:
        """Return when it may begin."""
        now = time.monotonic()
        threading.Event().wait(max(0.0, self._next - now))
        self._next = max(now, self._next) + self._seconds


def interact(page: Page) -> None:
    """What someone does first: writes a little and searches. It changes nothing."""
    page.get_by_label("New note").press_sequentially("A few words")
    search(page, "a release")
    page.get_by_role("heading", name="Notes about “a release”").wait_for()


def is_shown(page: Page) -> None:
    """Wait until the page shows what people come for."""
    page.get_by_role("heading", name="Newest notes").wait_for()


def visit(
    context: BrowserContext,
    url: str,
    device: Device,
    kind: Visit,
    *,
    shown: Callable[[Page], None] = is_shown,
    act: Callable[[Page], None] = interact,
) -> Sample:
    """Open the page, and read what it took. A page that cannot be opened is a sample, too."""
    page = context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    network = Network(page, device)
    try:
        page.goto(url, wait_until="load")
        shown(page)
        page.evaluate(AFTER_PAINT)
        opened = page.evaluate(READ)  # LCP is over with the first interaction, and bytes are those of opening
        size, requests = network.bytes, network.requests
        act(page)
        page.evaluate(AFTER_PAINT)
        after = page.evaluate(READ)
    except Error as error:
        return Sample(device=device, visit=kind, error=error.message.splitlines()[0])
    finally:
        page.close()
    return Sample(
        device=device,
        visit=kind,
        load=opened["load"],
        lcp=math.inf if opened["lcp"] is None else opened["lcp"],
        cls=after["cls"],
        inp=max([SHORTEST_MS, *after["events"]]) if after["interactions"] else None,
        bytes=size,
        requests=requests,
    )


def samples(browser: Browser, url: str, devices: Sequence[Device], count: int, **how: Any) -> Iterator[Sample]:
    """`count` contexts of each device, each visited twice; devices take turns, so that a bad minute hits all of them."""
    pace = Pace(2 * _EVERY)
    for _ in range(count):
        for device in devices:
            pace.wait()
            context = browser.new_context(**DEVICES[device])
            context.add_init_script(OBSERVE)
            yield visit(context, url, device, "cold", **how)
            yield visit(context, url, device, "warm", **how)
            context.close()


def judged(
    found: Sequence[Sample], limits: dict[str, float], *, size: float, requests: float, confidence: float
) -> list[Judged]:
    """Every metric of every device and visit that there are samples of: `page load, phone, cold`, …"""
    answers: list[Judged] = []
    for device, kind in dict.fromkeys((one.device, one.visit) for one in found):
        group = [one for one in found if (one.device, one.visit) == (device, kind)]
        opened = [one for one in group if not one.error]
        for metric, values in {
            "page load": [max(one.load, one.lcp) for one in group],
            "load": [one.load for one in group],
            "LCP": [one.lcp for one in group],
            "CLS": [one.cls for one in opened],
            "INP": [one.inp for one in opened if one.inp is not None],
        }.items():
            answers.append(judge(f"{metric}, {device}, {kind}", values, limits.get(metric), confidence=confidence))
        answers.append(within_budget(f"bytes, {device}, {kind}", [one.bytes for one in opened], size))
        answers.append(within_budget(f"requests, {device}, {kind}", [one.requests for one in opened], requests))
    return answers


def worst(answers: Sequence[Judged]) -> str:
    """The verdict of the whole: what was missed counts most, then what says nothing."""
    verdicts = {one.verdict for one in answers}
    return next((each for each in ("missed", "no data", "too short to tell", "passed") if each in verdicts), "no data")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 passed, 7 a target was missed, 13 it says nothing (no data, or too few samples), 2 it could not begin."""
    options = _parser().parse_args(arguments)
    if os.environ.get("E2E_ROUTES"):
        return _refused(
            "E2E_ROUTES: a browser that sends requests elsewhere keeps nothing for a second visit; measure what is live"
        )
    count = options.samples or samples_needed(options.confidence, options.allow_over)
    try:
        with _target(options) as target:
            found = _measure(target, options.devices, count)
    except TargetError as error:
        return _refused(str(error))
    limits = {**_LIMITS, "page load": options.page_load_ms, "CLS": options.cls, "INP": options.inp_ms}
    answers = judged(found, limits, size=options.bytes, requests=options.requests, confidence=options.confidence)
    if options.json:
        Path(options.json).write_text(json.dumps(document(answers, found), indent=1) + "\n")
    _print(answers, found)
    from pipelines.errors import CheckFailed, InvalidRun

    return {"passed": 0, "missed": CheckFailed.exit_code}.get(worst(answers), InvalidRun.exit_code)


def document(answers: Sequence[Judged], found: Sequence[Sample]) -> dict[str, Any]:
    """The result as JSON: the verdict, each metric, every page load in milliseconds (null: the page was not shown), and how visits failed.

    What was never reached is null.
    """
    loads: dict[str, list[float | None]] = {}
    for one in found:
        took = max(one.load, one.lcp)
        loads.setdefault(f"{one.device}, {one.visit}", []).append(took if math.isfinite(took) else None)
    return {
        "verdict": worst(answers),
        "metrics": [dataclasses.asdict(one) for one in answers],
        "loads": loads,
        "errors": [f"{one.device}, {one.visit}: {one.error}" for one in found if one.error],
    }


def _measure(target: Target, devices: Sequence[Device], count: int) -> list[Sample]:
    found: list[Sample] = []
    with sync_playwright() as playwright:
        os.environ.update(fetched() if "SHIPMATE_BROWSER" not in os.environ else {})
        browser = playwright.chromium.launch(**launch_arguments(target.hosts))
        for sample in samples(browser, target.web_url, devices, count):
            found.append(sample)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{len(found)} of {2 * count * len(devices)} visits ")
        browser.close()
    return found


@contextmanager
def _target(options: argparse.Namespace) -> Iterator[Target]:
    """Raises TargetError."""
    if options.local:
        from e2e import local

        with local.running(build=not options.built) as values:
            yield Target.of(values)
        return
    values = {name: os.environ.get(name, "") for name in ("E2E_WEB_URL", "E2E_API_URL")}
    if options.environment:
        from pipelines.manifest import load

        values = environments.variables(options.environment, load())
    yield Target.of(values)


def _print(answers: Sequence[Judged], found: Sequence[Sample]) -> None:
    rows = [("metric (p95)", "value", "interval", "limit", "over", "samples", "verdict")]
    for one in answers:
        low, high = (_text(end) for end in one.interval)
        rows.append(
            (
                one.metric,
                _text(one.value),
                f"{low} to {high}",
                _text(one.limit),
                str(one.over),
                str(one.samples),
                one.verdict,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        sys.stdout.write("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() + "\n")
    for sample in found:
        if sample.error:
            sys.stdout.write(f"{sample.device}, {sample.visit}: {sample.error}\n")
    sys.stdout.write(f"{worst(answers)}\n")


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}" if 0 < value < 1 else f"{value:,.0f}"


def _refused(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--environment", help="development, or one of shipmate.yml; otherwise E2E_WEB_URL and E2E_API_URL"
    )
    where.add_argument("--local", action="store_true", help="what is in this checkout")
    parser.add_argument("--built", action="store_true", help="with --local: apps/web/dist is there")
    parser.add_argument("--devices", nargs="+", choices=tuple(DEVICES), default=list(DEVICES))
    parser.add_argument("--samples", type=int, help="contexts of each device; without it as many as --confidence needs")
    parser.add_argument("--confidence", type=float, default=0.95)
    parser.add_argument(
        "--allow-over", type=int, default=0, help="so many samples may be over a limit: 0 needs 59, 1 needs 93"
    )
    parser.add_argument("--page-load-ms", type=float, default=_LIMITS["page load"])
    parser.add_argument("--inp-ms", type=float, default=_LIMITS["INP"])
    parser.add_argument("--cls", type=float, default=_LIMITS["CLS"])
    parser.add_argument("--bytes", type=int, default=_BYTES, help="budget of one visit")
    parser.add_argument("--requests", type=int, default=_REQUESTS, help="budget of one visit")
    parser.add_argument("--json", help="file for the result")
    return parser


if __name__ == "__main__":
    sys.exit(main())
