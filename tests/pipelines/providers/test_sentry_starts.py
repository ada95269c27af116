"""Starts of an app, read from the emulated Sentry as an action reads them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from pipelines import providers
from pipelines.errors import CredentialsError, ProviderError, ProviderUnavailable, ShipmateError
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.manifest.performance import AppStarts
from pipelines.overlay import Overlay
from pipelines.roles import AppStart
from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.sentry.app import Sentry
from rehearsal.emulators.sentry.state import Event
from rehearsal.faults import Fault, Faults, Faulty
from rehearsal.serving import running

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
SOURCE = AppStarts(url="https://de.sentry.io/", organization="techmate", project="mobile")
TOKENS = {"reader": ("org:read",), "publisher": ("org:ci",)}


@dataclass
class Place:
    """A Sentry, reached by its public names."""

    sentry: Sentry = field(default_factory=lambda: Sentry(tokens=TOKENS, clock=NOW.timestamp))
    faults: Faults = field(default_factory=Faults)
    violations: list[Violation] = field(default_factory=list)
    """Questions and answers that Sentry's own description does not allow."""
    url: str = ""

    def start(self, took: float, *, minutes: float = 10, **more: Any) -> None:
        """One that arrived, as @sentry/react-native sends it."""
        began = (NOW - timedelta(minutes=minutes)).timestamp()
        number = len(self.sentry.events)
        payload: dict[str, Any] = {
            "transaction": "Notes",
            "contexts": {"trace": {"span_id": f"{number:016x}", "op": "ui.load"}},
            "measurements": {"app_start_cold": {"value": took, "unit": "millisecond"}},
            "start_timestamp": began,
            "timestamp": began + 3,
        }
        payload["contexts"] |= more.pop("contexts", {})
        event = Event(
            id=f"{number:032x}",
            project="mobile",
            type="transaction",
            received=began,
            release="com.techmate.app@1.2.0+45",
            environment="production",
            level="info",
            title="Notes",
            payload=payload,
        )
        self.sentry.organization.events.append(replace(event, **more))

    def read(
        self, source: AppStarts = SOURCE, token: str = "reader", *, days: float = 14, most: int = 10_000, tries: int = 5
    ) -> list[AppStart]:
        hosts = dict.fromkeys(("sentry.io", "de.sentry.io"), self.url)
        http = Http(overlay=Overlay(hosts=hosts), policy=Policy(scale=0.0, tries=tries))
        since = NOW - timedelta(days=days)
        return list(providers.start_reports(source, http, token).starts(since=since, until=NOW, most=most))


@contextmanager
def reached() -> Iterator[Place]:
    made = Place()
    checked = Checked(made.sentry.app, load("sentry"), made.violations)
    with running(Faulty(checked, "sentry", made.faults), "sentry") as server:
        made.url = server.url
        yield made


@pytest.fixture
def place() -> Iterator[Place]:
    with reached() as made:
        yield made
    assert [violation.text for violation in made.violations] == []


def test_all_starts_of_the_period_come_newest_first(place: Place) -> None:
    for minute in range(1, 251):
        place.start(1000.0 + minute, minutes=minute)
    place.start(1.0, minutes=60 * 24 * 15)
    place.start(2.0, environment="preview")
    place.start(3.0, project="web")
    found = place.read()
    assert [start.milliseconds for start in found] == [1000.0 + minute for minute in range(1, 251)]
    assert found[0] == AppStart(
        at=datetime(2026, 11, 28, 11, 59, tzinfo=UTC), release="com.techmate.app@1.2.0+45", milliseconds=1001.0
    )


def test_no_more_are_read_than_asked_for(place: Place) -> None:
    for minute in range(1, 251):
        place.start(float(minute), minutes=minute)
    assert [start.milliseconds for start in place.read(most=120)] == [float(minute) for minute in range(1, 121)]
    assert len(place.read(most=200)) == 200


def test_a_start_that_moves_to_the_next_page_counts_once(place: Place) -> None:
    """One arrives between two pages, and moves all others."""
    for minute in range(1, 151):
        place.start(float(minute), minutes=minute)
    asked = 0
    answer = place.sentry.organization.clock

    def clock() -> float:
        nonlocal asked
        asked += 1
        if asked == 2:
            place.start(0.5, minutes=0.5)
        return answer()

    place.sentry.organization.clock = clock
    assert [start.milliseconds for start in place.read()] == [float(minute) for minute in range(1, 151)]


