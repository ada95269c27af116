"""What is left of a failure, whichever part of a test failed and however often it was tried again (playwright-pytest#117, #210)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from e2e.artifacts import GONE, Artifacts
from e2e.browser import fetched

pytestmark = pytest.mark.world

ROOT = Path(__file__).parents[2]
SITE, CANDIDATE = "http://127.0.0.1:1", "http://127.0.0.1:2"
BYPASS = "let-me-in-please"
TESTS = f"""
import pytest

@pytest.fixture
def shown(page):
    page.context.add_cookies([dict(name="session", value="cookie-of-a-user", url="{SITE}")])
    page.set_extra_http_headers({{"Authorization": "Bearer token-of-a-user"}})
    page.route("**/start*", lambda route: route.fulfill(body="<p>Start</p>", headers={{"X-Request-ID": "id-of-the-server"}}))
    page.goto("{SITE}/start?bypass={BYPASS}")
    return page

@pytest.fixture
def broken_before(shown):
    raise RuntimeError("before")

@pytest.fixture
def broken_after(shown):
    yield
    raise RuntimeError("after")

attempts = []

def test_flaky(shown):
    attempts.append(1)
    assert len(attempts) > 1, "only the first time"

def test_call(shown, troubles):
    troubles.announce("request failed: GET .*/elsewhere")
    shown.evaluate("async () => {{ await fetch('/elsewhere').catch(() => 0) }}")
    assert shown.title() == "another"

def test_before(broken_before): pass

def test_after(broken_after): pass

def test_healthy(shown): pass

@pytest.mark.parametrize("number", range(4))
def test_gone(shown, number):
    attempts.append(1)
    assert False, f"attempt of {{number}}"
