"""The jobs of *Performance*: divided among runners, judged in one place, shown in the plan of the commit that was measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actions import judge_performance, plan_load
from loadtests.recording import Recording
from pipelines import performance
from pipelines.checks import app_starts
from pipelines.checks.app_starts import Judged
from pipelines.delivery import load_results, load_target
from pipelines.delivery.load_target import Serving
from pipelines.delivery.planning import plan_release
from pipelines.errors import InvalidRun, RefusedError
from rehearsal.runner.model import Run
from tests.actions.workplace import Workplace, workplace
from tests.loadtests.report.example import recorded
from tests.shop import Shop, open_shop
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world

LOAD = "    load: {visits_per_second: 20, seconds: 600}\n"
LOADED = (
    MANIFEST.replace("  staging:\n", f"  staging:\n{LOAD}").replace("  production:\n", f"  production:\n{LOAD}")
    + """
journeys:
  read: {component: backend, requests: [{path: /notes}]}
performance:
  targets:
    API responses: {of: response, component: backend, p95_ms: 500}
    database queries: {of: database, component: backend, p95_ms: 100}
    page load: {of: page-load, component: web, p95_ms: 2000}
  profiles:
    smoke: {per_second: 4, seconds: 120}
    heavy: {per_second: 21, seconds: 60}
