"""An ordinary browser, without a proxy, at the plain addresses: a site calls its API, and a message cannot run."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from rehearsal.services import browser as browsers
from tests.rehearsal.world.plain_world import API, SITE, alert, mail, plain_world

pytestmark = pytest.mark.world


def test_a_browser_opens_a_site_and_reads_its_messages(tmp_path: Path) -> None:
    with plain_world(tmp_path) as world, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(browsers.get().path), args=["--no-sandbox", "--no-proxy-server"]
        )
        page = browser.new_page()
        page.goto(world.at(SITE))
        expect(page.locator("#said")).to_contain_text(f"{world.at(API)}/notes", timeout=30_000)
        assert page.evaluate("isSecureContext")

        page.goto(world.at("world"))
        page.get_by_role("link", name="Slack messages and mails").click()
        expect(page.get_by_text("Nobody was sent anything yet")).to_be_visible()
        world.messages += [mail(), alert()]  # nobody reloads
        expect(page.get_by_role("heading", name="Released")).to_be_visible(timeout=30_000)
        assert page.locator("article").all_inner_texts()[1].find("Run: https://") > 0
        assert "run" not in page.title()
        page.get_by_role("link", name="Open it").click()
        expect(page).to_have_url(f"{world.at(SITE)}/")
        browser.close()
