"""The page as a user works it. Waits end with the very frame that shows what is waited for."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, Route

from e2e.target import Target

_MADE_UP = (
    ("The deployment went well", "The deployment went well"),
    ("A note of several lines\nis shown as it was written,\nwith what it says in short", "A note, in short"),
    ("Words without a blank are broken: " + "x" * 120, None),
)


def open_made_up_notes(page: Page, target: Target) -> None:
    """Open the page with notes that are always the same; what others write there is not seen."""
    notes = [
        {"id": f"n{number}", "text": text, "summary": summary, "createdAt": f"2026-01-0{number + 1}T12:00:00Z"}
        for number, (text, summary) in enumerate(_MADE_UP)
    ]

    def answer(route: Route) -> None:
        route.fulfill(json={"notes": notes}, headers={"Access-Control-Allow-Origin": "*"})

    page.route(f"{target.api_url}/notes", answer)
    open_notes(page, target)


def open_notes(page: Page, target: Target) -> None:
    """Open the page and wait until it shows the notes."""
    page.goto(target.web_url, wait_until="commit")
    page.get_by_role("heading", name="Newest notes").wait_for()


def write(page: Page, text: str) -> None:
    """Fill in a new note and press the button."""
    page.get_by_label("New note").fill(text)
    page.get_by_role("button", name="Add note").click()


def search(page: Page, query: str) -> None:
    """Ask for notes about `query`."""
    page.get_by_label("Search by meaning").fill(query)
    page.get_by_role("button", name="Search").click()


def listed(page: Page, text: str, *, under: str = "Newest notes") -> Locator:
    """A note with exactly this text, in the list of that name."""
    return page.get_by_role("list", name=under, exact=True).get_by_text(text, exact=True)
