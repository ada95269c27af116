"""Everybody can use the page, in each state that it can be in."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from e2e.accessibility import require_accessible
from e2e.notes_page import open_made_up_notes, search
from e2e.target import Target
from e2e.troubles import Troubles

pytestmark = pytest.mark.read_only


def test_everybody_can_read_search_and_learn_what_went_wrong(page: Page, target: Target, troubles: Troubles) -> None:
    troubles.announce("request failed: GET .*/notes/search.*: net::ERR_FAILED")
    open_made_up_notes(page, target)
    require_accessible(page, "the newest notes")
    search(page, "a release")
    page.get_by_role("heading", name="Notes about “a release”").wait_for()
    require_accessible(page, "what a search found")
    page.route(f"{target.api_url}/notes/search**", lambda route: route.abort())
    search(page, "another")
    page.get_by_role("alert").wait_for()
    require_accessible(page, "a message that something failed")


@pytest.mark.thorough
def test_everybody_can_learn_that_the_page_cannot_start(page: Page, target: Target, troubles: Troubles) -> None:
    troubles.announce("HTTP 500: GET .*/config.json")
    page.route("**/config.json", lambda route: route.fulfill(status=500))
    page.goto(target.web_url, wait_until="commit")
    page.get_by_role("alert").get_by_text("This page cannot start.").wait_for()
    require_accessible(page, "the page that cannot start")