def test_where_the_system_began_the_process_is_reported(place: Place) -> None:
    data = {"app.vitals.start.value": 40.0, "app.vitals.start.type": "cold", "app.vitals.start.prewarmed": True}
    trace = {"span_id": "f" * 16, "op": "app.start", "data": data}
    place.start(40.0, minutes=1, contexts={"trace": trace})
    place.start(50.0, minutes=2, contexts={"app": {"start_type": "cold.prewarmed"}})
    place.start(900.0, minutes=3, contexts={"app": {"start_type": "cold"}})
    assert [start.prewarmed for start in place.read()] == [True, True, False]


def test_other_transactions_and_warm_starts_are_none(place: Place) -> None:
    place.start(900.0)
    place.start(0.0, payload={"transaction": "Search", "contexts": {"trace": {}}})
    warm = {"app_start_warm": {"value": 300.0, "unit": "millisecond"}}
    place.start(0.0, payload={"transaction": "Notes", "contexts": {"trace": {}}, "measurements": warm})
    assert [start.milliseconds for start in place.read()] == [900.0]


def test_a_start_without_a_release_comes_without_one(place: Place) -> None:
    place.start(900.0, release=None)
    assert [start.release for start in place.read()] == [""]


def test_no_start_in_the_period_is_an_empty_answer(place: Place) -> None:
    place.start(900.0, minutes=60 * 24 * 15)
    assert place.read() == []


@pytest.mark.parametrize(
    ("source", "token", "error", "message"),
    [
        (SOURCE, "", CredentialsError, "there is no Sentry token"),
        (SOURCE, "wrong", CredentialsError, "Sentry does not accept the token (HTTP 401: Invalid token)"),
        (SOURCE, "publisher", CredentialsError, "the token has no scope org:read"),
        (replace(SOURCE, project="app"), "reader", CredentialsError, "may not see a project 'app'"),
        (replace(SOURCE, organization="acme"), "reader", ProviderError, "Sentry knows no organization 'acme' here"),
        (replace(SOURCE, environment="beta"), "reader", ProviderError, "no environment 'beta'"),
    ],
)
def test_what_sentry_refuses_names_what_to_change(
    place: Place, source: AppStarts, token: str, error: type[ShipmateError], message: str
) -> None:
    place.start(900.0)
    with pytest.raises(error) as caught:
        place.read(source, token)
    assert message in str(caught.value)
    assert caught.value.next_step
    assert "reader" not in str(caught.value)


def test_limits_and_failures_that_pass_are_waited_out(place: Place) -> None:
    place.start(900.0)
    place.faults.add(Fault(kind="throttle", times=2))
    place.faults.add(Fault(kind="status", status=503))
    assert [start.milliseconds for start in place.read()] == [900.0]


@pytest.mark.parametrize(("status", "hits"), [(429, 3), (503, 3), (400, 1), (401, 1), (403, 1), (404, 1)])
def test_only_limits_and_failures_of_the_service_are_tried_again(place: Place, status: int, hits: int) -> None:
    armed = place.faults.add(Fault(kind="status", status=status, times=None))
    with pytest.raises(ProviderUnavailable if hits > 1 else ShipmateError):
        place.read(tries=3)
    assert armed.fired == hits


@contextmanager
def answering(answer: Response) -> Iterator[Place]:
    """Something else at Sentry's address."""

    async def say(_: Request) -> Response:
        return answer

    with running(Starlette(routes=[Route("/{path:path}", say)])) as server:
        yield Place(url=server.url)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (PlainTextResponse("<html>sign in</html>"), "the answer is no JSON: <html>sign in</html>"),
        (JSONResponse({"rows": []}), "Sentry's answer has no rows"),
        (JSONResponse({"data": [{"id": "1"}]}), "a row of Sentry's answer cannot be read"),
        (
            JSONResponse({"detail": "Unknown function x"}, 400),
            "Sentry refuses the question (HTTP 400: Unknown function x)",
        ),
        (RedirectResponse("https://us.sentry.io/api/0/", 302), "it says https://us.sentry.io/api/0/"),
    ],
)
def test_an_answer_that_is_none(answer: Response, message: str) -> None:
    with answering(answer) as place, pytest.raises(ProviderError) as caught:
        place.read()
    assert message in str(caught.value)


def test_pages_that_never_end_are_left() -> None:
    """A cursor that leads to the same page again."""
    row = {"id": "1", "timestamp": "2026-11-28T11:00:00+00:00", "release": "1", "measurements.app_start_cold": None}
    link = '<https://sentry.io/>; rel="next"; results="true"; cursor="0:0:0"'
    with answering(JSONResponse({"data": [row]}, headers={"Link": link})) as place:
        [start] = place.read(most=500)
    assert math.isnan(start.milliseconds)