"""


@dataclass(frozen=True)
class Run:
    code: int
    output: str
    folder: Path
    cases: dict[str, ElementTree.Element]

    def files(self, name: str) -> list[str]:
        return sorted(file.name.removeprefix(name) for file in self.folder.glob(f"{name}[.-]*"))

    def properties(self, name: str, key: str) -> list[str | None]:
        return [one.get("value") for one in self.cases[name].iter("property") if one.get("name") == key]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Run:
    place = tmp_path_factory.mktemp("artifacts")
    (place / "conftest.py").write_text("from e2e.conftest import *\n")
    (place / "test_it.py").write_text(TESTS)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("E2E_", "SHIPMATE_OVERLAY"))}
    given = {
        "PYTHONPATH": str(ROOT),
        "E2E_WEB_URL": SITE,
        "E2E_API_URL": SITE,
        "E2E_ARTIFACTS": str(place / "kept"),
        "E2E_ROUTES": json.dumps({SITE: CANDIDATE}),
        "E2E_ROUTE_HEADERS": json.dumps({CANDIDATE: {"x-bypass": BYPASS}}),
    }
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    argv += ["--retries", "1", "--junitxml=report.xml", "test_it.py"]
    done = subprocess.run(
        argv, cwd=place, env={**environ, **fetched(), **given}, capture_output=True, text=True, check=False, timeout=120
    )
    report = ElementTree.parse(place / "report.xml")  # noqa: S314 - of our own making
    cases = {
        str(case.get("name")).replace("chromium-", "").replace("[chromium]", ""): case
        for case in report.iter("testcase")
    }
    return Run(done.returncode, done.stdout + done.stderr, place / "kept", cases)


def test_whatever_part_of_a_test_fails_its_trace_and_its_requests_are_kept(ran: Run) -> None:
    assert ran.code == 1, ran.output
    for name, message in (("call", "another"), ("before", "before"), ("after", "after")):
        stem = f"test_{name}-chromium"
        for beginning in (stem, f"{stem}-attempt-2"):
            assert ".json" in ran.files(beginning), ran.output
            assert zipfile.ZipFile(ran.folder / f"{beginning}.trace.zip").testzip() is None
            seen = json.loads((ran.folder / f"{beginning}.json").read_text())
            assert message in seen["failure"]
            archive = json.loads((ran.folder / f"{beginning}.har").read_text())["log"]
            assert archive["version"] == "1.2"
            started = [entry for entry in archive["entries"] if "/start" in entry["request"]["url"]]
            assert [(entry["request"]["method"], entry["response"]["status"]) for entry in started] == [("GET", 200)]
            assert ("id-of-the-server", 200) in {(one["request_id"], one["status"]) for one in seen["requests"]}
        assert (ran.folder / f"{stem}-0.png").exists() == (name != "after"), "by then the page was gone"
    assert (
        "request failed: GET" in json.loads((ran.folder / "test_call-chromium.json").read_text())["in_the_browser"][0]
    )
    assert "200 GET" in ran.output, "the ids stand in the log, too"


def test_the_report_names_the_files_of_every_attempt(ran: Run) -> None:
    kept = ran.properties("test_call", "artifact")
    assert {"test_call-chromium.trace.zip", "test_call-chromium-attempt-2.trace.zip"} <= set(kept)
    assert all((ran.folder / str(name)).is_file() for name in kept)
    assert ran.properties("test_healthy", "artifact") == []


def test_nothing_is_kept_of_what_went_well(ran: Run) -> None:
    assert ran.files("test_healthy-chromium") == []
    assert not list(ran.folder.glob(".*")), "what was pending is cleared"


def test_one_that_passes_when_tried_again_is_flaky_by_name_and_fails_nothing(ran: Run) -> None:
    flaky = ran.cases["test_flaky"]
    assert flaky.find("failure") is None
    (how,) = ran.properties("test_flaky", "flaky")
    assert how is not None
    assert how.startswith("attempt 1, call: AssertionError: only the first time")
    assert "test_flaky-chromium.trace.zip" in ran.properties("test_flaky", "artifact")
    assert "1 flaky" in ran.output
    assert "FLAKY test_it.py::test_flaky" in ran.output


def test_when_much_is_broken_nothing_is_tried_again(ran: Run) -> None:
    """Three tests failed for good before these."""
    for number in range(4):
        assert ran.properties(f"test_gone[{number}]", "flaky") == []
        assert ran.cases[f"test_gone[{number}]"].find("failure") is not None


def test_no_file_holds_a_secret(ran: Run) -> None:
    secrets = [text.encode() for text in (BYPASS, "cookie-of-a-user", "token-of-a-user")]
    contents: dict[str, bytes] = {}
    for file in ran.folder.iterdir():
        contents[file.name] = file.read_bytes()
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as trace:
                contents |= {f"{file.name}/{name}": trace.read(name) for name in trace.namelist()}
    network = next(text for name, text in contents.items() if name == "test_call-chromium.trace.zip/trace.network")
    assert GONE.encode() in network
    assert b"id-of-the-server" in network, "what helps stays"
    for name, content in contents.items():
        assert not [secret for secret in secrets if secret in content], name


def test_names_of_headers_count_in_any_case_and_in_either_form(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path, headers=["X-Bypass"])
    event = {
        "headers": [{"name": "X-BYPASS", "value": "abc"}, {"name": "Accept", "value": "abc"}],
        "extra": {"cookie": "abc"},
    }
    recorded = tmp_path / ".one.trace"
    with zipfile.ZipFile(recorded, "w") as trace:
        trace.writestr("trace.trace", json.dumps(event) + "\nno json\n")
        trace.writestr("resources/abc", b"\x00\xff")
    artifacts.keep("one", message="", troubles=None)
    with zipfile.ZipFile(tmp_path / "one.trace.zip") as trace:
        first, second = trace.read("trace.trace").decode().splitlines()
        assert trace.read("resources/abc") == b"\x00\xff"
    assert json.loads(first) == {
        "headers": [{"name": "X-BYPASS", "value": GONE}, {"name": "Accept", "value": "abc"}],
        "extra": {"cookie": GONE},
    }
    assert second == "no json"
