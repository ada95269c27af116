"""Android vitals: what can be asked for, when, and what too few users leave out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rehearsal.emulators.google_play.state import VIEW
from tests.rehearsal.emulators.play_client import PACKAGE, Store, store

CRASHES = f"/v1beta1/apps/{PACKAGE}/crashRateMetricSet"
ANRS = f"/v1beta1/apps/{PACKAGE}/anrRateMetricSet"
ZONE = {"timeZone": {"id": "America/Los_Angeles"}}


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Store]:
    """It is 21 September 2026 in Los Angeles; two days of lag make the 19th the freshness."""
    with store(tmp_path) as opened:
        yield opened


def day(number: int, **more: Any) -> dict[str, Any]:
    return {"year": 2026, "month": 9, "day": number, **ZONE, **more}


def asked(
    play: Store, *metrics: str, begins: int = 12, ends: int = 19, path: str = CRASHES, **more: Any
) -> httpx.Response:
    spec = {"aggregationPeriod": "DAILY", "startTime": day(begins), "endTime": day(ends)}
    body = {"timelineSpec": spec, "metrics": list(metrics), **more}
    return play.call("POST", f"{path}:query", json=body)


def rows(answer: httpx.Response) -> list[tuple[int, str, list[str]]]:
    """(day, version, values)"""
    assert answer.status_code == 200, answer.text
    return [
        (
            row["startTime"]["day"],
            "".join(dimension["int64Value"] for dimension in row.get("dimensions", [])),
            [metric["decimalValue"]["value"] for metric in row["metrics"]],
        )
        for row in answer.json().get("rows", [])
    ]


def refused(answer: httpx.Response) -> str:
    error = answer.json()["error"]
    assert (answer.status_code, error["status"], "errors" in error) == (400, "INVALID_ARGUMENT", False)
    return str(error["message"])


def test_rates_are_by_day_and_version(play: Store) -> None:
    play.play.console.observe(PACKAGE, 1, users=1000, crashed=10, unresponsive=5)
    play.play.console.observe(PACKAGE, 2, users=200, crashed=20)
    play.play.console.observe(PACKAGE, 1, users=1000, crashed=20, days_ago=4)
    by_version = asked(play, "crashRate", "distinctUsers", dimensions=["versionCode"])
    assert rows(by_version) == [(17, "1", ["0.02", "1000"]), (18, "1", ["0.01", "1000"]), (18, "2", ["0.1", "200"])]
    assert rows(asked(play, "userPerceivedCrashRate")) == [(17, "", ["0.02"]), (18, "", ["0.025"])]
    only = asked(play, "crashRate7dUserWeighted", dimensions=["versionCode"], filter="versionCode = 1", begins=18)
    assert rows(only) == [(18, "1", ["0.015"])]
    assert rows(asked(play, "anrRate", path=ANRS, filter="versionCode = 1 OR versionCode = 9", begins=18)) == [
        (18, "", ["0.005"])
    ]
    bounds = by_version.json()["rows"][2]["metrics"][0]["decimalValueConfidenceInterval"]
    assert float(bounds["lowerBound"]["value"]) < 0.1 < float(bounds["upperBound"]["value"])


def test_data_lags_and_a_later_end_is_refused(play: Store) -> None:
    """What people report: the answer is an error, not a shorter list."""
    play.play.console.observe(PACKAGE, 2, users=1000, crashed=500, days_ago=2)
    [fresh] = play.call("GET", CRASHES).json()["freshnessInfo"]["freshnesses"]
    assert fresh == {"aggregationPeriod": "DAILY", "latestEndTime": day(19)}
    assert rows(asked(play, "crashRate")) == []
    message = "timeline_spec.end_time field should be before the current freshness 2026-09-19."
    assert refused(asked(play, "crashRate", ends=20)) == message
    play.clock.now += 86_400
    assert rows(asked(play, "crashRate", ends=20)) == [(19, "", ["0.5"])]


def test_too_few_users_give_no_row(play: Store) -> None:
    play.play.console.observe(PACKAGE, 2, users=49, crashed=49)
    assert asked(play, "crashRate", dimensions=["versionCode"]).json() == {}
    play.play.console.observe(PACKAGE, 2, users=50, crashed=50)
    assert rows(asked(play, "crashRate")) == [(18, "", ["1"])]


def test_rows_come_in_pages(play: Store) -> None:
    for ago in (3, 4, 5):
        play.play.console.observe(PACKAGE, 2, users=100, days_ago=ago)
    first = asked(play, "crashRate", pageSize=2)
    token = first.json()["nextPageToken"]
    rest = asked(play, "crashRate", pageSize=2, pageToken=token)
    assert [number for number, _, _ in rows(first) + rows(rest)] == [16, 17, 18]
    assert "nextPageToken" not in rest.json()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"metrics": ["anrRate"]}, "The requested metrics, dimensions and aggregation_period cannot be used together."),
        ({"metrics": []}, "The requested metrics, dimensions and aggregation_period cannot be used together."),
        ({"dimensions": ["apiLevel"]}, "The requested metrics, dimensions and aggregation_period cannot be used"),
        ({"filter": "apiLevel = 30"}, "Invalid filter"),
        ({"timelineSpec": {"aggregationPeriod": "HOURLY"}}, "timeline_spec.aggregation_period"),
        (
            {"timelineSpec": {"aggregationPeriod": "DAILY", "startTime": day(18, hours=3), "endTime": day(19)}},
            "timeline_spec.startTime must be the beginning of a day.",
        ),
        (
            {"timelineSpec": {"aggregationPeriod": "DAILY", "startTime": day(18), "endTime": day(18)}},
            "timeline_spec.start_time field should be before",
        ),
        (
            {"timelineSpec": {"aggregationPeriod": "DAILY", "startTime": day(31)}},
            "timeline_spec.startTime is no date",
        ),
        (
            {"timelineSpec": {"aggregationPeriod": "DAILY", "endTime": day(19, timeZone={"id": "UTC"})}},
            "timeline_spec.endTime: the only supported time zone is America/Los_Angeles.",
        ),
    ],
)
def test_what_cannot_be_asked(play: Store, more: dict[str, Any], message: str) -> None:
    spec = {"aggregationPeriod": "DAILY", "startTime": day(18), "endTime": day(19)}
    body = {"timelineSpec": spec, "metrics": ["crashRate"], **more}
    assert refused(play.call("POST", f"{CRASHES}:query", json=body)).startswith(message)


def test_reading_needs_a_permission_in_the_app(play: Store) -> None:
    play.play.console.permissions(PACKAGE, "anyone@world.invalid", [])
    error = play.call("GET", CRASHES).json()["error"]
    assert (error["code"], error["status"]) == (403, "PERMISSION_DENIED")
    play.play.console.permissions(PACKAGE, "anyone@world.invalid", [VIEW])
    assert play.call("GET", CRASHES).status_code == 200
    elsewhere = CRASHES.replace(PACKAGE, "ai.techmate.other")
    assert play.call("GET", elsewhere).json()["error"]["status"] == "NOT_FOUND"
