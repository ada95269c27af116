"""The main pages look as they should, with notes that are always the same."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route

from e2e.notes_page import open_notes
from e2e.pictures import Pictures
from e2e.target import Target
from e2e.troubles import Troubles

_TEXTS = (
    ("The deployment went well", "The deployment went well"),
    ("A note of several lines\nis shown as it was written,\nwith what it says in short", "A note, in short"),
    ("Words without a blank are broken: " + "x" * 120, None),
)


def show(page: Page, target: Target) -> None:
    """Open the page with notes that are made up; whoever else writes there is not seen."""
    notes = [
        {"id": f"n{number}", "text": text, "summary": summary, "createdAt": f"2026-01-0{number + 1}T12:00:00Z"}
        for number, (text, summary) in enumerate(_TEXTS)
    ]

    def answer(route: Route) -> None:
        route.fulfill(json={"notes": notes}, headers={"Access-Control-Allow-Origin": "*"})

    page.route(f"{target.api_url}/notes", answer)
    open_notes(page, target)


@pytest.mark.parametrize("device", ["desktop", "phone"], indirect=True)
def test_the_page_looks_as_it_should(page: Page, target: Target, pictures: Pictures, device: str) -> None:
    show(page, target)
    wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"on a {device} the page is {wide} pixels wider than the screen"
    pictures.require(page, f"notes-{device}")


@pytest.mark.thorough
@pytest.mark.parametrize("device", ["desktop", "phone"], indirect=True)
def test_what_went_wrong_looks_as_it_should(
    page: Page, target: Target, pictures: Pictures, device: str, troubles: Troubles
) -> None:
    troubles.announce("request failed: POST .*/notes: net::ERR_FAILED")
    show(page, target)
    page.route(f"{target.api_url}/notes", lambda route: route.abort())
    page.get_by_label("New note").fill("A note that cannot be stored")
    page.get_by_role("button", name="Add note").click()
    page.get_by_role("alert").wait_for()
    page.mouse.move(0, 0)
    page.get_by_role("heading", level=1).click()
    pictures.require(page, f"failure-{device}")