"""
)
PLAIN = LOADED.replace(LOAD, "")
STARTING = (
    LOADED.replace("  profiles:\n", "    mobile start: {of: mobile-start, component: web, p95_ms: 3000}\n  profiles:\n")
    + "  app_starts: {organization: techmate, project: mobile, days: 7}\n"
)
RECORDINGS, PAGES, STARTS = Path("build/delivery/load"), Path("build/delivery/pages"), Path("build/delivery/starts")
QUICK_PAGES = {
    "loads": {"desktop, cold": [300.0 + n for n in range(75)], "phone, cold": [900.0 + n for n in range(75)]},
    "metrics": [],
}


# dividing the load ------------------------------------------------------------------------------------------------------


def planned(step: Any, text: str = LOADED, *, code: int = 0, **inputs: str) -> dict[str, str]:
    Path("shipmate.yml").write_text(text)
    Path(step.environ["GITHUB_OUTPUT"]).unlink(missing_ok=True)
    assert step.run(plan_load.main, **{"environment": "staging", "token": "-", **inputs}) == code, step.log
    found: dict[str, str] = step.outputs()
    return found


def test_one_runner_begins_when_it_is_ready(step: Any) -> None:
    found = planned(step)
    assert (found["shards"], found["count"], found["start"]) == ("[0]", "1", "")
    assert (found["asks"], found["pages"], found["starts"]) == ("false", "true", "false")
    assert "4 visits per second for 120 s, from 1 runner" in step.summary()


@pytest.mark.parametrize("live", [True, False])
def test_a_delivery_that_stepped_aside_is_not_measured(
    step: Any, monkeypatch: pytest.MonkeyPatch, *, live: bool
) -> None:
    """It ended well, and what is live has been measured when its own delivery ended."""
    step.environ["GITHUB_REPOSITORY"] = "techmate/platform"
    monkeypatch.setattr("pipelines.delivery.candidate.made_live", lambda github, run: live and run == "77")
    found = planned(step, delivered_by="77")
    assert found["count"] == ("1" if live else "0")
    assert ("was superseded and made nothing live" in step.summary()) is not live


def test_several_runners_begin_at_one_instant_and_draw_from_one_seed(step: Any) -> None:
    found = planned(step, shards="3")
    assert (found["shards"], found["count"]) == ("[0, 1, 2]", "3")
    assert int(found["start"]) > 0
    assert int(found["seed"]) >= 0


def test_starts_are_read_where_the_manifest_says_that_apps_report_them(step: Any) -> None:
    assert planned(step, STARTING)["starts"] == "true"


def test_where_users_are_someone_is_asked(step: Any) -> None:
    assert planned(step, environment="production")["asks"] == "true"


@pytest.mark.parametrize(
    ("inputs", "code", "message"),
    [
        ({"profile": "spike"}, 4, "there is no profile 'spike'"),
        ({"profile": "heavy"}, 6, "21 visits per second, and 20 at the most"),
        ({"shards": "0"}, 4, "'0' is no number of runners"),
        ({"shards": "33"}, 4, "'33' is no number of runners"),
        ({"shards": "two"}, 4, "'two' is no number of runners"),
        ({"environment": "qa"}, 4, "there is no environment 'qa'"),
    ],
)
def test_what_cannot_be_run_is_refused_before_a_runner_is_had(
    step: Any, inputs: dict[str, str], code: int, message: str
) -> None:
    assert planned(step, code=code, **inputs) == {}
    assert message in step.log


def test_a_platform_that_declares_no_load_has_nothing_to_do_after_a_deployment(step: Any) -> None:
    assert planned(step, PLAIN, asked="false") == {"shards": "[]", "count": "0"}
    assert planned(step, MANIFEST, asked="false") == {"shards": "[]", "count": "0"}
    assert planned(step, PLAIN, code=6, asked="true") == {}, "the caller sees why"


# judging ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path, step: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    with open_shop(tmp_path / "shop") as shop, workplace(shop, step, monkeypatch) as made:
        yield made


@pytest.fixture
def shop(place: Workplace) -> Shop:
    return place.shop


@pytest.fixture
def commit(shop: Shop) -> str:
    return shop.proved("v1.1.0", files={"shipmate.yml": LOADED})


def left(place: Workplace, commit: str, recording: Recording, pages: Any = QUICK_PAGES, *, shard: int = 0) -> None:
    """What the runners of a load test uploaded."""
    RECORDINGS.mkdir(parents=True, exist_ok=True)
    values = {"commit": commit, "recording": json.loads(recording.to_json())}
    (RECORDINGS / f"shard-{shard}.json").write_text(json.dumps(values))
    PAGES.mkdir(parents=True, exist_ok=True)
    (PAGES / "pages.json").write_text(json.dumps(pages))


def judged(
    place: Workplace,
    commit: str,
    recording: Recording,
    *,
    code: int = 0,
    pages: Any = QUICK_PAGES,
    starts: Judged | None = None,
) -> Run:
    """The job Judge of a run, with what it uploads."""
    shop = place.shop
    run = shop.workflow(
        "performance.yml", "Performance", load_results.JOB, commit=shop.head("main"), event="workflow_dispatch"
    )
    place.job(run)
    left(place, commit, recording, pages)
    given = {"recordings": str(RECORDINGS), "pages": str(PAGES)}
    if starts is not None:
        given["starts"] = str(app_starts.write(starts, STARTS).parent)
    found = place.act("judge_performance", code=code, environment="staging", **given)
    for name, folder, file in (
        ("name", "answers", load_results.FILE),
        ("baseline_name", "baseline", load_results.BASELINE.file),
    ):
        if found.get(folder):
            shop.upload(run, found[name], {file: (Path(found[folder]) / file).read_bytes()})
    shop.end(run, "success" if code == 0 else "failure")
    return run


def test_a_run_that_meets_every_target_is_shown_in_the_plan_of_its_commit(place: Workplace, commit: str) -> None:
    run = judged(place, commit, recorded(release="v1.1.0"))
    report = Path("build/delivery/load-report")
    assert {file.name for file in report.iterdir()} >= {"load-report.html", "load-report.json"}
    assert "API responses" in place.summary
    assert "Page load: the slowest, phone, cold." in place.summary
    result = plan_release(place.shop.context("production"), "v1.1.0").plan.recorded.performance
    assert result[0] == f"load test 'smoke' on staging, 2026-11-28T10:00:00+00:00 (run {run.id})"
    assert all(": passed: " in line for line in result[1:]), result
    assert len(result) == 4


def test_a_slow_platform_is_reported_and_shown_all_the_same(place: Workplace, commit: str) -> None:
    judged(place, commit, recorded(release="v1.1.0", factor=8), code=7)
    assert "staging does not meet its performance targets" in place.step.log
    result = plan_release(place.shop.context("production"), "v1.1.0").plan.recorded.performance
    assert any(line.startswith("API responses: missed: ") for line in result)
    assert not Path("build/delivery/load-baseline").exists(), "nothing is compared with it"


def test_slow_pages_are_notified(place: Workplace, commit: str) -> None:
    pages = {"loads": {"desktop, cold": [300.0] * 75, "phone, cold": [2500.0] * 70 + [None] * 5}, "metrics": []}
    judged(place, commit, recorded(release="v1.1.0"), pages=pages, code=7)
    assert "page load: missed" in place.step.log


def test_a_page_that_is_over_its_budget_is_reported(place: Workplace, commit: str) -> None:
    def metric(name: str, value: float | None, limit: float | None, verdict: str) -> dict[str, Any]:
        return {
            "metric": name,
            "value": value,
            "limit": limit,
            "verdict": verdict,
            "over": 75,
            "samples": 75,
            "interval": [None, None],
        }

    metrics = [
        metric("bytes, phone, cold", 1_250_000.0, 150_000, "missed"),
        metric("requests, phone, cold", 9.0, 12, "passed"),
        metric("CLS, desktop, cold", 0.25, 0.1, "missed"),
        metric("INP, desktop, warm", None, 200.0, "no data"),
    ]
    judged(place, commit, recorded(release="v1.1.0"), pages={**QUICK_PAGES, "metrics": metrics}, code=7)
    assert "the page of staging is over its budget" in place.step.log
    assert "Over its budget: bytes, phone, cold: 1,250,000, at most 150,000 (75 of 75 over it)." in place.summary
    assert "Over its budget: CLS, desktop, cold: 0.25, at most 0.1" in place.summary
    assert "requests, phone" not in place.summary


def started(*milliseconds: float, **more: Any) -> Judged:
    """What the apps of one release reported."""
    return Judged(release="1.2.0", milliseconds=milliseconds, **more)


SLOW_BUILD = started(*(1200.0 + 10 * n for n in range(280)), *(4000.0 + n for n in range(40)))
HEALTHY_BUILD = started(*(600.0 + 5 * n for n in range(400)), left_out={app_starts.TOO_LONG: 2}, newer={"1.3.0": 7})


@pytest.fixture
def starting(shop: Shop) -> str:
    """A commit whose manifest, the default branch's as well, says where apps report their starts."""
    return shop.proved("v1.1.0", files={"shipmate.yml": STARTING})


