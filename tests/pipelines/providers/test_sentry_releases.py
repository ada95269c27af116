"""Releases and deploys told to Sentry, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.errors import CredentialsError
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.overlay import Overlay
from pipelines.providers.sentry import Sentry
from rehearsal.emulators.sentry.app import Sentry as Emulator
from rehearsal.faults import Fault, Faults, Faulty
from rehearsal.serving import running


@pytest.fixture
def world() -> Iterator[tuple[Emulator, Faults, Sentry]]:
    emulator, faults = Emulator(tokens=["good"]), Faults()
    with running(Faulty(emulator.app, "sentry", faults)) as server:
        http = Http(overlay=Overlay(hosts={"sentry.io": server.url}, time_scale=0.001), policy=Policy(scale=0.001))
        yield emulator, faults, Sentry(http=http, token="good", organisation="techmate", projects=("backend", "web"))


def test_a_release_and_where_it_runs(world: tuple[Emulator, Faults, Sentry]) -> None:
    emulator, _, sentry = world
    for _time in (1, 2):
        sentry.release("v1.2.0", "techmate/platform", "c" * 40, "b" * 40)
    assert sentry.deployed("v1.2.0", "production", "run 7", "https://techmate.ai") is True
    assert sentry.deployed("v1.2.0", "production", "run 7") is False
    assert sentry.deployed("v1.2.0", "production", "run 8") is True
    release = emulator.releases["v1.2.0"]
    assert len(release.deploys) == 2
    assert len(emulator.releases) == 1


@pytest.mark.parametrize("kind", ["lose_answer", "cut"])
@pytest.mark.parametrize("number", [0, 1])
def test_a_lost_answer_is_told_once(world: tuple[Emulator, Faults, Sentry], kind: Any, number: int) -> None:
    emulator, faults, sentry = world
    faults.add(Fault(kind=kind, method="POST", after=number))
    sentry.release("v1.2.0", "techmate/platform", "c" * 40)
    sentry.deployed("v1.2.0", "production", "run 7")
    assert len(faults.fired) == 1
    assert len(emulator.releases["v1.2.0"].deploys) == 1


def test_a_wrong_token_is_said(world: tuple[Emulator, Faults, Sentry]) -> None:
    _, _, sentry = world
    wrong = Sentry(http=sentry.http, token="bad", organisation="techmate", projects=("backend",))
    with pytest.raises(CredentialsError):
        wrong.release("v1.2.0", "techmate/platform", "c" * 40)


def test_it_is_optional() -> None:
    assert Sentry.from_environ(Http(overlay=Overlay()), {"SENTRY_ORG": "techmate"}) is None
    full = {"SENTRY_AUTH_TOKEN": "t", "SENTRY_ORG": "techmate", "SENTRY_PROJECT": "backend, web"}
    found = Sentry.from_environ(Http(overlay=Overlay()), full)
    assert found is not None
    assert found.projects == ("backend", "web")
    assert "t" not in repr(found).split("organisation")[0].removeprefix("Sentry(")
