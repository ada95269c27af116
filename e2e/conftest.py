"""The browser, a page per test, and what is kept of a failure."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from e2e import environments
from e2e.browser import launch_arguments
from e2e.overlay import OverlayError
from e2e.pictures import Pictures
from e2e.routes import Routes, RoutesError
from e2e.target import Target, TargetError
from e2e.troubles import Troubles

_OPTIONS = ("E2E_WEB_URL", "E2E_API_URL", "E2E_EXPECT_RELEASE")
_PATIENCE_MS = 5_000
DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1100, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
"""What a context is made with."""
_failed = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("e2e")
    for name in _OPTIONS:
        group.addoption(f"--{name.lower().replace('_', '-')}", dest=name, default=None, help=f"instead of ${name}")
    group.addoption(
        "--environment",
        default=None,
        help="development, or one of shipmate.yml: its addresses, instead of E2E_WEB_URL and E2E_API_URL",
    )
    group.addoption(
        "--update-pictures", action="store_true", help="take how the pages look now for how they should look"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What a test may change is no matter of taste where users are: there only those run that change nothing."""
    changing = [item.name for item in items if item.get_closest_marker("read_only") is None]
    if changing and not config.option.collectonly and (name := _looked_at_only(config)):
        raise pytest.UsageError(
            f"{name} is only looked at: {len(changing)} of these tests may change something there, such as {changing[0]}; "
            'add: -m "read_only and not thorough"'
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    item.stash[_failed] = item.stash.get(_failed, False) or report.failed
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    """A test that ended well fails by what it did not announce; one that failed says what the browser saw, which is often why."""
    troubles: Troubles | None = getattr(item, "funcargs", {}).get("troubles")
    try:
        result = yield
    except BaseException as error:
        if troubles and troubles.found and not isinstance(error, pytest.skip.Exception):
            error.add_note("In the browser:\n" + "\n".join(troubles.found))
        raise
    if troubles:
        troubles.settle(_PATIENCE_MS)
        if said := troubles.judge():
            pytest.fail(said, pytrace=False)
    return result


def _values(config: pytest.Config) -> dict[str, str]:
    """What _OPTIONS say: on the command line, else of the environment that it names, else in the environment's variables.

    Raises TargetError.
    """
    given = {name: config.getoption(name) or os.environ.get(name) or "" for name in _OPTIONS}
    name = config.getoption("--environment")
    if not name:
        return given
    from pipelines.manifest import load

    found = environments.variables(name, load())
    for variable, url in found.items():
        if given[variable] and given[variable].rstrip("/") != url.rstrip("/"):
            raise TargetError(f"{variable} is {given[variable]}, but {name} is {url}: say one of them")
    return {**given, **found}


def _looked_at_only(config: pytest.Config) -> str | None:
    """The environment that the tests are for, where it is one that is only looked at; None also where no manifest says so."""
    try:
        from pipelines.errors import ManifestError
        from pipelines.manifest import load
    except ModuleNotFoundError:  # the tests alone, copied elsewhere
        return None
    try:
        return environments.looked_at_only(_values(config), load())
    except (ManifestError, TargetError):  # said by `target`, or by whoever reads the manifest
        return None


@pytest.fixture(scope="session")
def target(pytestconfig: pytest.Config) -> Target:
    try:
        return Target.of(_values(pytestconfig))
    except TargetError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.fixture(scope="session")
def routes() -> Routes:
    """Where candidates stand in for the public addresses."""
    try:
        return Routes.of(os.environ)
    except RoutesError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.fixture(scope="session")
def artifacts() -> Path | None:
    """Where to leave pictures and traces, or None."""
    folder = os.environ.get("E2E_ARTIFACTS")
    if not folder:
        return None
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)


@pytest.fixture(scope="session")
def browser_type_launch_args(target: Target, routes: Routes) -> dict[str, Any]:
    try:
        return launch_arguments((*target.hosts, *routes.hosts))
    except OverlayError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.fixture(scope="session")
def browser_context_args(routes: Routes) -> dict[str, Any]:
    # A user of its own: the run neither uses up anybody's rate limit nor suffers from it.
    # A place of its own, too: a machine's would show in what the page writes.
    given = {"extra_http_headers": {"X-User": f"e2e-{uuid4()}"}, "locale": "en-GB", "timezone_id": "UTC"}
    # What a service worker asks for is not routed: it would bring what is live.
    return {**given, "service_workers": "block"} if routes.to else given


@pytest.fixture
def troubles(request: pytest.FixtureRequest) -> Troubles:
    """What goes wrong in the browser; a test that wants some announces it."""
    return Troubles(read_only=request.node.get_closest_marker("read_only") is not None)


@pytest.fixture
def device(request: pytest.FixtureRequest) -> str:
    """A key of DEVICES; a test may be parametrised with it, indirectly."""
    return getattr(request, "param", "desktop")


@pytest.fixture
def context(
    browser: Browser,
    browser_context_args: dict[str, Any],
    routes: Routes,
    artifacts: Path | None,
    troubles: Troubles,
    device: str,
    request: pytest.FixtureRequest,
) -> Iterator[BrowserContext]:
    context = browser.new_context(**{**browser_context_args, **DEVICES[device]})
    routes.apply(context)
    context.set_default_timeout(_PATIENCE_MS)
    troubles.watch(context)
    if artifacts:
        context.tracing.start(snapshots=True, title=request.node.name)
    yield context
    if artifacts and request.node.stash.get(_failed, False):
        _keep(context, artifacts, re.sub(r"[^\w-]+", "-", request.node.name).strip("-"))
    context.close()


@pytest.fixture
def pictures(pytestconfig: pytest.Config, artifacts: Path | None) -> Pictures:
    """How the pages should look."""
    return Pictures(artifacts=artifacts, update=pytestconfig.getoption("--update-pictures"))


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def text(page: Page, target: Target) -> Iterator[str]:
    """The text of a note that nobody else writes, deleted again whatever becomes of the test."""
    text = f"The deployment crashed {uuid4().hex[:8]}"
    yield text
    page.context.set_offline(False)
    page.unroute_all(behavior="ignoreErrors")
    page.goto(target.web_url, wait_until="commit")
    page.evaluate(
        """async ([url, text]) => {
            const { notes } = await (await fetch(`${url}/notes`)).json();
            const ours = notes.filter((note) => note.text.includes(text));
            await Promise.all(ours.map((note) => fetch(`${url}/notes/${note.id}`, { method: "DELETE" })));
        }""",
        [target.api_url, text],
    )


def _keep(context: BrowserContext, artifacts: Path, name: str) -> None:
    for number, page in enumerate(context.pages):
        page.screenshot(path=artifacts / f"{name}-{number}.png", full_page=True)
    context.tracing.stop(path=artifacts / f"{name}.trace.zip")
