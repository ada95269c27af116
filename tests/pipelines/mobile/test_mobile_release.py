"""A tag brings both apps to their testers, once, whatever fails on the way: the jobs of the workflow, one after the other."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from actions.apps import above
from pipelines.errors import InputError
from pipelines.mobile import testflight
from rehearsal.emulators.app_store.model import Plan
from tests.pipelines.mobile.release_run import Flow
from tests.pipelines.mobile.release_world import open_release
from tests.pipelines.mobile.releasing import Release
from tests.rehearsal.emulators.app_store_client import BUNDLE

pytestmark = pytest.mark.world

ALL = {"verify", "build", "deliver", "release", "notify"}


@pytest.fixture(autouse=True)
def looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seldom, so that hours cost little."""
    monkeypatch.setattr(testflight, "EVERY", 300.0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Release]:
    with open_release(tmp_path) as made:
        yield made


def ended(flow: Flow) -> set[str]:
    """Jobs that ended well."""
    return {key for key, result in flow.results.items() if result == "success"}


def is_released(world: Release, android: int = 2, ios: int = 1) -> None:
    """Each app is built and delivered once, and there is one release."""
    assert world.builds == [("android", str(android)), ("ios", str(ios))]
    assert world.on_play == [android] and world.on_apple == [("1.0.1", str(ios))]
    assert world.releases == ["mobile-v1.0.1"]


def test_a_tag_brings_both_apps_to_their_testers_once(world: Release) -> None:
    flow = world.go(world.release(message="feat(mobile): finds notes (#7)"))
    assert ended(flow) == ALL and flow.results["build-again"] == "skipped", world.log
    is_released(world)
    assert world.refs == ["android/2", "ios/1"]
    assert world.play.account.apps[BUNDLE].tracks["internal"][0].notes == {"en-US": "• finds notes"}
    [texts] = [each.texts for each in world.apple.account.build_notes.values()]
    assert texts == {"whatsNew": "• finds notes"}
    [release] = world._seen("/releases")
    for build in world.expo.account.builds.values():
        assert hashlib.sha256(b64decode(build.artifact)).hexdigest() in release["body"], build.platform
    assert "android: build 2, 2 is on internal" in release["body"]
    assert "ios: build 1, 1.0.1 (1) is with Team" in release["body"]
    [record] = world.records()
    assert record["payload"]["artifacts"] == {"android": "2", "ios": "1"}
    assert record["payload"]["plan"] == flow.outputs["verify"]["plan"]
    states = [(each["state"], each["description"].partition(": https")[0]) for each in reversed(record["statuses"])]
    assert states == [
        ("queued", "verified mobile-v1.0.1"), ("in_progress", "android build 2"), ("in_progress", "android 2 is on internal"),
        ("in_progress", "ios build 1"), ("in_progress", "ios 1.0.1 (1) is with Team"), ("success", "mobile-v1.0.1 is with its testers"),
    ]  # fmt: skip
    [message] = world.slack.messages
    assert message.text == "🚀 mobile-v1.0.1 is with its testers"

    world.deaths.seen.clear()
    again = world.go(world.started(flow.tag, flow.commit))
    assert ended(again) == {"verify"} and again.outputs["verify"]["state"] == "done already"
    assert {"build", "deliver", "release", "notify"} & ended(again) == set()
    assert world.deaths.seen == []
    is_released(world)
    assert len(world.slack.messages) == 1


def test_a_platform_alone_is_released_too_by_an_annotated_tag(world: Release) -> None:
    manifest = (world.shop.checkout / "shipmate.yml").read_text()
    begin, end = manifest.index("  ios:"), manifest.index("release:\n  components:")
    world.shop.commit("ci: no iOS", files={"shipmate.yml": manifest[:begin] + manifest[end:]})
    del world.secrets["mobile-stores"]["APP_STORE_KEY"]
    flow = world.go(world.push("mobile-v1.0.1", world.commit(), annotated=True))
    assert ended(flow) == ALL and flow.outputs["verify"]["platforms"] == '["android"]'
    assert world.builds == [("android", "2")] and world.on_play == [2] and world.on_apple == []


def test_a_build_that_fails_hides_nothing_of_the_other_and_is_built_again_with_its_number(world: Release) -> None:
    log = ["error: no such module 'Notes'"]
    world.expo.emulator.control.next_build(platform="ios", code="XCODE_BUILD_FAILED", message="Xcode failed", log=log)
    flow = world.go(world.release())
    assert flow.legs["deliver"] == {"android": "success", "ios": "failure"}
    assert "the ios build failed: Xcode failed" in world.printed and log[0] in world.printed
    assert flow.results["release"] == "skipped" and world.releases == [] and world.on_play == [2]
    assert flow.results["build-again"] == "success" and world.dispatched == []
    [message] = world.slack.messages
    assert message.text.endswith("mobile-v1.0.1 is not with all of its testers")
    before = world.deaths.seen.count("eas build")

    world.go(flow)  # the failed jobs: the build is still the one that failed
    assert flow.legs["deliver"] == {"android": "success", "ios": "failure"}
    assert world.deaths.seen.count("eas build") == before

    flow.results["build"] = "failure"  # someone re-runs it
    world.deaths.seen.clear()
    world.go(flow)
    assert ended(flow) == ALL
    assert world.deaths.seen.count("eas build") == 1
    assert [each for each in world.deaths.seen if "androidpublisher" in each] == [], "what is delivered is left alone"
    numbers = [(b.platform, b.number) for b in world.expo.account.builds.values()]
    assert sorted(numbers) == [("android", "2"), ("ios", "1"), ("ios", "1")]
    assert world.on_play == [2] and world.on_apple == [("1.0.1", "1")] and world.releases == ["mobile-v1.0.1"]


