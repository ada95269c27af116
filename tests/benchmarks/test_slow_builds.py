"""The slownesses can still be planted, are what they say, and are distinguished as the benchmark counts them."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import slow_builds
from benchmarks.slow_builds import HEALTHY, PAGES, QUERIES, RESPONSES, SLOW, Build
from e2e import local
from e2e.browser import fetched, launch_arguments
from e2e.page_load import judged, samples
from loadtests.intervals import Estimate
from loadtests.verdicts import Answer, Judgement, Verdict
from pipelines.delivery.load_target import LOAD_HEADER

ROOT = Path(__file__).parents[2]
BY_NAME = {build.name: build for build in SLOW}
TOKEN = "a-token-of-this-test"


def copied(folder: Path) -> Path:
    """What builds are planted in, without anything that must be built first."""
    shutil.copytree(ROOT / "apps/backend/backend", folder / "backend/backend")
    (folder / "web").mkdir()
    shutil.copy(ROOT / "apps/web/index.html", folder / "web")
    return folder


@pytest.mark.parametrize("build", SLOW, ids=lambda build: build.name)
def test_each_can_be_planted_in_the_sources_as_they_are(build: Build, tmp_path: Path) -> None:
    folder = copied(tmp_path)
    build.plant(folder)
    changed = (folder / build.part / build.file).read_text()
    assert changed != ((ROOT / "apps" / build.part) / build.file).read_text()
    if build.part == "backend":
        compile(changed, build.file, "exec")


def test_one_whose_place_is_gone_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "backend/backend/notes.py").write_text("")
    with pytest.raises(SystemExit, match=r"slow query: 0 places in backend/notes\.py"):
        BY_NAME["slow query"].plant(folder)


@pytest.mark.world
def test_what_waits_in_the_database_is_reported_as_such_and_what_waits_elsewhere_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROBE_TOKEN", TOKEN)
    shutil.copytree(local.BACKEND, tmp_path / "backend", ignore=shutil.ignore_patterns("__pycache__", "tests"))
    for name in ("slow query", "slow endpoint"):
        BY_NAME[name].plant(tmp_path)
    with local.backend("http://127.0.0.1", tmp_path / "backend") as api:
        slow_builds.write_notes(api)
        in_database, _ = milliseconds(f"{api}/notes")
        assert in_database >= 200
        in_database, whole = milliseconds(f"{api}/notes/search?q=anything")
        assert whole >= in_database + 800


def milliseconds(url: str) -> tuple[float, float]:
    """What the answer says of the database, and what it took."""
    began = time.monotonic()
    with urlopen(Request(url, headers={LOAD_HEADER: TOKEN, "X-User": "one"})) as answer:
        json.load(answer)
        text = answer.headers["Server-Timing"].partition("dur=")[2].partition(";")[0]
    return float(text), (time.monotonic() - began) * 1000


@pytest.fixture
def chromium(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    monkeypatch.delenv("SHIPMATE_OVERLAY", raising=False)
    for name, value in fetched().items():
        monkeypatch.setenv(name, value)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_arguments(()))
        yield browser
        browser.close()


@pytest.mark.world
def test_the_heavy_page_is_above_the_budget_of_bytes(chromium: Browser, tmp_path: Path) -> None:
    plain = tmp_path / "web"
    plain.mkdir()
    (plain / "index.html").write_text('<!doctype html><link rel="icon" href="data:,"><body><p>Notes</p></body>')
    assert bytes_verdict(chromium, plain) == "passed"
    BY_NAME["picture of 1 MB"].plant(tmp_path)
    assert bytes_verdict(chromium, plain) == "missed"


def bytes_verdict(chromium: Browser, folder: Path) -> str:
    def nothing(page: Page) -> None:
        """The page is loaded, and nobody does anything."""

    with local.web_server(folder) as (server, _):
        url = f"http://127.0.0.1:{server.server_port}"
        found = list(samples(chromium, url, ["desktop"], 1, shown=nothing, act=nothing))
    answers = judged(found, {}, size=150_000, requests=12, confidence=0.95)
    return next(one.verdict for one in answers if one.metric == "bytes, desktop, cold")


def answer(target: str, verdict: Verdict) -> Answer:
    estimate = Estimate(value=1.0, low=0.0, high=math.inf, samples=1)
    return Answer(target=target, of="", component="", limit_ms=1.0, verdict=verdict, estimate=estimate, says="")


def judgement(verdict: Verdict, **answers: Verdict) -> Judgement:
    names = {"responses": RESPONSES, "queries": QUERIES, "pages": PAGES}
    values = tuple(answer(names[name], each) for name, each in answers.items())
    return Judgement(
        verdict=verdict, answers=values, endpoints=(), changes=(), failures=(), invalid=(), notes=(), first=0, end=0
    )


@pytest.mark.parametrize(
    ("build", "verdict", "right"),
    [
        (HEALTHY, judgement("passed", responses="passed", queries="passed"), True),
        (HEALTHY, judgement("too short to tell", responses="too short to tell", queries="passed"), False),
        (BY_NAME["slow query"], judgement("missed", responses="passed", queries="missed"), True),
        (BY_NAME["slow query"], judgement("missed", responses="missed", queries="missed"), False),
        (BY_NAME["slow endpoint"], judgement("missed", responses="missed", queries="passed"), True),
        (BY_NAME["slow endpoint"], judgement("passed", responses="passed", queries="passed"), False),
        (BY_NAME["stalls 1 s in 10"], judgement("too short to tell", responses="too short to tell"), True),
        (BY_NAME["stalls 1 s in 10"], judgement("passed", responses="passed", queries="passed"), False),
    ],
)
def test_a_slow_build_is_caught_by_its_own_target_alone(build: Build, verdict: Judgement, right: bool) -> None:
    assert slow_builds.caught(build, verdict) is right
