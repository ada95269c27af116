"""The page in a browser: fits a phone, asks for nothing, says nothing wrong, and enlarges a screenshot by a click or a key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.report import page
from rehearsal.report.model import TrafficShift
from rehearsal.services import browser
from tests.rehearsal.report.example import BEGAN, SCREENSHOTS, failed, job, report, story, traffic


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(browser.find().path), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bad = failed("CI failed\n" + "x" * 3000, job("n" * 300, conclusion="failure", id=5, log=["y" * 500]), name="other")
    return page.write(report(story(), bad), tmp_path_factory.mktemp("report"), SCREENSHOTS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_it_fits_and_is_quiet(chromium: Any, written: Path, width: int, scheme: str) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    shown, asked, text = context.new_page(), [], []
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: text.append(message.text))
    shown.on("pageerror", lambda error: text.append(str(error)))
    shown.goto(written.as_uri())
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in asked if not url.startswith("data:")] == [written.as_uri()]
    assert text == []
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(247, 248, 249)" if scheme == "light" else "rgb(16, 19, 22)"
    )
    context.close()


def test_a_screenshot_is_enlarged_and_put_back_by_click_and_by_key(chromium: Any, written: Path) -> None:
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    shown = context.new_page()
    shown.goto(written.as_uri())
    image = shown.locator(".shot img").first
    small = image.bounding_box()
    assert small["width"] < 500
    image.click()
    assert image.bounding_box() == {"x": 0, "y": 0, "width": 1000, "height": 700}
    image.click()
    assert image.bounding_box()["width"] == small["width"]
    shown.keyboard.press("Space")
    assert image.bounding_box()["width"] == 1000
    context.close()


def test_the_bar_of_a_failed_job_leads_to_its_log(chromium: Any, written: Path) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 700})
    shown = context.new_page()
    shown.goto(written.as_uri())
    shown.locator('svg a[href="#job-other-5"]').first.click()
    shown.locator("#job-other-5").wait_for(state="visible", timeout=5000)
    context.close()


def test_on_a_phone_the_plots_scroll_in_their_boxes_and_no_label_covers_another(chromium: Any, tmp_path: Path) -> None:
    texts = ("v1.0.1 10 %", "v1.0.1 WWWWWW 50 %", "v1.0.1 100 %", "v1.0.0 100 % (rolled back)", "m" * 60)
    close = [TrafficShift(at=BEGAN + 5 + n / 4, component="backend", text=text) for n, text in enumerate(texts)]
    address = page.write(report(story(traffic=[traffic(shifts=close)])), tmp_path, SCREENSHOTS).as_uri()
    context = chromium.new_context(viewport={"width": 375, "height": 700})
    shown = context.new_page()
    shown.goto(address)
    assert shown.evaluate("document.documentElement.scrollWidth") <= 375
    boxes = shown.evaluate("[...document.querySelectorAll('.scroll')].map(box => [box.clientWidth, box.scrollWidth])")
    assert boxes
    assert all(inside <= 375 < whole for inside, whole in boxes)
    labels = shown.evaluate(
        "[...document.querySelectorAll('svg .shift')].map(text => text.getBoundingClientRect().toJSON())"
    )
    assert len(labels) == len(texts)
    for number, one in enumerate(labels):
        for other in labels[:number]:
            aside = one["left"] >= other["right"] or other["left"] >= one["right"]
            below = one["top"] >= other["bottom"] - 1 or other["top"] >= one["bottom"] - 1
            assert aside or below, (one, other)
    context.close()