def test_apple_that_takes_hours_is_waited_for_by_a_re_run_that_delivers_ios_alone(world: Release) -> None:
    """Mentra-Community/MentraOS#3856: an upload that was accepted, and no build for an hour."""
    world.apple.account.next_uploads.append(Plan(appear=2 * 3600.0))
    flow = world.go(world.release())
    assert flow.legs["deliver"] == {"android": "success", "ios": "failure"}
    assert world.releases == [] and world.on_play == [2]
    [kept] = [json.loads(file.read_text()) for file in flow.artifacts["delivered-ios"].glob("*.json")]
    assert kept["problem"].startswith("waited 45 minutes for Apple to process 1.0.1 (1)") and not kept["used"]
    world.apple.clock.forward(2 * 3600.0)
    world.deaths.seen.clear()
    world.go(flow)
    assert ended(flow) == ALL
    assert [each for each in world.deaths.seen if "androidpublisher" in each or "eas " in each] == []
    assert [each for each in world.deaths.seen if "buildUploads" in each] == [], "nothing is sent twice"
    is_released(world)
    assert [each.text.endswith("with its testers") for each in world.slack.messages] == [False, True]


def test_re_running_all_jobs_takes_the_same_numbers_and_delivers_what_lacks(world: Release) -> None:
    world.play.console.draft(BUNDLE, True)
    world.apple.account.next_uploads.append(Plan(appear=2 * 3600.0))
    flow = world.go(world.release())
    assert flow.legs["deliver"] == {"android": "success", "ios": "failure"}
    world.apple.clock.forward(2 * 3600.0)
    again = world.go(world.started(flow.tag, flow.commit))
    assert again.outputs["verify"]["plan"] == flow.outputs["verify"]["plan"]
    assert ended(again) == ALL
    assert world.refs == ["android/2", "ios/1"]
    assert world.builds == [("android", "2"), ("ios", "1")] and world.on_apple == [("1.0.1", "1")]
    assert "Review and roll out; once, by hand" in str(world.slack.messages[-1].blocks)


# used numbers -----------------------------------------------------------------------------------------------------------


def test_a_number_that_was_used_is_built_again_once_above_it(world: Release) -> None:
    """fastlane/fastlane#21642: in no track, and used all the same. What was delivered is not delivered again."""
    flow = world.go(world.release(), until="build")
    world.play.console.use_number(BUNDLE, 2)
    world.go(flow)
    assert flow.legs["deliver"] == {"android": "failure", "ios": "success"}
    assert json.loads(flow.outputs["build-again"]["above"]) == {"android": 2}
    assert flow.results["release"] == flow.results["notify"] == "skipped"
    [event] = world.dispatched
    assert event.ref == "refs/tags/mobile-v1.0.1" and event.payload["inputs"] == {"above": '{"android": 2}'}
    assert world.slack.messages == []

    world.deaths.seen.clear()
    second = world.go(world.started(flow.tag, flow.commit, inputs=event.payload["inputs"]))
    assert ended(second) == ALL and len(world.dispatched) == 1
    assert [each for each in world.deaths.seen if "buildUploads" in each] == []
    assert world.refs == ["android/2", "android/3", "ios/1"]
    assert world.builds == [("android", "2"), ("android", "3"), ("ios", "1")]
    assert world.on_play == [3] and world.on_apple == [("1.0.1", "1")] and world.releases == ["mobile-v1.0.1"]


def test_a_second_number_that_was_used_starts_nothing_again_and_is_reported(world: Release) -> None:
    flow = world.go(world.release(), until="build")
    world.play.console.use_number(BUNDLE, 2)
    world.play.console.use_number(BUNDLE, 3)
    world.go(flow)
    [event] = world.dispatched
    second = world.go(world.started(flow.tag, flow.commit, inputs=event.payload["inputs"]))
    assert second.legs["deliver"] == {"android": "failure", "ios": "success"}
    assert second.results["build-again"] == "skipped" and second.results["notify"] == "success"
    assert len(world.dispatched) == 1
    [message] = world.slack.messages
    assert "not with all of its testers" in message.text and "the build number 3 is used up" in str(message.blocks)


def test_a_build_that_apple_finds_invalid_is_built_again_and_not_for_android(world: Release) -> None:
    world.apple.account.next_uploads.append(Plan(state="INVALID"))
    flow = world.go(world.release())
    assert flow.legs["deliver"] == {"android": "success", "ios": "failure"}
    [event] = world.dispatched
    assert event.payload["inputs"] == {"above": '{"ios": 1}'}
    second = world.go(world.started(flow.tag, flow.commit, inputs=event.payload["inputs"]))
    assert ended(second) == ALL
    assert world.builds == [("android", "2"), ("ios", "1"), ("ios", "2")] and world.on_play == [2]


@pytest.mark.parametrize(
    "text", ["2", "[]", '{"windows": 2}', '{"android": "2"}', '{"android": true}', '{"ios": 0}', "{", "null"]
)
def test_an_input_that_says_no_numbers_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="says no build numbers") as caught:
        above(text)
    assert 'write it like {"android": 42}' in caught.value.next_step


def test_an_input_that_says_numbers() -> None:
    assert above("") == {} and above('{"android": 42}') == {"android": 42}


def test_a_plan_that_was_replaced_on_the_way_is_refused_by_every_job(world: Release) -> None:
    flow = world.go(world.release(), until="verify")
    file = flow.artifacts["release"] / "release.json"
    file.write_bytes(file.read_bytes().replace(b'"android":2', b'"android":9'))
    world.deaths.seen.clear()
    world.go(flow)
    assert ended(flow) == {"verify"}
    assert "the plan is not the one that was verified" in world.log
    assert world.deaths.seen == [] and world.builds == []
