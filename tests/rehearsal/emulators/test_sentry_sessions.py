"""Statistics of sessions as Sentry's documentation has them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from starlette.datastructures import QueryParams

from rehearsal.emulators.sentry import sessions
from rehearsal.emulators.sentry.control import Control
from rehearsal.emulators.sentry.errors import ApiError
from rehearsal.emulators.sentry.state import Organization, Sessions

NOW = datetime(2026, 11, 28, 12, 30, tzinfo=UTC).timestamp()


@pytest.fixture
def organization() -> Organization:
    made = Organization(slug="techmate", clock=lambda: NOW)
    made.add_projects(["mobile"])
    for hours, release, total, crashed in ((1, "a@1", 10, 1), (2, "a@1", 10, 0), (2, "b@2", 4, 4)):
        made.sessions.append(
            Sessions(
                project="mobile", received=NOW - hours * 3600, release=release, environment="production", total=total,
                crashed=crashed,
            )
        )  # fmt: skip
    return made


def test_totals_and_series_by_release(organization: Organization) -> None:
    asked = "field=sum(session)&field=crash_free_rate(session)&groupBy=release&groupBy=project&statsPeriod=3h"
    found = sessions.answer(organization, QueryParams(asked))
    assert found["intervals"] == [f"2026-11-28T{hour:02}:00:00Z" for hour in (9, 10, 11, 12)]
    assert found["end"] == "2026-11-28T13:00:00Z"
    assert [group["by"] for group in found["groups"]] == [
        {"release": "a@1", "project": 1},
        {"release": "b@2", "project": 1},
    ]
    assert [group["totals"] for group in found["groups"]] == [
        {"sum(session)": 20, "crash_free_rate(session)": 0.95},
        {"sum(session)": 4, "crash_free_rate(session)": 0.0},
    ]
    assert found["groups"][0]["series"] == {
        "sum(session)": [0, 10, 10, 0],
        "crash_free_rate(session)": [None, 1.0, 0.9, None],
    }


def test_what_phones_report_counts_from_then_on(organization: Organization) -> None:
    Control(organization).use("mobile", "c@3", sessions=50, crashed=2)
    asked = "field=sum(session)&field=crash_free_rate(session)&query=release:c@3&environment=production&statsPeriod=1h"
    assert [group["totals"] for group in sessions.answer(organization, QueryParams(asked))["groups"]] == [
        {"sum(session)": 50, "crash_free_rate(session)": 0.96}
    ]


def test_without_groups_there_is_one_also_of_nothing(organization: Organization) -> None:
    asked = "field=crash_rate(session)&query=release:none&includeSeries=0&interval=1d&statsPeriod=1d"
    assert sessions.answer(organization, QueryParams(asked))["groups"] == [
        {"by": {}, "totals": {"crash_rate(session)": None}, "series": {}}
    ]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("", "missing a"),
        ("field=p50(session.duration)", "Invalid field"),
        ("field=sum(session)&groupBy=session.status", "Invalid groupBy"),
        ("field=sum(session)&interval=7m", "cleanly divides"),
        ("field=sum(session)&groupBy=release&interval=1h&statsPeriod=999w", "too many results"),
    ],
)
def test_what_is_refused(organization: Organization, asked: str, message: str) -> None:
    with pytest.raises(ApiError, match=message):
        sessions.answer(organization, QueryParams(asked))
