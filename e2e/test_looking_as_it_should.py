"""The main pages look as they should, with notes that are always the same."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from e2e.notes_page import open_made_up_notes
from e2e.pictures import Pictures
from e2e.target import Target
from e2e.troubles import Troubles


@pytest.mark.parametrize("device", ["desktop", "phone"], indirect=True)
def test_the_page_looks_as_it_should(page: Page, target: Target, pictures: Pictures, device: str) -> None:
    open_made_up_notes(page, target)
    # Not innerWidth: a phone shows a page that is too wide smaller.
    screen = (page.viewport_size or {"width": 0})["width"]
    wide = page.evaluate("() => document.documentElement.scrollWidth") - screen
    assert wide <= 0, f"on a {device} the page is {wide} pixels wider than the screen"
    pictures.require(page, f"notes-{device}")


@pytest.mark.thorough
@pytest.mark.parametrize("device", ["desktop", "phone"], indirect=True)
def test_what_went_wrong_looks_as_it_should(
    page: Page, target: Target, pictures: Pictures, device: str, troubles: Troubles
) -> None:
    troubles.announce("request failed: POST .*/notes: net::ERR_FAILED")
    open_made_up_notes(page, target)
    page.route(f"{target.api_url}/notes", lambda route: route.abort())
    page.get_by_label("New note").fill("A note that cannot be stored")
    page.get_by_role("button", name="Add note").click()
    page.get_by_role("alert").wait_for()
    page.mouse.move(0, 0)
    page.get_by_role("heading", level=1).click()
    pictures.require(page, f"failure-{device}")
