"""The jobs of *Browser Tests*: planned by what is live, run in shares, merged, and divided by durations the next time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actions import plan_e2e
from pipelines.delivery import browser_durations
from rehearsal.runner.model import Run
from tests.actions.workplace import KEPT, Workplace, workplace
from tests.shop import Shop, open_shop
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world

DECLARED = """browser_tests:
  run: ["false"]
  thorough: [python3 e2e.py]
  read_only: [python3 e2e.py 1]
  report: reports/e2e.xml
  env: {SEEN: "{url of web} {release}"}
"""
RUNNER = """import json, os, pathlib, sys
seconds = json.load(open(os.environ["E2E_DURATIONS"]))
shard, shards = int(os.environ["E2E_SHARD"]), int(os.environ["E2E_SHARDS"])
tests = ["one", "two", "three", "four"][: int(sys.argv[1]) if len(sys.argv) > 1 else 4]
print("SEEN", os.environ["SEEN"], json.dumps(seconds))
own = tests[shard - 1 :: shards]
took = {"one": 4.0, "two": 1.0, "three": 2.0, "four": 3.0}
bad = "BAD"
outcome = lambda test: "failed" if test == bad else "passed"
ran = [{"test": test, "outcome": outcome(test), "seconds": took[test]} for test in own]
account = {"format": 1, "shard": shard, "shards": shards, "collected": tests, "own": own, "ran": ran, "ended": True}
pathlib.Path("reports").mkdir(exist_ok=True)
json.dump(account, open("reports/e2e.json", "w"))
cases = "".join(f"<testcase name='{test}'>{'<failure/>' * (test == bad)}</testcase>" for test in own)
open("reports/e2e.xml", "w").write(f"<testsuite>{cases}</testsuite>")
sys.exit(bad in own)
"""


@pytest.fixture
def place(tmp_path: Path, step: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    with open_shop(tmp_path / "shop") as shop, workplace(shop, step, monkeypatch) as made:
        yield made


@pytest.fixture
def shop(place: Workplace) -> Shop:
    return place.shop


def on_staging(shop: Shop, *, bad: str = "") -> str:
    """A commit with browser tests, live on staging."""
    files = {"shipmate.yml": MANIFEST + DECLARED, "e2e.py": RUNNER.replace("BAD", bad)}
    commit = shop.commit("feat: tests", files=files)
    shop.live(f"sha-{commit[:7]}", commit, "staging")
    return commit


def begun(shop: Shop) -> Run:
    return shop.workflow(
        "browser-tests.yml",
        "Browser Tests",
        browser_durations.KIND.job,
        commit=shop.head("main"),
        event="workflow_dispatch",
    )


def planned(place: Workplace, run: Run, *, code: int = 0, **inputs: str) -> dict[str, str]:
    place.job(run)
    found = place.act("plan_e2e", code=code, **{"environment": "staging", "shards": "2", **inputs})
    if found.get("durations"):
        place.keep("durations", Path(found["durations"]))
    return found


def share(place: Workplace, run: Run, plan: dict[str, str], number: int, *, code: int = 0, **inputs: str) -> None:
    place.job(run, plan["commit"])
    place.get("durations", KEPT / "durations")
    given = {"version": plan["release"], "read_only": plan["read_only"], "shards": plan["count"], "shard": str(number)}
    given |= {"environment": "staging", "durations": str(KEPT / "durations/durations.json"), **inputs}
    left = place.act("run_e2e", code=code, **given)
    if left.get("folder"):
        place.keep(f"shard-{number}", Path(left["folder"]))


def merged(
    place: Workplace, run: Run, plan: dict[str, str], *, code: int = 0, environment: str = "staging"
) -> dict[str, str]:
    place.job(run)
    place.get_all("shard-", KEPT / "shards")
    given = {"release": plan["release"], "shards": plan["count"], "read_only": plan["read_only"]}
    found = place.act("merge_e2e", code=code, environment=environment, results=str(KEPT / "shards"), **given)
    if found.get("durations"):
        content = (Path(found["durations"]) / browser_durations.KIND.file).read_bytes()
        place.shop.upload(run, found["durations_name"], {browser_durations.KIND.file: content})
    place.shop.end(run, "success" if code == 0 else "failure")
    return found


def test_what_is_live_is_tested_in_two_shares_and_the_next_night_knows_how_long_each_took(place: Workplace) -> None:
    commit = on_staging(place.shop)
    place.shop.commit("feat: not deployed yet")
    run = begun(place.shop)
    plan = planned(place, run)
    assert plan == {
        "shards": "[1, 2]",
        "count": "2",
        "release": f"sha-{commit[:7]}",
        "commit": commit,
        "read_only": "false",
        "durations": "build/delivery/durations",
    }
    assert "all of them, on 2 runners; no duration is recorded" in place.summary
    for shard in (1, 2):
        share(place, run, plan, shard)
        assert f"SEEN https://staging.techmate.ai sha-{commit[:7]} {{}}" in place.step.log
        assert "2 browser tests passed" in place.summary
    found = merged(place, run, plan)
    assert f"### sha-{commit[:7]} on staging\n\n4 browser tests passed\n\n2 shards, 6 and 4 s of tests" in place.summary
    answer = json.loads((Path(found["report"]) / "e2e.json").read_text())
    assert [(one["test"], one["shard"]) for one in answer["tests"]] == [
        ("four", 2),
        ("one", 1),
        ("three", 1),
        ("two", 2),
    ]
    assert (Path(found["report"]) / "e2e.xml").read_text().count("<testcase") == 4

    plan = planned(place, begun(place.shop))
    assert "4 tests have a recorded duration" in place.summary
    recorded = json.loads((Path(plan["durations"]) / "durations.json").read_text())
    assert recorded == {"one": 4.0, "two": 1.0, "three": 2.0, "four": 3.0}


def test_a_test_that_failed_is_in_the_merged_report_and_its_durations_are_not_kept(place: Workplace) -> None:
    on_staging(place.shop, bad="two")
    run = begun(place.shop)
    plan = planned(place, run)
    share(place, run, plan, 1)
    share(place, run, plan, 2, code=7)
    assert "1 of 2 browser tests failed: two" in place.step.log
    found = merged(place, run, plan, code=7)
    assert "1 of 4 browser tests failed: two" in place.step.log
    assert "| `two` | failed |" in place.summary
    assert "durations" not in found
    assert (Path(found["report"]) / "e2e.xml").is_file()


def test_a_runner_that_was_lost_fails_the_run(place: Workplace) -> None:
    on_staging(place.shop)
    run = begun(place.shop)
    plan = planned(place, run)
    share(place, run, plan, 1)
    assert merged(place, run, plan, code=7) == {}
    assert "shard 2 of 2 left nothing" in place.step.log
    assert "Re-run failed jobs" in place.step.log


def test_of_production_only_what_changes_nothing_is_run_by_the_tests_of_its_release(place: Workplace) -> None:
    commit = on_staging(place.shop)
    place.shop.tag("v1.0.0", commit)
    place.shop.live("v1.0.0", commit)
    place.shop.commit("feat: later", files={"e2e.py": "raise SystemExit('not of this release')"})
    run = begun(place.shop)
    plan = planned(place, run, environment="production", shards="1")
    assert (plan["release"], plan["commit"], plan["read_only"], plan["shards"]) == ("v1.0.0", commit, "true", "[1]")
    assert "those that change nothing, on 1 runner" in place.summary
    share(place, run, plan, 1, environment="production")
    assert "1 browser test passed" in place.summary
    merged(place, run, plan, environment="production")


def test_a_release_that_went_live_since_is_not_tested_by_the_tests_of_the_one_before(place: Workplace) -> None:
    on_staging(place.shop)
    run = begun(place.shop)
    plan = planned(place, run)
    on_staging(place.shop)
    share(place, run, plan, 1, code=7)
    assert f"{plan['release']} is not what staging serves now" in place.step.log


@pytest.mark.parametrize(
    ("inputs", "code", "message"),
    [
        ({"shards": "0"}, 4, "'0' is no number of runners"),
        ({"shards": "33"}, 4, "'33' is no number of runners"),
        ({"shards": "two"}, 4, "'two' is no number of runners"),
        ({"environment": "qa"}, 4, "there is no environment 'qa'"),
        ({}, 6, "'v0.0.1-strange' is no release of this repository"),
    ],
)
def test_what_cannot_be_run_is_refused_before_a_runner_is_had(
    place: Workplace, inputs: dict[str, str], code: int, message: str
) -> None:
    commit = on_staging(place.shop)
    place.shop.live("v0.0.1-strange", commit, "staging")
    assert planned(place, begun(place.shop), code=code, **inputs) == {}
    assert message in place.step.log


@pytest.mark.parametrize(("shard", "shards"), [("3", "2"), ("0", "2"), ("1", ""), ("x", "2")])
def test_a_share_there_is_not_is_refused(place: Workplace, shard: str, shards: str) -> None:
    on_staging(place.shop)
    run = begun(place.shop)
    plan = planned(place, run)
    share(place, run, plan, 1, code=4, shard=shard, shards=shards)
    assert "there is no shard" in place.step.log


def test_a_platform_without_browser_tests_has_nothing_to_do_at_night(step: Any) -> None:
    Path("shipmate.yml").write_text(MANIFEST)
    assert step.run(plan_e2e.main, environment="staging", asked="false", token="-") == 0
    assert step.outputs() == {"shards": "[]", "count": "0"}
