"""Screenshots of what people see, taken with the browser the world found: the deployed app, and GitHub's pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from rehearsal.scenario import workflows
from rehearsal.scenario.world_client import Place

SIZE = {"width": 1200, "height": 750}
LIMIT_MS = 15_000


@dataclass(frozen=True, kw_only=True)
class View:
    """One page worth a picture; `path` is below the repository's page, or a whole address. `{run}` in it is the last run of `workflow`
    that `event` started; of any event where it is empty."""

    title: str
    path: str
    workflow: str = workflows.PRODUCTION_NAME
    event: str = ""


BY_STORY: dict[str, tuple[View, ...]] = {
    "quick-start": (
        View(title="The app in production", path="https://techmate.ai/"),
        View(title="The runs", path="actions"),
        View(title="The last production run", path="actions/runs/{run}"),
        View(title="The releases", path="releases"),
        View(title="The deployments", path="deployments"),
    ),
    "red-pull-request": (View(title="The red pull request", path="pull/{pull}"),),
    "unapproved": (View(title="The run that was rejected", path="actions/runs/{run}"),),
    "bad-release": (
        View(title="The run that was taken back", path="actions/runs/{run}"),
        View(title="The deployments", path="deployments"),
    ),
    "rollback": (View(title="The app after the way back", path="https://techmate.ai/"),),
    "stopped": (View(title="The run that was stopped", path="actions/runs/{run}"),),
    "hotfix": (View(title="The releases, the hotfix as the latest", path="releases"),),
    "killed": (View(title="The run that was killed three times", path="actions/runs/{run}"),),
    "mobile-release": (
        View(title="The run that released the apps", path="actions/runs/{run}", workflow=workflows.APPS_NAME),
        View(title="The releases", path="releases"),
    ),
    "mobile-mistakes": (View(title="A tag that was refused", path="actions/runs/{run}", workflow=workflows.APPS_NAME),),
    "mobile-half": (View(title="The run that finished it", path="actions/runs/{run}", workflow=workflows.APPS_NAME),),
    "mobile-killed": (
        View(title="The run that was killed five times", path="actions/runs/{run}", workflow=workflows.APPS_NAME),
    ),
    "promote": (
        View(
            title="The run that was approved",
            path="actions/runs/{run}",
            workflow=workflows.PROMOTE_APPS_NAME,
            event="workflow_dispatch",
        ),
        View(
            title="The run that halted it",
            path="actions/runs/{run}",
            workflow=workflows.PROMOTE_APPS_NAME,
            event="schedule",
        ),
    ),
    "flaky-providers": (View(title="The run that survived", path="actions/runs/{run}"),),
}


class NothingToShow(LookupError):
    """The page a view shows does not exist (yet): the story ended before it."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The pictures of one story: title -> PNG; and title -> why there is none."""

    pictures: dict[str, bytes] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


class Pictures:
    """A browser for the length of a rehearsal. Without one there are no pictures, and the report says so."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._playwright: Any = None
        self._page: Any = None

    def __enter__(self) -> Pictures:
        executable = self._place.environ.get("SHIPMATE_BROWSER")
        if executable:
            from playwright.sync_api import sync_playwright

            self._playwright = sync_playwright().start()
            browser = self._playwright.chromium.launch(executable_path=executable, args=self._arguments())
            self._page = browser.new_context(viewport=SIZE, color_scheme="light").new_page()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._playwright is not None:
            self._page.context.browser.close()
            self._playwright.stop()

    def take(self, story: str) -> Taken:
        """The pictures of a story. One that cannot be taken is told as missing: a picture never fails a story."""
        taken = Taken()
        for view in BY_STORY.get(story, ()):
            try:
                taken.pictures[view.title] = self._shoot(view)
            except Exception as error:  # the browser fails in as many ways as the page it shows
                taken.missing[view.title] = str(error).partition("\n")[0] or type(error).__name__
        return taken

    def _shoot(self, view: View) -> bytes:
        if self._page is None:
            raise NothingToShow("there is no browser on this machine")
        answer = self._page.goto(self._address(view), wait_until="networkidle", timeout=LIMIT_MS)
        if answer is None or not answer.ok:
            raise NothingToShow(f"{view.path} answered {answer.status if answer else 'nothing'}")
        picture: bytes = self._page.screenshot(animations="disabled", timeout=LIMIT_MS)
        return picture

    def _address(self, view: View) -> str:
        path = view.path
        if path.startswith("https://"):
            return path
        below = path.format(run=self._last_run(view)) if "{run}" in path else path
        below = path.format(pull=self._last_pull()) if "{pull}" in path else below
        return f"{self._place.server}/{self._place.repository}/{below}"

    def _last_run(self, view: View) -> int:
        runs = [
            run["id"]
            for run in self._place.inspect("runs")
            if run["workflow"] == view.workflow and view.event in ("", run["event"])
        ]
        if not runs:
            raise NothingToShow(f"{view.workflow} never ran")
        return int(runs[-1])

    def _last_pull(self) -> int:
        with self._place.github("release-manager") as client:
            pulls = client.get(f"/repos/{self._place.repository}/pulls", params={"state": "all"}).json()
        if not pulls:
            raise NothingToShow("there is no pull request")
        return int(pulls[0]["number"])

    def _arguments(self) -> list[str]:
        """The platform's names lead to the world's front, whose key is known; nothing leads anywhere else."""
        port = urlsplit(self._place.edge).port
        names = [host for of in self._place.hosts.values() for host in of.values()]
        rules = ", ".join(
            [*(f"MAP {name}:443 127.0.0.1:{port}" for name in names), "EXCLUDE 127.0.0.1", "MAP * ~NOTFOUND"]
        )
        return [
            "--no-sandbox",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-quic",
            f"--ignore-certificate-errors-spki-list={self._place.spki}",
            f"--host-resolver-rules={rules}",
        ]
