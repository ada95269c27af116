"""Whatever goes wrong in the browser is seen, and named, whether or not the test looked there."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Route

from e2e.troubles import Troubles
from tests.e2e.conftest import SITE

pytestmark = pytest.mark.world

PAGE = '<!doctype html><link rel="icon" href="data:,"><body><p>Notes</p>%s</body>'
ID = {"X-Request-ID": "7c1b-of-the-server"}


def opened(context: BrowserContext, body: str, *, read_only: bool = False, patience_ms: int = 5_000) -> Troubles:
    """What was seen of a page with this body, whose server knows /ok, /missing and /silent."""

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(SITE)
        if path == "/":
            route.fulfill(body=PAGE % body, content_type="text/html")
        elif path == "/ok":
            route.fulfill(body="{}", headers=ID)
        elif path == "/missing":
            route.fulfill(status=404, headers=ID)
        elif path == "/gone":
            route.abort()

    troubles = Troubles(read_only=read_only)
    troubles.watch(context)
    context.route(f"{SITE}/**", answer)
    context.route("http://other.test/**", lambda route: route.fulfill(body=""))
    page = context.new_page()
    page.goto("/", wait_until="commit")
    page.get_by_text("Notes").wait_for()
    troubles.wait_for_requests(patience_ms)
    return troubles


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('<script>console.error("no configuration")</script>', "console error: no configuration (https://app.test/:0)"),
        ('<script>throw new TypeError("x is not a function")</script>', "uncaught error: x is not a function"),
        ('<script>Promise.reject(new Error("lost"))</script>', "uncaught error: lost"),
        ('<img src="/missing">', "HTTP 404: GET https://app.test/missing (x-request-id 7c1b-of-the-server)"),
        ('<img src="/gone">', "request failed: GET https://app.test/gone: net::ERR_FAILED"),
        ('<script src="http://other.test/x.js"></script>', "mixed content: "),
    ],
    ids=["console", "throws", "rejects", "not found", "failed", "mixed"],
)
def test_a_trouble_is_named(context: BrowserContext, body: str, message: str) -> None:
    found = opened(context, body).judge()
    assert message in found


def test_a_healthy_page_has_none_and_its_request_ids_are_kept(context: BrowserContext) -> None:
    troubles = opened(context, '<script>fetch("/ok", {method: "POST"}); console.warn("old")</script>')
    assert troubles.judge() == ""
    kept = [(one.method, one.url, one.status, one.request_id) for one in troubles.exchanges]
    assert ("POST", f"{SITE}/ok", 200, ID["X-Request-ID"]) in kept


def test_what_is_never_answered_is_named(context: BrowserContext) -> None:
    found = opened(context, '<img src="/silent">', patience_ms=200).judge()
    assert found == "not answered within 0.2 s: GET https://app.test/silent"


def test_a_test_that_changes_nothing_may_not_write(context: BrowserContext) -> None:
    found = opened(context, '<script>fetch("/ok", {method: "DELETE"})</script>', read_only=True).judge()
    assert found == "changes data in a test marked read_only: DELETE https://app.test/ok"


def test_what_is_announced_is_no_trouble_and_must_come(context: BrowserContext) -> None:
    troubles = opened(context, '<img src="/missing">')
    troubles.announce("HTTP 404: GET .*/missing")
    assert troubles.judge() == ""
    troubles.announce("HTTP 500")
    assert troubles.judge() == "announced, and never came: HTTP 500"


def test_a_page_that_is_left_gives_up_its_requests(context: BrowserContext) -> None:
    troubles = opened(context, '<a href="/ok">on</a><script>fetch("/silent")</script>', patience_ms=0)
    troubles.found.clear()
    context.pages[0].get_by_role("link", name="on").click()
    troubles.wait_for_requests(5_000)
    assert troubles.judge() == ""
