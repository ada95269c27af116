from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from e2e.browser import PATIENCE_MS
from e2e.notes_page import open_notes
from e2e.target import Target
from e2e.troubles import Troubles

pytestmark = pytest.mark.read_only

_MOST_MOVED = 0.1
"""Of a layout shift, where it begins to disturb (web vitals)."""


def test_the_page_opens_and_says_what_it_is(page: Page, target: Target) -> None:
    open_notes(page, target)
    expect(page).to_have_title("TechMate notes")
    expect(page.get_by_test_id("release")).to_have_text(re.compile(r"\S"))
    expect(page.get_by_test_id("environment")).to_have_text(re.compile(r"^(development|staging|production)$"))
    expect(page.get_by_role("alert")).to_have_count(0)


_SHIFTS = """window.shifts = [], new PerformanceObserver((list) => {
  for (const { value, sources } of list.getEntries()) {
    const moved = sources.map(({ node }) => node?.nodeType === 3 ? node.parentElement : node).filter(Boolean);
    window.shifts.push([value, moved.map(({ localName, textContent }) => `${localName} “${textContent.slice(0, 40)}”`)]);
  }
}).observe({ type: "layout-shift", buffered: true })"""


def test_nothing_moves_while_the_page_loads(page: Page, target: Target, troubles: Troubles) -> None:
    page.add_init_script(_SHIFTS)
    open_notes(page, target)
    troubles.wait_for_requests(PATIENCE_MS)
    shifts: list[tuple[float, list[str]]] = page.evaluate("() => window.shifts")
    moved = ", ".join(dict.fromkeys(name for _, names in shifts for name in names))
    total = sum(value for value, _ in shifts)
    assert total <= _MOST_MOVED, f"content moved by {total:.2f} (layout shift) while the page loaded: {moved}"


def test_page_and_api_are_the_expected_release_of_one_environment(page: Page, target: Target) -> None:
    open_notes(page, target)
    api = page.evaluate(
        "async ([url, patience]) => (await fetch(url, { signal: AbortSignal.timeout(patience) })).json()",
        [f"{target.api_url}/version", PATIENCE_MS],
    )
    expect(page.get_by_test_id("environment")).to_have_text(api["environment"])
    expect(page.get_by_test_id("release")).to_have_text(target.release or api["release"])
    assert api["release"] == (target.release or api["release"])


def test_an_unknown_page_is_not_found(page: Page, target: Target, troubles: Troubles) -> None:
    troubles.announce("HTTP 404: GET .*/no/such/page")
    answer = page.goto(f"{target.web_url}/no/such/page")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_test_id("version")).to_have_count(0)
