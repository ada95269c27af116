"""What people are notified of a release of the apps: who, what, where to install it, and what is left to do."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest

from pipelines.http import Http
from pipelines.manifest import parse
from pipelines.mobile.clients import Access
from pipelines.mobile.context import Context
from pipelines.mobile.notifications import message
from pipelines.mobile.plan import Plan
from pipelines.mobile.results import Result
from pipelines.notify.slack import body
from pipelines.overlay import Overlay
from pipelines.runtime import Runtime
from tests.pipelines.mobile.releasing import MANIFEST

ENVIRON = {
    "GITHUB_ACTOR": "dev-1",
    "GITHUB_RUN_ID": "7",
    "GITHUB_SERVER_URL": "https://github.test",
    "GITHUB_REPOSITORY": "techmate/platform",
}
WELL = dict.fromkeys(("verify", "build", "deliver", "release"), "success") | {"build-again": "skipped"}
HALF = WELL | {"deliver": "failure", "build-again": "success", "release": "skipped"}
ANDROID = Result(platform="android", number=2, text="2 is on internal")
IOS = Result(platform="ios", number=1, text="1.0.1 (1) is with Team")


def context(*results: Result, when: tuple[str, ...] = ("released", "deployment-failed")) -> Context:
    manifest = parse(MANIFEST)
    assert manifest.mobile is not None
    made = Context(
        manifest=replace(manifest, alerts=replace(manifest.alerts, when=when)),
        mobile=manifest.mobile,
        runtime=Runtime(environ=ENVIRON, stream=io.StringIO()),
        access=Access(http=Http(overlay=Overlay())),
        github=None,
        tag="mobile-v1.0.1",
        plan=Plan(tag="mobile-v1.0.1", version="1.0.1", commit="a" * 40, profile="production", numbers={"android": 2, "ios": 1}, notes=""),
    )  # fmt: skip
    made.results = {each.platform: each for each in results}
    return made


def test_who_what_where_and_what_is_left() -> None:
    found = message(context(ANDROID, IOS), WELL)
    assert found is not None
    assert (found.kind, found.title, found.who) == ("released", "mobile-v1.0.1 is with its testers", "dev-1")
    assert found.what == "android: 2 is on internal; ios: 1.0.1 (1) is with Team"
    assert found.facts == {
        "release": "mobile-v1.0.1",
        "Android": "Google Play, internal testing: https://play.google.com/store/apps/details?id=ai.techmate.app",
        "iOS": "TestFlight, Team",
    }
    assert found.next_step == "test it; then `shipmate mobile promote --to production`"
    assert found.run == "https://github.test/techmate/platform/actions/runs/7"
    assert [each["text"].partition("\n")[0] for each in body(found)["blocks"][2]["fields"]] == [
        "*Where*", "*Who*", "*Release*", "*Android*", "*iOS*",
    ]  # fmt: skip


def test_what_waits_for_someone_is_the_next_step() -> None:
    waiting = replace(ANDROID, waits_for="Play Console → Publishing overview → Send changes for review")
    found = message(context(waiting, IOS), WELL)
    assert found is not None
    assert found.next_step == "android: Play Console → Publishing overview → Send changes for review"


def test_half_of_it_is_reported_as_a_failure_with_what_is_delivered() -> None:
    found = message(context(ANDROID, replace(IOS, text="", problem="waited 45 minutes")), HALF)
    assert found is not None
    assert (found.kind, found.title) == ("deployment-failed", "mobile-v1.0.1 is not with all of its testers")
    assert found.what == "android: 2 is on internal; ios: waited 45 minutes"
    assert set(found.facts) == {"release", "Android"}
    assert "re-running its failed jobs delivers only what is missing" in found.next_step


def test_a_platform_that_left_no_result_is_reported_too() -> None:
    found = message(context(), WELL | {"build": "failure", "deliver": "skipped", "release": "skipped"})
    assert found is not None
    assert found.what == "android: nothing was delivered; ios: nothing was delivered"


@pytest.mark.parametrize(
    ("jobs", "when", "text"),
    [
        (WELL, ("released",), "released"),
        (WELL, ("deployment-failed",), None),
        (HALF, ("released",), None),
        (HALF, ("deployment-failed",), "deployment-failed"),
        (WELL | {"release": "failure"}, ("deployment-failed",), "deployment-failed"),
        (WELL | {"release": "cancelled"}, ("deployment-failed",), "deployment-failed"),
        (WELL | {"release": "skipped", "deliver": "skipped"}, ("deployment-failed", "released"), None),
    ],
)
def test_only_what_is_wanted_is_reported(jobs: dict[str, Any], when: tuple[str, ...], text: str | None) -> None:
    found = message(context(ANDROID, IOS, when=when), jobs)
    assert (found.kind if found else None) == text
