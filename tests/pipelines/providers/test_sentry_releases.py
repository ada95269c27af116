"""Releases are announced to the emulated Sentry, which is held to Sentry's own description."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipelines.errors import CredentialsError, ProviderError, ProviderUnavailable
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.manifest.performance import AppStarts
from pipelines.overlay import Overlay
from pipelines.providers.sentry_releases import SentryReleases
from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.sentry.app import Sentry
from rehearsal.faults import Fault, Faults, Faulty
from rehearsal.serving import running

pytestmark = pytest.mark.world
VERSION = "ai.techmate.app@1.0.1+update.0f1e"


class Place:
    """A Sentry, reached by its public name."""

    def __init__(self, sentry: Sentry, http: Http, faults: Faults) -> None:
        self.sentry, self.http, self.faults = sentry, http, faults

    def releases(self, token: str = "publisher", project: str = "mobile") -> SentryReleases:
        return SentryReleases(AppStarts(organization="techmate", project=project), self.http, token)


@pytest.fixture
def place() -> Iterator[Place]:
    sentry, faults = Sentry(tokens={"reader": ("org:read",), "publisher": ("org:ci",)}), Faults()
    violations: list[Violation] = []
    app = Checked(sentry.app, load("sentry"), violations)
    with running(Faulty(app, "sentry", faults), "sentry") as server:
        http = Http(overlay=Overlay(hosts={"sentry.io": server.url}), policy=Policy(scale=0.0))
        yield Place(sentry, http, faults)
    assert [violation.text for violation in violations] == []


def test_a_release_is_announced_once_with_its_commit(place: Place) -> None:
    for _ in range(2):
        place.releases().announce(VERSION, "c" * 40, url="https://expo.dev/updates/1")
    place.releases(project="web").announce(VERSION, "c" * 40)
    [release] = place.sentry.organization.releases.values()
    assert (release.version, release.projects) == (VERSION, ["mobile", "web"])
    assert release.given == {"ref": "c" * 40, "url": "https://expo.dev/updates/1"}
    saved = place.sentry.save()
    place.sentry.reset()
    assert not place.sentry.organization.releases
    place.sentry.load(saved)
    assert place.sentry.organization.releases == {VERSION: release}


def test_what_sentry_refuses_is_reported(place: Place) -> None:
    with pytest.raises(CredentialsError, match="HTTP 401"):
        place.releases("another").announce(VERSION, "c" * 40)
    with pytest.raises(CredentialsError, match="neither the scope org:ci nor project:releases"):
        place.releases("reader").announce(VERSION, "c" * 40)
    with pytest.raises(ProviderError, match="Invalid project ids or slugs"):
        place.releases(project="desktop").announce(VERSION, "c" * 40)
    place.faults.add(Fault(kind="lose_answer", times=1))
    place.releases().announce(VERSION, "c" * 40)
    assert list(place.sentry.organization.releases) == [VERSION]
    place.faults.add(Fault(kind="cut", times=None))
    with pytest.raises(ProviderUnavailable, match="no clear answer"):
        place.releases().announce(VERSION, "c" * 40)