def test_a_build_that_starts_quickly_meets_its_target(place: Workplace, starting: str) -> None:
    judged(place, starting, recorded(release="v1.1.0"), starts=HEALTHY_BUILD)
    assert "Mobile start: 1.2.0: 400 starts; 2 left out, a minute or longer" in place.summary
    assert "1.3.0 is newer, and has 7 of 300 starts." in place.summary
    result = plan_release(place.shop.context("production"), "v1.1.0").plan.recorded.performance
    assert any(line.startswith("mobile start: passed: p95 2,495 ms") for line in result), result


def test_a_build_that_starts_slowly_misses_its_target(place: Workplace, starting: str) -> None:
    judged(place, starting, recorded(release="v1.1.0"), starts=SLOW_BUILD, code=7)
    assert "mobile start: missed: p95 4,023 ms" in place.step.log


def test_too_few_starts_tell_nothing_and_keep_no_later_run_from_being_compared(place: Workplace, starting: str) -> None:
    judged(place, starting, recorded(release="v1.1.0"), starts=started(*[900.0] * 40), code=13)
    assert "mobile start: too short to tell" in place.step.log
    assert "40 samples; at least" in place.step.log
    assert Path("build/delivery/load-baseline").exists(), "of the platform it is a good run"


def test_no_start_at_all_is_no_data_and_no_pass(place: Workplace, starting: str) -> None:
    judged(place, starting, recorded(release="v1.1.0"), starts=Judged(release="", milliseconds=()), code=13)
    assert "mobile start: no data" in place.step.log
    assert "Mobile start: no start of a release was reported." in place.summary


def test_starts_that_were_not_read_are_not_judged(place: Workplace, starting: str) -> None:
    judged(place, starting, recorded(release="v1.1.0"))
    assert "mobile start" not in place.summary


