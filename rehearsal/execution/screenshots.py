"""Screenshots of the deployed app and of GitHub's pages, taken with the browser that the world found."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from rehearsal.scenario import workflows
from rehearsal.scenario.world_client import WorldClient

SIZE = {"width": 1200, "height": 750}
LIMIT_MS = 15_000


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of which a screenshot is taken. `path` is below the repository's page, or a whole address; `{run}` in it is the last run
    of `workflow` that `event` started, of any event where it is empty."""

    title: str
    path: str
    workflow: str = workflows.PRODUCTION_NAME
    event: str = ""


BY_STORY: dict[str, tuple[Page, ...]] = {
    "quick-start": (
        Page(title="The app in production", path="https://techmate.ai/"),
        Page(title="The runs", path="actions"),
        Page(title="The last production run", path="actions/runs/{run}"),
        Page(title="The releases", path="releases"),
        Page(title="The deployments", path="deployments"),
    ),
    "red-pull-request": (Page(title="The red pull request", path="pull/{pull}"),),
    "unapproved": (Page(title="The run that was rejected", path="actions/runs/{run}"),),
    "bad-release": (
        Page(title="The run that was rolled back", path="actions/runs/{run}"),
        Page(title="The deployments", path="deployments"),
    ),
    "rollback": (Page(title="The app after the rollback", path="https://techmate.ai/"),),
    "stopped": (Page(title="The run that was stopped", path="actions/runs/{run}"),),
    "hotfix": (Page(title="The releases, the hotfix as the latest", path="releases"),),
    "killed": (Page(title="The run that was killed three times", path="actions/runs/{run}"),),
    "mobile-release": (
        Page(title="The run that released the apps", path="actions/runs/{run}", workflow=workflows.APPS_NAME),
        Page(title="The releases", path="releases"),
    ),
    "mobile-mistakes": (Page(title="A tag that was refused", path="actions/runs/{run}", workflow=workflows.APPS_NAME),),
    "mobile-half": (Page(title="The run that finished it", path="actions/runs/{run}", workflow=workflows.APPS_NAME),),
    "mobile-killed": (
        Page(title="The run that was killed five times", path="actions/runs/{run}", workflow=workflows.APPS_NAME),
    ),
    "promote": (
        Page(
            title="The run that was approved",
            path="actions/runs/{run}",
            workflow=workflows.PROMOTE_APPS_NAME,
            event="workflow_dispatch",
        ),
        Page(
            title="The run that halted it",
            path="actions/runs/{run}",
            workflow=workflows.PROMOTE_APPS_NAME,
            event="schedule",
        ),
    ),
    "flaky-providers": (Page(title="The run that survived", path="actions/runs/{run}"),),
}


class PageUnavailable(LookupError):
    """The page does not exist (yet): the story ended before it."""


@dataclass(frozen=True, kw_only=True)
class Screenshots:
    """The screenshots of one story: title -> PNG; and title -> why there is none."""

    images: dict[str, bytes] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def is_news(record: logging.LogRecord) -> bool:
    """Not that Playwright's driver ended: what waited for it has failed with that already."""
    return "while reading from the driver" not in record.getMessage()


class Browser:
    """The browser that takes them. Without one there are no screenshots, and the report says so."""

    def __init__(self, world: WorldClient) -> None:
        self._world = world
        self._playwright: Any = None
        self._page: Any = None

    def __enter__(self) -> Browser:
        executable = self._world.environ.get("SHIPMATE_BROWSER")
        if executable:
            from playwright.sync_api import sync_playwright

            logging.getLogger("asyncio").addFilter(is_news)
            self._playwright = sync_playwright().start()
            browser = self._playwright.chromium.launch(executable_path=executable, args=self._arguments())
            self._page = browser.new_context(viewport=SIZE, color_scheme="light").new_page()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._playwright is not None:
            with suppress(Exception):  # after Ctrl-C, which reaches its driver too, there is nothing to close
                self._page.context.browser.close()
            with suppress(Exception):
                self._playwright.stop()

    def take(self, story: str) -> Screenshots:
        """The screenshots of a story. One that cannot be taken is listed as missing: a screenshot never fails a story."""
        taken = Screenshots()
        for page in BY_STORY.get(story, ()):
            try:
                taken.images[page.title] = self._take(page)
            except Exception as error:  # the browser fails in as many ways as the page it shows
                taken.missing[page.title] = str(error).partition("\n")[0] or type(error).__name__
        return taken

    def _take(self, page: Page) -> bytes:
        if self._page is None:
            raise PageUnavailable("there is no browser on this machine")
        # Pages of GitHub come whole; the app shows what it asks for.
        whole = "networkidle" if page.path.startswith("https://") else "load"
        answer = self._page.goto(self._address(page), wait_until=whole, timeout=LIMIT_MS)
        if answer is None or not answer.ok:
            raise PageUnavailable(f"{page.path} answered {answer.status if answer else 'nothing'}")
        image: bytes = self._page.screenshot(animations="disabled", timeout=LIMIT_MS)
        return image

    def _address(self, page: Page) -> str:
        path = page.path
        if path.startswith("https://"):
            return path
        below = path.format(run=self._last_run(page)) if "{run}" in path else path
        below = path.format(pull=self._last_pull()) if "{pull}" in path else below
        return f"{self._world.server}/{self._world.repository}/{below}"

    def _last_run(self, page: Page) -> int:
        runs = [
            run["id"]
            for run in self._world.inspect("runs")
            if run["workflow"] == page.workflow and page.event in ("", run["event"])
        ]
        if not runs:
            raise PageUnavailable(f"{page.workflow} never ran")
        return int(runs[-1])

    def _last_pull(self) -> int:
        with self._world.github("release-manager") as client:
            pulls = client.get(f"/repos/{self._world.repository}/pulls", params={"state": "all"}).json()
        if not pulls:
            raise PageUnavailable("there is no pull request")
        return int(pulls[0]["number"])

    def _arguments(self) -> list[str]:
        """The platform's names are mapped to the world's edge, whose key is known; all others resolve to nothing."""
        port = urlsplit(self._world.edge).port
        names = [host for of in self._world.hosts.values() for host in of.values()]
        rules = ", ".join(
            [*(f"MAP {name}:443 127.0.0.1:{port}" for name in names), "EXCLUDE 127.0.0.1", "MAP * ~NOTFOUND"]
        )
        return [
            "--no-sandbox",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-quic",
            f"--ignore-certificate-errors-spki-list={self._world.spki}",
            f"--host-resolver-rules={rules}",
        ]
