"""What the API promises to the page, observed in the browser, where CORS is enforced."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Error, Page

from e2e.browser import PATIENCE_MS
from e2e.target import Target
from e2e.troubles import Troubles

pytestmark = pytest.mark.read_only

_CALL = """async ([url, headers, patience]) => {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(patience) });
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
}"""


def call(page: Page, url: str, **headers: str) -> dict[str, Any]:
    answer: dict[str, Any] = page.evaluate(_CALL, [url, headers, PATIENCE_MS])
    return answer


def test_every_answer_carries_a_request_id_that_the_page_may_read(page: Page, target: Target) -> None:
    page.goto(target.web_url, wait_until="commit")
    made = call(page, f"{target.api_url}/version")
    assert made["status"] == 200
    assert UUID(made["headers"]["x-request-id"])
    given = str(uuid4())
    assert call(page, f"{target.api_url}/version", **{"X-Request-ID": given})["headers"]["x-request-id"] == given
    forged = call(page, f"{target.api_url}/version", **{"X-Request-ID": "not a uuid"})
    assert UUID(forged["headers"]["x-request-id"])


def test_an_unknown_address_of_the_api_is_not_found(page: Page, target: Target, troubles: Troubles) -> None:
    troubles.announce("HTTP 404: GET .*/no/such/thing")
    page.goto(target.web_url, wait_until="commit")
    answer = call(page, f"{target.api_url}/no/such/thing")
    assert answer["status"] == 404
    assert '"not_found"' in answer["body"]


def test_another_site_may_not_read_the_api(page: Page, target: Target, troubles: Troubles) -> None:
    troubles.announce("console error: .* blocked by CORS policy", "request failed: GET .*/version")
    # An empty page of its own: the origin is `null`.
    page.goto("about:blank")
    with pytest.raises(Error, match="Failed to fetch"):
        call(page, f"{target.api_url}/version")
    page.goto(target.web_url, wait_until="commit")
    assert call(page, f"{target.api_url}/version")["status"] == 200
