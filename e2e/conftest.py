"""The browser, a page per test, and what is kept of a failure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from e2e import environments
from e2e.artifacts import Artifacts
from e2e.browser import PATIENCE_MS, launch_arguments
from e2e.devices import DEVICES
from e2e.overlay import OverlayError
from e2e.pictures import Pictures
from e2e.retries import Retries, attempt_key
from e2e.routes import Routes, RoutesError
from e2e.shards import Shards
from e2e.target import Target, TargetError
from e2e.troubles import Troubles

_OPTIONS = ("E2E_WEB_URL", "E2E_API_URL", "E2E_EXPECT_RELEASE")
_LAST = 12
_failed = pytest.StashKey[str]()
"""How this attempt failed; empty while it has not."""
_troubles = pytest.StashKey[Troubles]()
_keeper = pytest.StashKey[Artifacts]()


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
        "--retries", type=int, default=0, help="how often a test that failed is tried again; then it is flaky"
    )
    for name, meaning in (
        ("shard", "run only this share of the tests, from 1"),
        ("shards", "of how many shares"),
        ("durations-file", "JSON of test to seconds, by which the shares are made equally long"),
    ):
        variable = f"E2E_{name.partition('-')[0].upper()}"
        group.addoption(f"--{name}", default=os.environ.get(variable), help=f"{meaning}; instead of ${variable}")
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


def pytest_configure(config: pytest.Config) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    config.pluginmanager.register(Retries(config.getoption("--retries")), "e2e-retries")
    if shards := Shards.of(config):
        config.pluginmanager.register(shards, "e2e-shards")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Every attempt is looked at by itself. What is kept is decided when all is torn down: a fixture may fail there, too."""
    report: pytest.TestReport = yield
    if report.when == "setup":
        item.stash[_failed] = ""
    if report.failed:
        item.stash[_failed] = item.stash.get(_failed, "") or report.longreprtext
        if troubles := item.stash.get(_troubles, None):
            asked = [
                f"{one.status or 'failed'} {one.method} {one.url} {one.request_id or ''}" for one in troubles.exchanges
            ]
            output = "\n".join(asked[-_LAST:])
            keeper = item.stash.get(_keeper, None)
            report.sections.append(("requests, with the server's ids", keeper.clean(output) if keeper else output))
    if report.when == "teardown" and (keeper := item.stash.get(_keeper, None)):
        name = keeper.name(item.name, item.stash.get(attempt_key, 1))
        if message := item.stash[_failed]:
            kept = keeper.keep(name, message=message, troubles=item.stash.get(_troubles, None))
            item.user_properties += [("artifact", file) for file in kept]
        else:
            keeper.drop(name)
        report.user_properties = list(item.user_properties)
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
        troubles.wait_for_requests(PATIENCE_MS)
        if message := troubles.judge():
            pytest.fail(message, pytrace=False)
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
    except (ManifestError, TargetError):  # reported by `target`, or by the code that reads the manifest
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
def keeper(routes: Routes) -> Artifacts | None:
    """What keeps pictures and traces of failures, or None."""
    folder = os.environ.get("E2E_ARTIFACTS")
    sent = [header for headers in routes.headers.values() for header in headers.items()]
    names, secrets = ([name for name, _ in sent], [value for _, value in sent])
    return Artifacts(Path(folder), secrets=secrets, headers=names) if folder else None


@pytest.fixture(scope="session")
def artifacts(keeper: Artifacts | None) -> Path | None:
    """Where to leave files, or None."""
    return keeper.folder if keeper else None


@pytest.fixture(scope="session")
def browser_type_launch_args(target: Target, routes: Routes) -> dict[str, Any]:
    try:
        return launch_arguments((*target.hosts, *routes.hosts))
    except OverlayError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.fixture(scope="session")
def browser_context_args(routes: Routes) -> dict[str, Any]:
    # A place of its own: a machine's would show in what the page writes.
    given = {"locale": "en-GB", "timezone_id": "UTC"}
    # What a service worker asks for is not routed: it would bring what is live.
    return {**given, "service_workers": "block"} if routes.to else given


@pytest.fixture
def troubles(request: pytest.FixtureRequest) -> Troubles:
    """What goes wrong in the browser; a test that expects some announces it."""
    troubles = Troubles(read_only=request.node.get_closest_marker("read_only") is not None)
    request.node.stash[_troubles] = troubles
    return troubles


@pytest.fixture
def device(request: pytest.FixtureRequest) -> str:
    """A key of DEVICES; a test may be parametrised with it, indirectly."""
    return getattr(request, "param", "desktop")


@pytest.fixture
def context(
    browser: Browser,
    browser_context_args: dict[str, Any],
    routes: Routes,
    keeper: Artifacts | None,
    troubles: Troubles,
    device: str,
    request: pytest.FixtureRequest,
) -> Iterator[BrowserContext]:
    context = browser.new_context(**{**browser_context_args, **DEVICES[device]})
    routes.apply(context)
    context.set_default_timeout(PATIENCE_MS)
    troubles.watch(context)
    if keeper:
        context.tracing.start(snapshots=True, title=request.node.name)
        request.node.stash[_keeper] = keeper
    yield context
    if keeper:
        name = keeper.name(request.node.name, request.node.stash.get(attempt_key, 1))
        if request.node.stash.get(_failed, ""):
            keeper.picture(context, name)
        keeper.record(context, name)
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
    if not page.url.startswith(target.web_url):  # it was never opened, and elsewhere a script may not call the API
        page.goto(target.web_url, wait_until="commit")
    page.evaluate(
        """async ([url, text, patience]) => {
            const signal = AbortSignal.timeout(patience);  // an API that hangs must not hang the tests
            const { notes } = await (await fetch(`${url}/notes`, { signal })).json();
            const ours = notes.filter((note) => note.text.includes(text));
            await Promise.all(ours.map((note) => fetch(`${url}/notes/${note.id}`, { method: "DELETE", signal })));
        }""",
        [target.api_url, text, PATIENCE_MS],
    )
