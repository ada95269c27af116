"""What `shipmate doctor` finds of the accounts of the apps."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.findings import Finding
from pipelines.http import Http
from pipelines.manifest.reading import parse
from pipelines.mobile import accounts, context
from pipelines.mobile.clients import Access
from pipelines.mobile.context import Context
from pipelines.runtime import Runtime
from rehearsal.emulators.google_play.app import ANYONE
from tests.pipelines.mobile.expo import TOKEN
from tests.pipelines.mobile.release_world import open_release
from tests.pipelines.mobile.releasing import MANIFEST, PLAY_TOKEN, Release
from tests.rehearsal.emulators.app_store_client import BUNDLE, PEM

pytestmark = pytest.mark.world


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    with open_release(tmp_path_factory.mktemp("accounts")) as made:
        yield made


@pytest.fixture
def apps(shared: Release, tmp_path: Path) -> Iterator[Context]:
    environ = {
        "PATH": os.environ["PATH"],
        "SHIPMATE_OVERLAY": str(shared.expo.program.folder / "overlay.json"),
        "GOOGLE_OAUTH_ACCESS_TOKEN": PLAY_TOKEN,
    }
    made = context.open_context(
        parse(MANIFEST, tmp_path / "shipmate.yml"),
        Runtime(environ=environ, stream=io.StringIO()),
        access=Access(http=Http(), expo_token=TOKEN, app_store_key=PEM, environ=environ),
    )
    made.github = shared.shop.client(shared.shop.person("release-manager").token)
    made.work = tmp_path / "build"
    yield made
    shared.expo.emulator.control.tokens("valid")
    shared.play.console.permissions(BUNDLE, ANYONE, None)
    shared.apple.app_store.reset()


def found(apps: Context, days: float = 0.0) -> dict[str, Finding]:
    """Some days after the certificates were made."""
    now = datetime.fromtimestamp(apps.clock.real(), UTC) + timedelta(days=days)
    return {each.subject: each for each in accounts.examine(apps, now)}


def states(findings: dict[str, Finding]) -> dict[str, str]:
    return {subject: each.state for subject, each in findings.items() if ", c" not in subject and ", p" not in subject}


def test_all_is_well(apps: Context, shared: Release) -> None:
    findings = found(apps)
    assert states(findings) == {
        "EAS": "ok",
        "Google Play": "ok",
        "App Store Connect": "ok",
        "App Store Connect, the key's role": "unknown",
    }
    signing = [each for subject, each in findings.items() if "certificate" in subject or "profile" in subject]
    assert signing
    assert all(each.state == "ok" and "holds until" in each.says for each in signing)
    edits = shared.play.account.apps[BUNDLE].edits.values()
    assert [each.end for each in edits] == ["deleted"], "no edit is left open"


def test_what_ends_soon_or_is_over_is_reported_with_who_can_renew_it(apps: Context) -> None:
    later = found(apps, 345)
    assert any("ends on" in each.says for each in later.values())
    over = found(apps, 800)
    bad = [each for each in over.values() if "not valid any more" in each.says]
    assert bad
    assert all(each.state == "missing" and "eas credentials" in each.fix for each in bad)


def test_expired_wrong_or_no_rights(apps: Context, shared: Release) -> None:
    shared.expo.emulator.control.tokens("expired")
    shared.play.console.permissions(BUNDLE, ANYONE, [])
    shared.apple.app_store.control.agreements(missing=True)
    findings = found(apps)
    assert states(findings) == {"EAS": "missing", "Google Play": "missing", "App Store Connect": "missing"}
    assert "access tokens" in findings["EAS"].fix
    assert "Users and permissions" in findings["Google Play"].fix
    assert "Agreements" in findings["App Store Connect"].fix


def test_another_app_than_the_policys(apps: Context) -> None:
    assert apps.mobile.ios is not None
    apps.mobile = replace(apps.mobile, ios=replace(apps.mobile.ios, bundle="test.acme.other"))
    finding = found(apps)["App Store Connect"]
    assert (finding.state, "'test.acme.other'" in finding.says) == ("missing", True)


def test_a_robot_of_another_account(apps: Context) -> None:
    apps.mobile = replace(apps.mobile, eas=replace(apps.mobile.eas, account="acme"))
    finding = found(apps)["EAS"]
    assert (finding.state, "no member of the account 'acme'" in finding.says) == ("missing", True)


def test_while_a_release_is_under_way_google_play_is_not_touched(
    apps: Context, shared: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apps.play, "open", _never)
    under_way = {"workflow_runs": [{"id": 1}]}
    monkeypatch.setattr(apps.github, "find_json", lambda path: under_way if "mobile-release" in path else None)
    finding = found(apps)["Google Play"]
    assert (finding.state, "mobile-release.yml is under way" in finding.says) == ("unknown", True)
    apps.github = None
    assert found(apps)["Google Play"].state == "unknown"


def test_what_is_not_at_hand_is_unknown(apps: Context) -> None:
    apps.access = replace(apps.access, expo_token="", app_store_key="")
    findings = found(apps)
    assert "EXPO_TOKEN is not set" in findings["EAS"].says
    assert "APP_STORE_KEY is not set" in findings["App Store Connect"].says
    assert {findings["EAS"].state, findings["App Store Connect"].state} == {"unknown"}


def _never(*_: Any) -> str:
    raise AssertionError("an edit was opened")
