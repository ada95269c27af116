"""The report of a capacity search: the answer first, in every form, and nothing from outside becomes markup."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks._slots import Slots
from loadtests.capacity import Bounds, Capacity, Ended, Search
from loadtests.report import Heading, Written, write_capacity
from loadtests.report.capacity import headline, reasons
from pipelines.manifest.performance import PerformanceTarget
from rehearsal.services import browser

BAD = "<script>alert('x')</script>|`**"
HEADING = Heading(environment="staging", release=BAD, seed=7, start=1_795_860_000.0)


@pytest.fixture(scope="module")
def found() -> Capacity:
    platform = Slots(4, 0.1, endpoint=f"backend GET /{BAD}")
    targets = {
        "API responses": PerformanceTarget(of="response", component="backend", p95_ms=500),
        "quick responses": PerformanceTarget(of="response", component="backend", p95_ms=2000),
    }
    bounds = Bounds(start=12, most=100, total_seconds=7200)
    return Search(platform.measure, targets, bounds, clock=platform.clock).run()


@pytest.fixture(scope="module")
def report(found: Capacity, tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write_capacity(found, HEADING, tmp_path_factory.mktemp("capacity"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(browser.find().path), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_shows_the_answer_every_step_and_a_plot_and_asks_for_nothing(
    chromium: Any, found: Capacity, report: Written, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800})
    shown, asked, text = context.new_page(), [], []
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: text.append(message.text))
    shown.on("pageerror", lambda error: text.append(str(error)))
    shown.goto(report.html.as_uri())
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert asked == [report.html.as_uri()]
    assert text == []
    assert shown.locator("h1 ~ .verdict").inner_text().split("\n")[-1] == headline(found)
    assert shown.locator("table tr").count() == len(found.steps) + 1
    assert shown.locator("svg circle").count() >= 2 * len(found.steps) - 2
    assert shown.locator("svg .limit").count() == 2
    assert shown.locator("svg text", has_text="visits per second").count() == 1
    context.close()


def test_the_summary_has_a_row_for_each_step_and_no_markup_from_outside(found: Capacity, report: Written) -> None:
    text = report.markdown.read_text()
    assert text.splitlines()[0] == f"### ✓ {headline(found)}"
    assert len(re.findall(r"^\| \d+ \|", text, re.MULTILINE)) == len(found.steps)
    assert "<script" not in text.replace("`<script>alert('x')</script>| **`", "").replace("\\<script", "")


def test_the_json_has_the_answer_and_none_that_json_does_not_know(found: Capacity, report: Written) -> None:
    document = json.loads(report.json.read_text())
    assert (document["visits_per_second"], document["not_met_per_second"]) == (found.low, found.high)
    assert [step["verdict"] for step in document["steps"]] == [step.verdict for step in found.steps]
    assert [each["target"] for each in document["broke"]["targets"]] == ["API responses"]
    assert document["broke"]["targets"][0]["slowest"] == f"backend GET /{BAD}"
    assert document["bounds"]["most"] == 100


@pytest.mark.parametrize(
    ("ended", "low", "high", "says"),
    [
        ("most reached", 100.0, None, "At least 100 visits a second meet every target: no more may be asked"),
        ("never met", None, 0.75, "Not even 0.75 visits a second meet every target"),
        (
            "generator",
            12.0,
            None,
            "The generator, not the platform, is at its limit; 12 visits a second met every target",
        ),
        (
            "time is over",
            12.0,
            24.0,
            "The time was over before there was an answer; 12 visits a second met every target, 24 did not",
        ),
        ("interrupted", None, None, "The search was interrupted; no rate met every target yet"),
    ],
)
def test_every_end_is_reported_as_what_it_is(
    found: Capacity, ended: Ended, low: float | None, high: float | None, says: str, tmp_path: Path
) -> None:
    other = replace(found, ended=ended, low=low, high=high, steps=())
    assert headline(other) == says
    assert says in write_capacity(other, HEADING, tmp_path).html.read_text()


def test_what_is_not_sure_and_what_contradicts_itself_is_reported(found: Capacity) -> None:
    low = found.low
    assert low is not None
    missed = replace(next(step for step in found.steps if step.rate == low), verdict="missed", best=False)
    lines = list(reasons(replace(found, steps=(*found.steps, missed))))
    assert any(line.startswith("not always the same: ") for line in lines)
    unsure = tuple(step for step in found.steps if (step.rate, step.verdict) != (low, "passed"))
    assert "an edge is a best estimate: steps there were too short to tell" in list(
        reasons(replace(found, steps=unsure))
    )
