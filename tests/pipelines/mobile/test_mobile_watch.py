"""What is measured on phones says good, bad, or nothing; and nothing is not good."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import CredentialsError
from pipelines.manifest.mobile import AppWatch
from pipelines.mobile import clients
from pipelines.mobile.watch import HealthReports, of_sessions, of_vitals, shown, together
from pipelines.providers.play_vitals import CrashRate
from pipelines.providers.sentry_sessions import Sessions
from tests.pipelines.mobile.stores import PACKAGE, play_world

WATCH = AppWatch()


@pytest.mark.parametrize(
    ("count", "rate", "state", "message"),
    [
        (500, 99.5, "good", "99.50 % of 500 sessions without a crash"),
        (500, 99.499, "bad", "99.49 % of 500 sessions without a crash, 99.5 % are needed"),
        (499, 10.0, "unknown", "499 of the 500 sessions that tell anything, in 7 days"),
        (0, None, "unknown", "0 of the 500 sessions that tell anything, in 7 days"),
    ],
)
def test_by_sessions(count: int, rate: float | None, state: str, message: str) -> None:
    found = of_sessions(WATCH, Sessions(count=count, crash_free_percent=rate))
    assert (found.state, found.says) == (state, message)
    assert found.crash_free_percent == (None if state == "unknown" else rate)


@pytest.mark.parametrize(("percent", "state"), [(1.08, "good"), (1.09, "bad")])
def test_by_vitals(percent: float, state: str) -> None:
    assert of_vitals(WATCH, CrashRate(date="2026-11-25", percent=percent)).state == state


def test_vitals_that_say_nothing_hold_unless_the_manifest_says_otherwise() -> None:
    assert of_vitals(WATCH, None).state == "unknown"
    assert of_vitals(replace(WATCH, vitals="when-known"), None).state == "good"
    assert of_vitals(replace(WATCH, vitals="when-known"), CrashRate(date="2026-11-25", percent=2.0)).state == "bad"


@given(st.lists(st.sampled_from(["good", "bad", "unknown"]), max_size=4))
def test_good_is_only_what_is_good_in_every_way(states: list[str]) -> None:
    kinds = {
        "good": of_vitals(WATCH, CrashRate(date="2026-11-25", percent=0.1)),
        "bad": of_vitals(WATCH, CrashRate(date="2026-11-25", percent=9.0)),
        "unknown": of_vitals(WATCH, None),
    }
    worst = "bad" if "bad" in states else "unknown" if "unknown" in states or not states else "good"
    assert together([kinds[state] for state in states]).state == worst


def test_a_rate_is_never_shown_better_than_it_is() -> None:
    assert [shown(each) for each in (99.499, 99.5, 100.0, 99.999)] == ["99.49", "99.50", "100.00", "99.99"]


class Refusing:
    def of(self, release: str, *, days: int) -> Sessions:
        raise CredentialsError("Sentry does not accept the token")


def test_what_cannot_be_read_is_unknown_and_says_why() -> None:
    nothing = HealthReports(watch=WATCH, sessions=None).health("ai.techmate.app", "1.0.1", 7)
    assert nothing.state == "unknown"
    assert "mobile/reports" in nothing.says
    refused = HealthReports(watch=WATCH, sessions=Refusing()).health("ai.techmate.app", "1.0.1", 7)  # type: ignore[arg-type]
    assert (refused.state, refused.says) == ("unknown", "crash-free rate: Sentry does not accept the token")


@pytest.mark.world
def test_vitals_are_read_up_to_the_day_that_play_has(tmp_path: Path) -> None:
    with play_world(tmp_path) as world:
        reader = clients.vitals(world.settings, clients.Access(http=world.http), token=lambda: "token")
        assert reader.crash_rate(2) is None
        world.play.console.observe(PACKAGE, 2, users=1000, crashed=30, days_ago=4)
        world.play.console.observe(PACKAGE, 2, users=1000, crashed=5, days_ago=3)
        world.play.console.observe(PACKAGE, 2, users=1000, crashed=900, days_ago=1)
        world.play.console.observe(PACKAGE, 1, users=1000, crashed=900, days_ago=3)
        found = reader.crash_rate(2)
        assert found is not None
        assert found.percent == pytest.approx(0.5)
        health = HealthReports(watch=WATCH, sessions=None, vitals=reader).health(PACKAGE, "1.0.1", 1)
        assert health.state == "bad"
        world.play.console.permissions(PACKAGE, "anyone@world.invalid", [])
        assert "Play's vitals:" in HealthReports(watch=WATCH, sessions=None, vitals=reader).health(PACKAGE, "1", 1).says