def test_a_healthy_platform_whose_app_is_slow_stays_what_later_runs_are_compared_with(
    place: Workplace, starting: str
) -> None:
    judged(place, starting, recorded(release="v1.1.0"), starts=SLOW_BUILD, code=7)
    assert Path("build/delivery/load-baseline").exists()


def test_what_became_slower_than_the_last_good_run_is_reported_although_every_target_is_met(
    place: Workplace, commit: str
) -> None:
    judged(place, commit, recorded(release="v1.1.0"))
    judged(place, commit, recorded(2, release="v1.1.0"))
    judged(place, commit, recorded(3, release="v1.1.0", factor=1.6))
    assert any("in the last good run, and is" in line for line in place.step.commands("warning"))
    assert not Path("build/delivery/load-baseline").exists(), "the next one is compared with the faster one"


@pytest.mark.parametrize(
    ("pages", "code"),
    [
        ({"loads": {}, "metrics": []}, 13),
        ({}, 13),
        ({"loads": {"desktop, cold": []}, "metrics": []}, 13),
        ({"loads": QUICK_PAGES["loads"]}, 13),
    ],
)
def test_page_loads_without_a_result_say_nothing(place: Workplace, commit: str, pages: Any, code: int) -> None:
    judged(place, commit, recorded(release="v1.1.0"), pages=pages, code=code)
    assert "the page loads left no result" in place.step.log


def test_a_runner_that_is_missing_makes_the_run_invalid(place: Workplace, commit: str) -> None:
    half = Recording.of_shard(
        profile="smoke", environment="staging", release="v1.1.0", seed=1, start=0.0, seconds=60, shard=0, shards=2
    )
    judged(place, commit, half, code=13)
    assert "Invalid run" in place.step.log or "shard" in place.step.log


def test_runners_that_met_different_commits_make_the_run_invalid(place: Workplace, commit: str) -> None:
    left(place, commit, recorded())
    left(place, "c" * 40, recorded(), shard=1)
    with pytest.raises(InvalidRun, match="runners met different commits"):
        performance.read_shards(RECORDINGS)


def test_nothing_that_runners_left_is_judged_as_such(step: Any) -> None:
    Path("shipmate.yml").write_text(LOADED)
    code = step.run(judge_performance.main, environment="staging", recordings="build", token="-")
    assert (code, "no runner left a recording" in step.log) == (13, True)


# measuring --------------------------------------------------------------------------------------------------------------


def test_a_release_that_goes_live_meanwhile_makes_the_run_invalid(
    shop: Shop, commit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.live("v1.1.0", commit, "staging")
    context = shop.context("staging")

    def run(*_: object, **__: object) -> Recording:
        shop.live("v1.2.0", shop.commit("feat: next"), "staging")
        return recorded(release="v1.1.0")

    monkeypatch.setattr("loadtests.run.run", run)
    with pytest.raises(InvalidRun, match="went live while v1"):
        performance.measure(context, "smoke")


def test_the_visits_meet_what_is_live_within_what_the_environment_takes(
    shop: Shop, commit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.live("v1.1.0", commit, "staging")
    asked: dict[str, Any] = {}

    def run(profile: Any, journeys: Any, addresses: Any, **given: Any) -> Recording:
        asked.update(given, profile=profile, journeys=journeys, addresses=addresses)
        return recorded(release="v1.1.0")

    monkeypatch.setattr("loadtests.run.run", run)
    context = shop.context("staging")
    _, serving = performance.measure(context, "smoke", seed=7)
    assert serving == Serving(release="v1.1.0", commit=commit)
    assert (asked["release"], asked["seed"], asked["profile"].rate) == ("v1.1.0", 7, 4)
    assert set(asked["addresses"]) == {"backend"}
    assert (asked["caps"].rate, asked["caps"].seconds) == (20, 600)
    with pytest.raises(RefusedError, match="asks for more than staging takes"):
        performance.measure(context, "heavy")
    assert load_target.LOAD_HEADER == "X-Shipmate-Load"
