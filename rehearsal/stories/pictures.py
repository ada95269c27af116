"""Screenshots of what people see, taken with the browser the world found: the deployed app, and GitHub's pages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from rehearsal.stories.place import Place

SIZE = {"width": 1200, "height": 750}


@dataclass(frozen=True, kw_only=True)
class View:
    """One page worth a picture; `path` is below the repository's page, or a whole address."""

    name: str
    path: str


BY_STORY: dict[str, tuple[View, ...]] = {
    "quick-start": (
        View(name="1-The app in production", path="https://techmate.ai/"),
        View(name="2-The runs", path="actions"),
        View(name="3-The last run", path="actions/runs/{run}"),
        View(name="4-The releases", path="releases"),
        View(name="5-The deployments", path="deployments"),
    ),
    "red-pull-request": (View(name="1-The red pull request", path="pull/{pull}"),),
    "bad-release": (
        View(name="1-The run that was taken back", path="actions/runs/{run}"),
        View(name="2-The deployments", path="deployments"),
    ),
    "rollback": (View(name="1-The app after the way back", path="https://techmate.ai/"),),
}


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

    def take(self, story: str) -> list[Path]:
        """The pictures of a story, as files named `n-title.png`."""
        if self._page is None:
            return []
        folder = self._place.root / "pictures" / story
        folder.mkdir(parents=True, exist_ok=True)
        return [self._shoot(view, folder) for view in BY_STORY.get(story, ())]

    def _shoot(self, view: View, folder: Path) -> Path:
        self._page.goto(self._address(view.path), wait_until="networkidle", timeout=15_000)
        file = folder / f"{view.name.replace(' ', '-')}.png"
        self._page.screenshot(path=str(file))
        return file

    def _address(self, path: str) -> str:
        if path.startswith("https://"):
            return path
        below = path
        if "{run}" in path:
            production = [run for run in self._place.inspect("runs") if "Production" in run["workflow"]]
            below = path.format(run=production[-1]["id"])
        if "{pull}" in path:
            with self._place.github("release-manager") as client:
                pulls = client.get(f"/repos/{self._place.repository}/pulls", params={"state": "all"}).json()
            below = path.format(pull=pulls[0]["number"])
        return f"{self._place.server}/{self._place.repository}/{below}"

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
