"""Phones ask the emulated EAS for updates, and what they report is what the app would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from pipelines.mobile.update_health import release_name
from rehearsal.control import emulator_route
from rehearsal.emulators.eas import updates
from rehearsal.emulators.eas.app import Eas
from rehearsal.emulators.sentry.app import Sentry
from rehearsal.emulators.sentry.state import Sessions
from rehearsal.scenario import devices as module
from rehearsal.scenario.assertions import ExpectationFailed
from rehearsal.scenario.devices import Devices, ServedUpdate
from rehearsal.serving import running
from tests.rehearsal.emulators.eas_client import APP, PROJECT, Clock, emulator
from tests.rehearsal.scenario.scenario_world import world

RUNTIMES = {"android": "a" * 40, "ios": "b" * 40}
PLUGINS = ["expo-font", ["@sentry/react-native/expo", {"project": "mobile"}]]


@pytest.fixture
def eas(tmp_path: Path) -> Eas:
    made = emulator(tmp_path, "t", Clock())
    updates.channel(made.account, PROJECT, "production")
    return made


@pytest.fixture
def sentry() -> Sentry:
    return Sentry()


@pytest.fixture
def devices(eas: Eas, sentry: Sentry, tmp_path: Path) -> Iterator[Devices]:
    control = Starlette(routes=[emulator_route("sentry", sentry.control)])
    with running(eas.app, "eas") as server, running(control, "control") as people:
        here = world(tmp_path, people.url)
        Path(here.overlay).write_text(json.dumps({"hosts": {"u.expo.dev": server.url}}))
        app = {**APP["expo"], "plugins": PLUGINS}
        yield Devices(world=here, channel="production", app=app, runtimes=RUNTIMES)


def publish(eas: Eas, code: str, percentage: int | None = None, *, embedded: bool = False) -> str:
    """An update for Android; its id."""
    line = updates.channel(eas.account, PROJECT, "production").branch
    before = next(iter(updates.on_branch(eas.account, line)), None)
    piece = updates.Piece(
        platform="android",
        runtime=RUNTIMES["android"],
        manifest=json.dumps({"launchAsset": {"fileSHA256": code}}),
        percentage=percentage,
        control=before.id if before else None,
        embedded=embedded,
    )
    return updates.publish(eas.account, line, [piece], updates.About())[0].id


def test_a_device_is_given_what_is_for_its_build(eas: Eas, devices: Devices) -> None:
    assert devices.served_update("android", "one") == ServedUpdate()
    update = publish(eas, "first")
    assert devices.served_update("android", "one") == ServedUpdate(update=update, code="first")
    assert devices.served_update("ios", "one") == ServedUpdate(), "it is for Android"
    publish(eas, "", embedded=True)
    assert devices.served_update("android", "one") == ServedUpdate(), "it is directed to its own build"


def test_one_of_the_first_tenth_is_found(eas: Eas, devices: Devices) -> None:
    publish(eas, "first")
    update = publish(eas, "second", 10)
    device, served = devices.find_other_update("android", {"first"})
    assert served == ServedUpdate(update=update, code="second") == devices.served_update("android", device)
    assert devices.new_devices(1) != devices.new_devices(1)


def test_that_nobody_is_given_anything_else_is_reported(devices: Devices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0)
    with pytest.raises(ExpectationFailed, match="a device with ios to get another update"):
        devices.find_other_update("ios", {""})


def test_a_channel_that_nobody_made_is_reported(devices: Devices) -> None:
    devices.channel = "nightly"
    with pytest.raises(ExpectationFailed, match=r"u\.expo\.dev answers a device"):
        devices.served_update("ios", "one")


def test_an_update_is_reported_under_the_name_that_it_is_watched_by(devices: Devices, sentry: Sentry) -> None:
    devices.report_sessions(ServedUpdate(update="AB-1", code="c"), 20, crashed=3)
    [kept] = sentry.organization.sessions
    assert kept == Sessions(
        project="mobile",
        received=kept.received,
        release=release_name("ai.techmate.app", "1.2.0", "AB-1"),
        environment="production",
        total=20,
        crashed=3,
    )
