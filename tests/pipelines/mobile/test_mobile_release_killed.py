"""Killed before or after any write of any job, a release is finished by running that job again: one build, one delivery, one release."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.mobile import testflight
from tests.memory_hosts import Killed
from tests.pipelines.mobile.release_run import Flow
from tests.pipelines.mobile.release_world import open_release
from tests.pipelines.mobile.releasing import Release
from tests.rehearsal.emulators.app_store_client import BUNDLE

pytestmark = pytest.mark.world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Release]:
    monkeypatch.setattr(testflight, "EVERY", 120.0)
    with open_release(tmp_path) as made:
        yield made


def through(world: Release, flow: Flow, key: str) -> int:
    """Run a job again until it ends: each run dies at the first write at which none died yet. How often it died."""
    died = 0
    world.deaths.died.clear()
    while True:
        try:
            assert world.job(flow, key) == "success", world.log
        except Killed:
            died += 1
            flow.run.attempt += 1
            assert died < 100, world.deaths.seen[-20:]
        else:
            return died


def test_killed_at_every_write_it_ends_with_one_of_everything(world: Release) -> None:
    world.secrets["mobile-stores"].pop("SLACK_WEBHOOK")
    flow = world.release()
    world.deaths.armed = True
    deaths = {key: through(world, flow, key) for key in ("verify", "build", "deliver", "release")}
    world.deaths.armed = False
    # Each before and after: an edit at Play, numbers, the record; the builds; bundle and IPA with all that follows; lock, draft, files.
    least = {"verify": 12, "build": 2, "deliver": 20, "release": 8}
    assert {key: min(deaths[key], number) for key, number in least.items()} == least, deaths
    assert world.builds == [("android", "2"), ("ios", "1")] and len(world.expo.account.builds) == 2
    assert world.refs == ["android/2", "ios/1"]
    assert world.on_play == [2] and world.on_apple == [("1.0.1", "1")]
    assert world.releases == ["mobile-v1.0.1"] and len(world._seen("/releases")) == 1
    [record] = world.records()
    assert record["statuses"][0]["state"] == "success"
    world.deaths.seen.clear()
    assert world.go(world.started(flow.tag, flow.commit)).outputs["verify"]["state"] == "done already"
    assert world.deaths.seen == []


def test_a_job_that_died_when_it_had_started_the_release_again_harms_nothing_by_a_second_start(world: Release) -> None:
    flow = world.go(world.release(), until="build")
    world.play.console.use_number(BUNDLE, 2)
    world.go(flow, until="deliver")
    world.deaths.armed = True
    assert through(world, flow, "build-again") == 2
    world.deaths.armed = False
    assert len(world.dispatched) == 2, "nothing tells whether the first one was started"
    for number, event in enumerate(world.dispatched):
        again = world.go(world.started(flow.tag, flow.commit, inputs=event.payload["inputs"]))
        assert again.outputs["verify"]["state"] == ("done already" if number else "to do")
    assert world.refs == ["android/2", "android/3", "ios/1"] and world.on_play == [3]
    assert world.builds == [("android", "2"), ("android", "3"), ("ios", "1")] and world.releases == ["mobile-v1.0.1"]
