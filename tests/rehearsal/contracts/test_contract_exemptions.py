"""No exemption outlives its need: each is left out in turn, and what our clients send is then a violation."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest
import requests

from pipelines.errors import ShipmateError
from pipelines.faults import Policy
from pipelines.github import GitHub
from pipelines.http import Http
from pipelines.overlay import Overlay
from pipelines.providers.sentry_releases import SentryReleases
from pipelines.providers.sentry_source_maps import SentrySourceMaps
from rehearsal.contracts import exceptions
from rehearsal.contracts.exceptions import EXEMPTIONS, Exemption
from rehearsal.contracts.middleware import Violation
from rehearsal.emulators.google_play.app import GooglePlay
from tests.pipelines.providers.test_provider_credentials import google
from tests.pipelines.providers.test_sentry_starts import SOURCE, reached
from tests.rehearsal.emulators.in_process import InProcess
from tests.rehearsal.emulators.play_client import APPLICATION, PACKAGE, UPLOAD, checked
from tests.shop import REPOSITORY, open_shop


def signing_in() -> list[Violation]:
    """What is wrong while google-auth becomes the deployer."""
    with google() as world:
        credentials, _ = world.credentials()
        with contextlib.suppress(ShipmateError):
            credentials.google()
        seen = list(world.violations)
        world.violations.clear()
    return seen


def reading() -> list[Violation]:
    """What is wrong while more starts are read than a page holds, someone looks at errors, a release is announced twice, and it is
    asked whether source maps are taken."""
    with reached() as place:
        for minute in range(1, 102):
            place.start(1.0, minutes=minute)
        with contextlib.suppress(ShipmateError):
            place.read()
        errors = f"{place.url}/api/0/organizations/techmate/events/?dataset=errors&field=title"
        requests.get(errors, headers={"Authorization": "Bearer reader"}, timeout=5)
        http = Http(overlay=Overlay(hosts={"de.sentry.io": place.url}), policy=Policy(scale=0.0))
        releases = SentryReleases(SOURCE, http, "publisher")
        for _ in range(2):
            with contextlib.suppress(ShipmateError):
                releases.announce("ai.techmate.app@1.0.1+7", "c" * 40)
        with contextlib.suppress(ShipmateError):
            SentrySourceMaps(
                SOURCE, http, "publisher", section="components/web/error_tracker"
            ).require_upload_permission()
    return list(place.violations)


def uploading() -> list[Violation]:
    """What is wrong while a bundle's upload to Google Play is begun."""
    violations: list[Violation] = []
    with tempfile.TemporaryDirectory() as folder:
        client = InProcess(checked(GooglePlay(Path(folder), packages=[PACKAGE]), violations))
        edit = client.post(f"{APPLICATION}/edits", json={}).json()["id"]
        client.post(f"{UPLOAD}/edits/{edit}/bundles", params={"uploadType": "resumable"})
    return violations


def reading_github() -> list[Violation]:
    """What is wrong while a document is read a second time and has not changed, and while the reviews of a run are read whose
    environment an administrator bypassed."""
    with tempfile.TemporaryDirectory() as folder, open_shop(Path(folder)) as shop:
        github = GitHub(REPOSITORY, shop.person("dev-1").token, api_url=shop.url, policy=Policy(scale=0.0, tries=1))
        for _ in range(2):
            with contextlib.suppress(ShipmateError):
                github.role("dev-1")
        shop.reviewers("dev-2")
        run = shop.start("dev-1")
        shop.bypass(run, "release-manager")
        with contextlib.suppress(ShipmateError):
            github.json("GET", f"/repos/{REPOSITORY}/actions/runs/{run.id}/approvals")
        seen = list(shop.violations)
        shop.violations.clear()
    return seen


CLIENTS = {
    "github": reading_github,
    "sts": signing_in,
    "iamcredentials": signing_in,
    "sentry": reading,
    "androidpublisher": uploading,
}


@pytest.mark.parametrize("left_out", EXEMPTIONS, ids=lambda exemption: f"{exemption.contract} {exemption.what}")
def test_each_exemption_is_needed_by_what_our_clients_send(
    left_out: Exemption, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = CLIENTS[left_out.contract]
    assert asking() == []
    monkeypatch.setattr(exceptions, "EXEMPTIONS", tuple(kept for kept in EXEMPTIONS if kept is not left_out))
    assert {(violation.contract, violation.method) for violation in asking()} == {(left_out.contract, left_out.method)}
