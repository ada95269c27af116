"""`shipmate status` as people read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pytest

from pipelines.commands.status import as_text
from pipelines.commands.terminal import ago

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
RUN = "https://github.com/techmate/platform/actions/runs/12345678901/attempts/1"


def row(component: str, **more: Any) -> dict[str, Any]:
    return {
        "environment": "production",
        "component": component,
        "release": "v1.10.0-rc.1",
        "traffic": "100 %",
        "stable": "yes",
        "stops": None,
        "split": None,
        "since": "2026-11-29T09:30:00Z",
        "by": "release-manager",
        "approved": "release-manager",
        "run": RUN,
        "drift": None,
        **more,
    }


def test_the_table_fits_a_hundred_columns() -> None:
    text = click.unstyle(as_text([row("backend"), row("web")], NOW))
    assert max(map(len, text.split("\n"))) <= 100
    heading, columns, backend, _ = text.split("\n")
    assert heading == "production"
    assert columns.split() == ["COMPONENT", "RELEASE", "TRAFFIC", "STABLE", "SINCE", "BY", "APPROVED", "RUN"]
    assert "2 h ago" in backend
    assert "#12345678901" in backend


def test_what_must_be_looked_at_stands_below_in_a_colour() -> None:
    text = as_text([row("backend", drift="the ledger says v1.0.0"), row("web", stops="frozen: we look")], NOW)
    assert click.style("  ! backend: the ledger says v1.0.0", fg="red") in text
    assert click.style("  ! web: frozen: we look", fg="yellow") in text


def test_a_component_with_nothing_live() -> None:
    empty = dict.fromkeys(row("web")) | {"environment": "staging", "component": "web"}
    assert click.unstyle(as_text([empty], NOW)).split("\n")[-1].split() == ["web", "nothing"]


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=119), "1 h ago"),
        (timedelta(days=40), "40 d ago"),
    ],
)
def test_a_time_is_how_long_ago(before: timedelta, message: str) -> None:
    assert ago((NOW - before).isoformat(), NOW) == message
    assert ago("yesterday", NOW) == "yesterday"
