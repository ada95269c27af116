"""Recorded durations divide the next run only when the job that makes them made them, in a run that went well."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.delivery import browser_durations
from rehearsal.runner.model import Run
from tests.shop import Shop

pytestmark = pytest.mark.world

SECONDS = {"e2e/test_a.py::test_a[chromium]": 1.25, "e2e/test_b.py::test_b": 0}


def recorded(shop: Shop, content: Any = SECONDS, *, ended: str = "success", **changed: Any) -> Run:
    """A nightly run with its durations; `changed` says what is otherwise."""
    run = shop.workflow(
        changed.pop("file", "browser-tests.yml"),
        "Browser Tests",
        changed.pop("job", browser_durations.KIND.job),
        commit=shop.head("main"),
        branch=changed.pop("branch", "main"),
        event=changed.pop("event", "schedule"),
    )
    document = json.loads(browser_durations.written(content, run=str(run.id), attempt="1")) | changed
    name = browser_durations.artifact_name("staging")
    shop.upload(run, name, {browser_durations.KIND.file: json.dumps(document).encode()})
    shop.end(run, ended)
    return run


def found(shop: Shop, environment: str = "staging") -> dict[str, float]:
    return browser_durations.last_good(shop.client(shop.person("dev-1").token), environment, main="main")


def test_the_newest_good_run_of_an_environment_counts(shop: Shop) -> None:
    assert found(shop) == {}
    recorded(shop, {"old": 9.0})
    recorded(shop)
    recorded(shop, {"red": 1.0}, ended="failure")
    assert found(shop) == SECONDS
    assert found(shop, "production") == {}


@pytest.mark.parametrize(
    "changed",
    [
        {"branch": "feature"},
        {"event": "push"},
        {"file": "ci.yml"},
        {"job": "Run E2E tests (1)"},
        {"run": "1"},
        {"attempt": "9"},
        {"format": 2},
        {"seconds": []},
        {"seconds": {"a": "1"}},
        {"seconds": {"a": -1}},
        {"seconds": {"a": float("inf")}},
    ],
)
def test_what_anybody_may_have_written_or_says_no_duration_is_ignored(shop: Shop, changed: dict[str, Any]) -> None:
    recorded(shop, **changed)
    assert found(shop) == {}
