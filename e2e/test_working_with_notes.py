from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from e2e.notes_page import listed, open_notes, search, write
from e2e.target import Target
from e2e.troubles import Troubles


@pytest.mark.parametrize("device", ["desktop", pytest.param("phone", marks=pytest.mark.thorough)], indirect=True)
def test_a_note_is_added_found_by_meaning_and_deleted(
    page: Page, target: Target, text: str, artifacts: Path | None, device: str
) -> None:
    open_notes(page, target)
    write(page, text)
    listed(page, text).wait_for()
    expect(page.get_by_label("New note")).to_have_value("")
    if artifacts and device == "desktop":
        page.screenshot(path=artifacts / "home.png")

    # Not one word of the note.
    search(page, "failure of a release")
    found = listed(page, text, under="Notes about “failure of a release”")
    found.wait_for()

    page.get_by_role("button", name=f"Delete: {text}").click()
    found.wait_for(state="detached")
    page.get_by_role("button", name="Show all").click()
    page.get_by_role("heading", name="Newest notes").wait_for()
    expect(listed(page, text)).to_have_count(0)


def test_a_note_outlives_the_page(page: Page, target: Target, text: str) -> None:
    open_notes(page, target)
    write(page, text)
    listed(page, text).wait_for()
    page.reload(wait_until="commit")
    listed(page, text).wait_for()


def test_an_error_of_the_api_is_explained_and_nothing_written_is_lost(
    page: Page, target: Target, text: str, troubles: Troubles
) -> None:
    troubles.announce("HTTP 500: POST .*/notes")

    def fail(route: Route) -> None:
        if route.request.method != "POST":
            route.fallback()
            return
        error = {"error": {"code": "internal", "message": "Something went wrong on our side."}}
        exposed = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "X-Request-ID"}
        route.fulfill(status=500, json=error, headers={**exposed, "X-Request-ID": "0f8b-for-support"})

    open_notes(page, target)
    page.route(f"{target.api_url}/notes", fail)
    write(page, text)
    alert = page.get_by_role("alert")
    alert.wait_for()
    expect(alert).to_contain_text("Something went wrong on our side.")
    expect(alert).to_contain_text("0f8b-for-support")
    expect(page.get_by_label("New note")).to_have_value(text)
    expect(listed(page, text)).to_have_count(0)

    page.unroute_all(behavior="wait")
    page.get_by_role("button", name="Add note").click()
    listed(page, text).wait_for()
    expect(alert).to_have_count(0)


def test_a_lost_connection_is_explained(page: Page, target: Target, troubles: Troubles) -> None:
    troubles.announce("request failed: GET .*/notes: net::ERR_FAILED")
    page.route(f"{target.api_url}/**", lambda route: route.abort())
    page.goto(target.web_url, wait_until="commit")
    alert = page.get_by_role("alert")
    alert.wait_for()
    expect(alert).to_contain_text("The server cannot be reached.")
    page.unroute_all(behavior="wait")
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("heading", name="Newest notes").wait_for()
    expect(alert).to_have_count(0)


@pytest.mark.read_only
@pytest.mark.thorough
def test_an_empty_note_cannot_be_added(page: Page, target: Target) -> None:
    open_notes(page, target)
    add = page.get_by_role("button", name="Add note")
    expect(add).to_be_disabled()
    page.get_by_label("New note").fill("  \n ")
    expect(add).to_be_disabled()
    page.get_by_label("New note").fill("a word")
    expect(add).to_be_enabled()


@pytest.mark.thorough
def test_what_the_api_does_not_take_is_explained(page: Page, target: Target, text: str, troubles: Troubles) -> None:
    troubles.announce("HTTP 4[0-9][0-9]: POST .*/notes")
    open_notes(page, target)
    # Longer than the field lets anybody type; a script does not ask.
    page.get_by_label("New note").evaluate("(field) => field.removeAttribute('maxlength')")
    write(page, text * 200)
    alert = page.get_by_role("alert")
    alert.wait_for()
    expect(alert.get_by_role("code")).to_have_text(re.compile(r"^[0-9a-f-]{36}$"))
    expect(page.get_by_label("New note")).to_have_value(text * 200)


@pytest.mark.thorough
def test_markup_in_a_note_is_text(page: Page, target: Target, text: str) -> None:
    hostile = f"<img src=x onerror=\"document.title = 'owned'\"> {text}"
    open_notes(page, target)
    write(page, hostile)
    listed(page, hostile).wait_for()
    expect(page).to_have_title("TechMate notes")
    page.get_by_role("button", name=f"Delete: {hostile}").click()
    expect(listed(page, hostile)).to_have_count(0)
