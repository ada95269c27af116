"""How an update does: by the sessions that Sentry has of it, and the installs that EAS counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ProviderError, ShipmateError
from pipelines.http import Http
from pipelines.manifest.mobile import AppWatch
from pipelines.manifest.performance import AppStarts
from pipelines.mobile.update_health import UpdateReports, of_installs, release_name
from pipelines.overlay import Overlay
from pipelines.providers.eas_updates import Installs
from pipelines.providers.sentry_sessions import SentrySessions, Sessions
from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.eas.state import DAY
from rehearsal.emulators.sentry import state
from rehearsal.emulators.sentry.app import Sentry
from rehearsal.serving import running
from tests.pipelines.mobile.expo import expo
from tests.pipelines.mobile.updating import World, only

pytestmark = pytest.mark.world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with expo(tmp_path) as made:
        yield World(made, tmp_path)


class Reported:
    """Sentry, as far as it is asked."""

    def __init__(self, found: dict[str, Sessions | ShipmateError]) -> None:
        self.found = found

    def of(self, release: str, *, days: int) -> Sessions:
        message = self.found.get(release, Sessions(count=0, crash_free_percent=None))
        if isinstance(message, ShipmateError):
            raise message
        return message


def test_each_update_is_a_release_of_its_own_and_eas_is_the_second_witness(world: World) -> None:
    result = world.publish(world.first)
    android, ios = (release_name("ai.techmate.app", "1.2.0", each.id) for each in result.updates)
    assert android == f"ai.techmate.app@1.2.0+update.{result.updates[0].id}"
    sessions = Reported({android: Sessions(count=900, crash_free_percent=99.9)})
    reports = UpdateReports(
        watch=AppWatch(),
        eas=world.eas,
        sessions=cast(SentrySessions, sessions),
        bundle="ai.techmate.app",
        version="1.2.0",
    )
    few = reports.health(result.updates)
    assert (few.state, "ios: 0 of the 500 sessions" in few.says) == ("unknown", True)
    sessions.found[ios] = Sessions(count=900, crash_free_percent=99.8)
    assert reports.health(result.updates).state == "good"
    # The program asks for the days before today, whatever the emulator's clock says.
    ahead = (world.expo.account.now() - time.time()) / DAY
    world.expo.emulator.control.observe(result.updates[1].group, installs=900, failed=100, days_ago=ahead)
    bad = reports.health(result.updates)
    message = "ios: 100 of 1,000 devices could not start it, by EAS: 90.00 % could, 99.5 % are needed"
    assert (bad.state, bad.says) == ("bad", message)
    sessions.found[android] = ProviderError("Sentry is down")
    world.expo.account.updates.clear()
    down = reports.health(result.updates)
    assert down.state == "unknown" and "Sentry is down" in down.says
    assert reports.health([]).state == "unknown"
    assert replace(reports, sessions=None).health(result.updates).state == "unknown"


def test_watched_by_sentry_it_comes_back_as_soon_as_its_own_sessions_crash(world: World) -> None:
    """The build's sessions, all well, count for nothing here."""
    world.publish(world.first)
    second = world.change("two", 10)
    result = world.publish(second)
    sentry = Sentry(tokens={"reader": ("org:read",)}, clock=world.expo.time)

    def report(release: str, total: int, crashed: int) -> None:
        kept = state.Sessions(
            project="mobile",
            received=world.expo.time(),
            release=release,
            environment="production",
            total=total,
            crashed=crashed,
        )
        sentry.organization.sessions.append(kept)

    def devices(seconds: float) -> None:
        """What they report in that time."""
        world.expo.time.forward(seconds)
        for update in result.updates:
            report(release_name("ai.techmate.app", "1.2.0", update.id), 200, 8 if update.platform == "ios" else 0)

    report("ai.techmate.app@1.2.0+7", 10_000, 0)
    violations: list[Violation] = []
    with running(Checked(sentry.app, load("sentry"), violations), "sentry") as server:
        http = Http(overlay=Overlay(hosts={"sentry.io": server.url}))
        sessions = SentrySessions(
            AppStarts(organization="techmate", project="mobile"), http, "reader", section="performance/app_starts"
        )
        reports = UpdateReports(
            watch=AppWatch(), eas=world.eas, sessions=sessions, bundle="ai.techmate.app", version="1.2.0"
        )
        updates = world.updates()
        updates.health, updates.clock = reports.health, replace(updates.clock, wait=devices)
        ended = updates.watch(result, minutes=30)
    assert ended.halted == "ios: 96.00 % of 600 sessions without a crash, 99.5 % are needed"
    assert world.messages[0].startswith("unknown: android: 0 of the 500 sessions")
    assert world.shares() == only(world.first.commit)
    assert [violation.text for violation in violations] == []


@given(installs=st.integers(0, 3000), failed=st.integers(0, 3000))
def test_too_few_installs_are_no_verdict_and_more_failures_never_better(installs: int, failed: int) -> None:
    watch = AppWatch()
    found = of_installs(watch, Installs(platform="ios", installs=installs, failed=failed))
    worse = of_installs(watch, Installs(platform="ios", installs=installs, failed=failed + 1))
    assert (found.state == "bad") == (installs + failed >= watch.sessions and 200 * failed > installs + failed)
    assert not (found.state == "bad" and worse.state == "good")
