"""`shipmate mobile promote`, `halt`, `resume` and `status` as a user types them, against both emulated stores."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipelines.commands import mobile_halt, mobile_promote, mobile_resume, mobile_status, mobile_stores
from pipelines.errors import CheckFailed, CredentialsError, InputError, RefusedError
from pipelines.http import Http
from pipelines.manifest import parse
from pipelines.mobile import clients
from pipelines.mobile.promotion import Promotions
from pipelines.overlay import Overlay
from pipelines.providers.google_auth import VARIABLE
from tests.pipelines.mobile.stores import (
    APP,
    BAD,
    BUNDLE,
    ISSUER,
    KEY,
    PACKAGE,
    PEM,
    UNKNOWN,
    AppleWorld,
    PlayWorld,
    apple_world,
    play_world,
)

pytestmark = pytest.mark.world

MANIFEST = f"""
platform: {{name: Shop, repository: acme/shop}}
ci: {{checks: {{}}}}
components: {{mobile: {{paths: ["apps/mobile/**"]}}}}
environments: {{}}
release:
  components:
    mobile: {{tag_format: "mobile-v{{version}}", paths: [apps/mobile]}}
mobile:
  component: mobile
  app: apps/mobile
  reports: {{organization: acme, project: mobile}}
  eas: {{account: acme, slug: shop, project: 00000000-0000-0000-0000-000000000000}}
  android: {{package: {PACKAGE}, workload_identity: //iam/x, service_account: play@acme}}
  ios: {{bundle: {BUNDLE}, app: "{APP}", issuer: {ISSUER}, key: {KEY}, groups: {{external: [Friends]}}}}
"""


@dataclass
class Stores:
    """Both stores, the App Store with 1.0.0 on sale, Google Play with 0.9.0 and 1.0.1 with the testers of both."""

    play: PlayWorld
    apple: AppleWorld

    def run(self, command: Any, *arguments: str, fails: type[Exception] | None = None) -> Result:
        result = CliRunner().invoke(command, list(arguments))
        if fails is None:
            assert result.exception is None, result.output
        else:
            assert isinstance(result.exception, fails)
        return result


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    with play_world(tmp_path) as play, apple_world(tmp_path) as apple:
        apple.publish("1.0.0")
        play.deliver("1.0.1", 2)
        apple.deliver("1.0.1", 7)
        made: Callable[[], Promotions] = lambda: Promotions(android=play.promotion(), ios=apple.promotion())  # noqa: E731
        monkeypatch.setattr(mobile_stores, "promotions", made)
        yield Stores(play, apple)


def test_from_testers_to_everybody_with_a_halt(stores: Stores) -> None:
    result = stores.run(mobile_promote.command, "--to", "beta").output
    assert "android: 1.0.1 (2) goes to 100 % of beta\n  waits for: Google's review" in result
    assert "ios: 1.0.1 (7) is with Friends of TestFlight\n  waits for: Apple's beta review" in result
    stores.play.review()

    ours = ("--to", "production", "--platform", "android", "--version", "mobile-v1.0.1")
    assert "goes to 5 % of production" in stores.run(mobile_promote.command, *ours).output
    stores.play.review()
    stores.play.health = UNKNOWN
    held = stores.run(mobile_promote.command, *ours, "--percent", "20", fails=RefusedError)
    assert f"  held: {UNKNOWN.says}" in held.output
    assert "halted at 5 %" in stores.run(mobile_halt.command, "--platform", "android").output
    assert "goes on with 5 %" in stores.run(mobile_resume.command, "--platform", "android").output
    stores.play.health = BAD
    halted = stores.run(mobile_promote.command, *ours, "--percent", "20", "--json", fails=CheckFailed)
    [row] = json.loads(halted.output)
    assert (row["platform"], row["version"], row["number"], row["halted"]) == ("android", "1.0.1", 2, BAD.says)


def test_a_mistake_changes_nothing(stores: Stores) -> None:
    stores.run(mobile_promote.command, "--to", "production", "--percent", "20", fails=InputError)
    stores.run(mobile_halt.command, fails=RefusedError)
    assert stores.play.on() == [(1, "completed", None)]


def test_status_fits_and_gives_each_reason_once(stores: Stores) -> None:
    stores.run(mobile_promote.command, "--to", "production", "--phased", "--percent", "5")
    stores.play.review()
    stores.apple.review()
    stores.apple.health = UNKNOWN
    result = stores.run(mobile_status.command).output
    assert max(len(line) for line in result.splitlines()) <= mobile_status.WIDTH
    assert result.splitlines()[0].split() == [
        "PLATFORM", "TRACK", "VERSION", "BUILD", "PERCENT", "STATE", "REVIEW", "CRASH_FREE",
    ]  # fmt: skip
    words = " ".join(result.split())
    assert "android production 1.0.1 2 5 % rolling out" in words
    assert words.count(UNKNOWN.says) == 1
    assert "unknown, android channel production, ios channel production: EXPO_TOKEN is not set" in words
    rows = json.loads(stores.run(mobile_status.command, "--json").output)
    in_stores = [row for row in rows if row["store"] != "over the air"]
    assert [row["why"] for row in in_stores if row["platform"] == "ios"] == [UNKNOWN.says] * 3


def test_the_clients_are_those_of_the_manifest(tmp_path: Path) -> None:
    manifest = parse(MANIFEST, tmp_path / "shipmate.yml")
    with play_world(tmp_path) as play:
        access = clients.Access(
            http=Http(overlay=play.http.overlay, policy=play.http.policy),
            app_store_key=PEM,
            environ={VARIABLE: "token"},
        )
        made = clients.promotions(manifest, access)
        assert made.android is not None
        assert made.android.find("0.9.0").number == 1
        assert made.platforms() == ("android", "ios")
        health = made.android.health(made.android.find("0.9.0"))
        assert "there is no Sentry token" in health.says
        assert "Play's vitals say nothing of it yet" in health.says


def test_a_key_that_is_missing_is_reported(tmp_path: Path) -> None:
    manifest = parse(MANIFEST, tmp_path / "shipmate.yml")
    access = clients.of_terminal(Http(overlay=Overlay()), environ={})
    ios = clients.promotions(manifest, access).ios
    assert ios is not None
    with pytest.raises(CredentialsError, match="no private key"):
        ios.find()


def test_a_repository_without_apps(tmp_path: Path) -> None:
    manifest = parse(MANIFEST.partition("release:")[0], tmp_path / "shipmate.yml")
    with pytest.raises(InputError, match="there are no apps here"):
        clients.promotions(manifest, clients.of_terminal(Http(), environ={}))
