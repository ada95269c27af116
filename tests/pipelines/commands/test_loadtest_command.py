"""`shipmate loadtest --capacity` as a user types it: what is asked, what is printed, how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from benchmarks._slots import Slots
from loadtests.arrivals import Profile
from loadtests.recording import Recording
from pipelines.cli import shipmate
from pipelines.errors import ShipmateError
from tests.shop import Shop
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world

LOAD = "    load: {visits_per_second: 60, seconds: 3000}\n"
LOADED = (
    MANIFEST.replace("  staging:\n", f"  staging:\n{LOAD}").replace("  production:\n", f"  production:\n{LOAD}")
    + """
journeys:
  read: {component: backend, requests: [{path: /notes}, {path: /notes}]}
performance:
  targets:
    API responses: {of: response, component: backend, p95_ms: 500}
  profiles:
    smoke: {per_second: 6, seconds: 120}
    spike: {arrivals: spike, from_per_second: 12, per_second: 50, seconds: 600}
    heavy: {per_second: 61, seconds: 60}
    rare: {per_second: 0.05, seconds: 600}
"""
)


class Staging:
    """Staging as a load test meets it, and the terminal of someone there."""

    def __init__(self, shop: Shop, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.platform = Slots(4, 0.1)
        self.asked: list[dict[str, Any]] = []
        self.shop, self.folder = shop, folder
        commit = shop.proved("v1.1.0", files={"shipmate.yml": LOADED})
        shop.live("v1.1.0", commit, "staging")
        shop.update()
        monkeypatch.chdir(shop.checkout)
        monkeypatch.setattr("pipelines.commands.terminal.context", lambda _, environment: shop.context(environment))
        monkeypatch.setattr("pipelines.commands.terminal.require_access", lambda _: None)
        monkeypatch.setattr("loadtests.run.run", self.run)
        monkeypatch.setattr("time.monotonic", self.platform.clock)

    def run(self, profile: Profile, journeys: Any, addresses: Any, **given: Any) -> Recording:
        self.asked.append({**given, "profile": profile, "journeys": journeys, "addresses": addresses})
        return self.platform.measure(profile, given["seed"])

    def types(self, *argv: str) -> Result:
        argv = ("loadtest", "-e", "staging", "--output", str(self.folder), "--seed", "7", *argv)
        ended = CliRunner().invoke(shipmate, argv)
        assert ended.exit_code == 0, ended.output
        return ended

    def refused(self, *argv: str) -> ShipmateError:
        """How it ends when it is not to succeed."""
        argv = ("loadtest", "-e", "staging", "--output", str(self.folder), "--seed", "7", *argv)
        error = CliRunner().invoke(shipmate, argv).exception
        assert isinstance(error, ShipmateError), error
        return error


@pytest.fixture
def staging(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Staging:
    return Staging(shop, tmp_path / "report", monkeypatch)


def test_the_capacity_is_found_printed_and_kept_with_a_report_of_each_step(staging: Staging) -> None:
    message = staging.types("--capacity")
    assert (
        "capacity of staging (v1.1.0): from 6 visits/s, doubled until a target is missed or 60 are reached"
        in message.stderr
    )
    assert "no longer than 3000 s in all" in message.stderr
    report = json.loads((staging.folder / "capacity-report.json").read_text())
    assert report["visits_per_second"] == pytest.approx(staging.platform.knee(0.5), rel=0.15)
    low, high = report["visits_per_second"], report["not_met_per_second"]
    first = f"staging serves v1.1.0: {low:g} visits a second meet every target, {high:g} do not"
    assert message.stdout.splitlines()[0] == first
    assert "breaks first" in message.stdout
    assert "slowest: backend GET /notes" in message.stdout
    for number in range(1, len(report["steps"]) + 1):
        folder = staging.folder / f"step-{number:02}"
        assert {file.name for file in folder.iterdir()} >= {"load-report.html", "load-report.json", "recording.json"}
    assert f"the report: {staging.folder / 'capacity-report.html'}" in message.stdout


def test_no_step_goes_beyond_what_the_environment_takes_and_every_one_is_drawn_anew(staging: Staging) -> None:
    staging.types("--capacity", "--profile", "spike", "--step-seconds", "40", "--processes", "2")
    steps = [each for each in staging.asked if each["profile"].name == "capacity"]
    assert (steps[0]["profile"].rate, steps[0]["profile"].seconds) == (12, 40)
    assert max(each["profile"].rate for each in steps) <= 60
    assert len({each["seed"] for each in staging.asked}) == len(staging.asked)
    assert {each["caps"].rate for each in staging.asked} == {60}
    assert {(each["processes"], *each["addresses"]) for each in staging.asked} == {(2, "backend")}


def test_json_is_all_that_is_printed(staging: Staging) -> None:
    document = json.loads(staging.types("--capacity", "--json").stdout)
    assert (document["ended"], document["environment"], document["release"], document["seed"]) == (
        "found",
        "staging",
        "v1.1.0",
        7,
    )
    assert document["broke"]["targets"][0]["target"] == "API responses"


def test_targets_that_are_met_at_no_rate_are_missed(staging: Staging) -> None:
    staging.platform.service = 0.8
    error = staging.refused("--capacity", "--profile", "smoke")
    assert (error.exit_code, error.what.partition(":")[0]) == (7, "staging meets its performance targets at no rate")
    assert (staging.folder / "capacity-report.html").is_file()


def test_a_generator_at_its_limit_is_no_answer(staging: Staging) -> None:
    staging.platform.lag_above = 20
    error = staging.refused("--capacity")
    assert error.exit_code == 13
    assert error.what == "The generator, not the platform, is at its limit; 12 visits a second met every target"
    assert "--processes" in error.next_step


def test_what_may_not_be_searched_is_refused_before_anything_is_asked(staging: Staging) -> None:
    for argv, code, why in (
        (("--capacity", "--profile", "heavy"), 6, "more than staging takes: 61 visits per second"),
        (("--capacity", "--profile", "rare"), 6, "more than staging takes: 3900 seconds"),
        (("--capacity", "--profile", "none"), 4, "there is no profile 'none'"),
        (("--capacity", "--compare-with", "shipmate.yml"), 4, "a capacity search is compared with nothing"),
        (("--step-seconds", "40"), 4, "only a capacity search has steps"),
        (("--capacity", "-e", "production"), 6, "users are on production"),
    ):
        error = staging.refused(*argv)
        assert (error.exit_code, why in error.what) == (code, True), error.what
    assert staging.asked == []


def test_a_release_that_goes_live_meanwhile_ends_the_search(staging: Staging) -> None:
    measured = staging.platform.measure

    def measure(profile: Profile, draw: int) -> Recording:
        if profile.rate > 10:
            staging.shop.live("v1.2.0", staging.shop.commit("feat: next"), "staging")
        return measured(profile, draw)

    staging.platform.measure = measure  # type: ignore[method-assign]
    error = staging.refused("--capacity")
    assert (error.exit_code, error.what) == (13, "v1.2.0 went live while v1.1.0 was measured")
