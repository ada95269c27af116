"""One browser for a file, and pages made up by the test: nothing is served."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from e2e.browser import fetched, launch_arguments

SITE = "https://app.test"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patched, sync_playwright() as playwright:
        patched.delenv("SHIPMATE_OVERLAY", raising=False)
        for name, value in fetched().items():
            patched.setenv(name, value)
        browser = playwright.chromium.launch(**launch_arguments(()))
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """Knows no network: what a test does not answer itself does not exist."""
    context = chromium.new_context(base_url=SITE)
    context.set_default_timeout(5_000)
    yield context
    context.close()
