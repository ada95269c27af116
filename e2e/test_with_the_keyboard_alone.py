"""Anyone who has no pointer can do all of it: each step by Tab and Enter, and it shows where the keyboard is."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from e2e.notes_page import listed, open_notes
from e2e.target import Target

_TABS = 12


def reach(page: Page, wanted: Locator) -> None:
    """Press Tab until `wanted` has the focus, and shows that it has."""
    for _ in range(_TABS):
        page.keyboard.press("Tab")
        if wanted.evaluate("(element) => element === document.activeElement"):
            outline = wanted.evaluate("(element) => getComputedStyle(element).outlineStyle")
            assert outline != "none", "the element that has the focus does not show it"
            return
    raise AssertionError(f"{_TABS} times Tab do not lead to {wanted}")


def test_a_note_is_added_found_and_deleted(page: Page, target: Target, text: str) -> None:
    open_notes(page, target)
    reach(page, page.get_by_label("New note"))
    page.keyboard.type(text)
    reach(page, page.get_by_role("button", name="Add note"))
    page.keyboard.press("Enter")
    listed(page, text).wait_for()

    reach(page, page.get_by_label("Search by meaning"))
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    found = listed(page, text, under=f"Notes about “{text}”")
    found.wait_for()
    delete = page.get_by_role("button", name=f"Delete: {text}")
    reach(page, delete)
    page.keyboard.press("Enter")
    expect(found).to_have_count(0)
