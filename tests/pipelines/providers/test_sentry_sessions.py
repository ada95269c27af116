"""Crash-free rates, read from the emulated Sentry as a watch reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.errors import CredentialsError, ProviderError
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.manifest.mobile import AppReports
from pipelines.overlay import Overlay
from pipelines.providers.sentry_sessions import SentrySessions, Sessions
from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.sentry import state
from rehearsal.emulators.sentry.app import Sentry
from rehearsal.serving import running

pytestmark = pytest.mark.world

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
SOURCE = AppReports(organization="techmate", project="mobile")
RELEASE = "ai.techmate.app@1.0.1+7"


@dataclass
class Place:
    """A Sentry, reached by its public name."""

    sentry: Sentry
    http: Http

    def report(self, total: int, crashed: int, *, days: float = 1, release: str = RELEASE, **more: str) -> None:
        kept = state.Sessions(
            project=more.get("project", "mobile"),
            received=(NOW - timedelta(days=days)).timestamp(),
            release=release,
            environment=more.get("environment", "production"),
            total=total,
            crashed=crashed,
        )
        self.sentry.organization.sessions.append(kept)

    def ask(self, token: str = "reader") -> SentrySessions:
        return SentrySessions(SOURCE, self.http, token, section="mobile/reports")


@pytest.fixture
def place() -> Iterator[Place]:
    sentry = Sentry(tokens={"reader": ("org:read",), "publisher": ("org:ci",)}, clock=NOW.timestamp)
    violations: list[Violation] = []
    with running(Checked(sentry.app, load("sentry"), violations), "sentry") as server:
        overlay = Overlay(hosts={"sentry.io": server.url})
        yield Place(sentry, Http(overlay=overlay, policy=Policy(scale=0.0)))
    assert [violation.text for violation in violations] == []


def test_only_what_that_release_met_counts(place: Place) -> None:
    place.report(600, 3)
    place.report(400, 2, days=3)
    place.report(1000, 900, release="ai.techmate.app@1.0.1+6")
    place.report(1000, 900, project="web")
    place.report(1000, 900, environment="development")
    place.report(1000, 900, days=20)
    assert place.ask().of(RELEASE, days=7) == Sessions(count=1000, crash_free_percent=99.5)


def test_a_release_that_nobody_has_met_yet(place: Place) -> None:
    place.report(10, 1, release="ai.techmate.app@1.0.0+1")
    assert place.ask().of(RELEASE, days=7) == Sessions(count=0, crash_free_percent=None)


def test_an_environment_that_nothing_was_reported_for(place: Place) -> None:
    with pytest.raises(ProviderError, match="no environment 'production'"):
        place.ask().of(RELEASE, days=7)


@pytest.mark.parametrize(("token", "message"), [("", "there is no Sentry token"), ("publisher", "Sentry refuses")])
def test_who_may_not_read(place: Place, token: str, message: str) -> None:
    with pytest.raises(CredentialsError, match=message):
        place.ask(token).of(RELEASE, days=7)


def test_what_sentry_does_not_allow_to_be_asked(place: Place) -> None:
    source = replace(SOURCE, project="nowhere")
    with pytest.raises(CredentialsError, match="may not see a project 'nowhere'") as caught:
        SentrySessions(source, place.http, "reader", section="mobile/reports").of(RELEASE, days=7)
    assert "see `mobile/reports` in shipmate.yml" in caught.value.next_step
