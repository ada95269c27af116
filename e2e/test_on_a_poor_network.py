"""Offline, and while answers take their time: the page says what it is doing, and loses nothing that was written."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from e2e.notes_page import listed, open_notes, search, write
from e2e.target import Target
from e2e.troubles import Troubles


class Held:
    """Keeps requests back until the test lets them go: a network that is as slow as the test needs it."""

    def __init__(self, page: Page, url: str, method: str) -> None:
        self.waiting: list[Route] = []
        self._page, self._method = page, method
        page.route(url, self._keep)

    def _keep(self, route: Route) -> None:
        if route.request.method == self._method:
            self.waiting.append(route)
        else:
            route.fallback()

    def let_go(self) -> None:
        """Answer what waits, and hold nothing any more."""
        self._page.unroute_all()
        while self.waiting:
            self.waiting.pop(0).fallback()


def test_offline_nothing_is_lost_and_it_goes_on_when_the_network_is_back(
    page: Page, context: BrowserContext, target: Target, text: str, troubles: Troubles
) -> None:
    troubles.announce("request failed: POST .*/notes: net::ERR_INTERNET_DISCONNECTED")
    open_notes(page, target)
    context.set_offline(True)
    write(page, text)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The server cannot be reached.")
    expect(page.get_by_label("New note")).to_have_value(text)

    context.set_offline(False)
    page.get_by_role("button", name="Add note").click()
    listed(page, text).wait_for()
    expect(alert).to_have_count(0)


@pytest.mark.thorough
def test_on_a_slow_network_it_says_that_it_loads_and_adds_once(page: Page, target: Target, text: str) -> None:
    reading = Held(page, f"{target.api_url}/notes", "GET")
    page.goto(target.web_url, wait_until="commit")
    expect(page.get_by_role("status")).to_have_text("Loading…")
    reading.let_go()
    page.get_by_role("heading", name="Newest notes").wait_for()
    expect(page.get_by_role("status")).to_have_count(0)

    adding = Held(page, f"{target.api_url}/notes", "POST")
    write(page, text)
    expect(page.get_by_role("button", name="Add note")).to_be_disabled()
    adding.let_go()
    listed(page, text).wait_for()
    expect(listed(page, text)).to_have_count(1)


@pytest.mark.thorough
def test_a_late_answer_to_an_earlier_search_does_not_replace_the_later_one(page: Page, target: Target) -> None:
    open_notes(page, target)
    earlier = Held(page, "**/notes/search?q=earlier", "GET")
    search(page, "earlier")
    search(page, "later")
    later = page.get_by_role("heading", name="Notes about “later”")
    later.wait_for()
    with page.expect_response("**/notes/search?q=earlier"):
        earlier.let_go()
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")
    expect(later).to_be_visible()
