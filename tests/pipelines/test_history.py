"""What a delivery writes down for people: one record, its events, and never a reason to wait or to fail."""

from __future__ import annotations

import pytest

from pipelines.errors import CheckFailed
from pipelines.history import History
from pipelines.ledger import ROLLBACK
from tests.shop import Shop

pytestmark = pytest.mark.world

DIGESTS = {"backend": "sha256:b", "web": "sha256:w"}


def opened(shop: Shop, release: str = "v1.0.0", artifacts: dict[str, str] | None = None) -> History:
    history = History(shop.context("production", shop.start()))
    history.open(release, shop.head("main"), DIGESTS if artifacts is None else artifacts, plan="0123")
    return history


def states(shop: Shop) -> list[tuple[str, str]]:
    return [(record.release, record.state) for record in shop.ledger().records("production")]


def test_every_job_of_a_run_writes_into_one_record(shop: Shop) -> None:
    run = shop.start("on-call")
    for text in ("planned", "deploying", "live"):
        history = History(shop.context("production", run))
        history.open("v1.0.0", shop.head("main"), DIGESTS)
        history.note("in_progress", text)
    (record,) = shop.ledger().records("production")
    assert [event.text for event in record.events] == ["live", "deploying", "planned"]
    assert (record.by, record.artifacts, record.run_id) == ("on-call", DIGESTS, str(run.id))


def test_a_failure_is_written_on_its_way_up(shop: Shop) -> None:
    history = opened(shop)
    with pytest.raises(CheckFailed, match="it is ill"), history.failing("web of v1.0.0"):
        raise CheckFailed("it is ill")
    (record,) = shop.ledger().records("production")
    assert (record.state, record.events[0].text) == ("failure", "web of v1.0.0: it is ill")


def test_what_a_rollback_took_back_is_inactive_as_far_as_all_of_it_went(shop: Shop) -> None:
    for release, artifacts in (("v1.0.0", DIGESTS), ("v1.1.0", {"web": "sha256:x"}), ("v1.2.0", DIGESTS)):
        opened(shop, release, artifacts).note("success", "live")
    History(shop.context("production"), ROLLBACK).rolled_back("v1.0.0", {"web"})
    assert states(shop) == [("v1.2.0", "success"), ("v1.1.0", "inactive"), ("v1.0.0", "success")]
    History(shop.context("production"), ROLLBACK).rolled_back("v1.0.0", {"web", "backend"})
    assert states(shop) == [("v1.2.0", "inactive"), ("v1.1.0", "inactive"), ("v1.0.0", "success")]


def test_without_a_record_nothing_is_noted(shop: Shop) -> None:
    history = History(shop.context("production"))
    history.note("success", "live")
    assert states(shop) == []


def test_of_a_release_that_the_ledger_never_heard_of_only_what_was_live_is_inactive(shop: Shop) -> None:
    for release in ("v1.0.0", "v1.1.0"):
        opened(shop, release).note("success", "live")
    History(shop.context("production"), ROLLBACK).rolled_back("v0.9.0", set(DIGESTS))
    assert states(shop) == [("v1.1.0", "inactive"), ("v1.0.0", "success")]


@pytest.mark.parametrize("kind", ["status", "cut", "throttle"])
def test_githubs_trouble_is_reported_once_and_then_it_is_left_alone(shop: Shop, kind: str) -> None:
    history = History(shop.context("production", shop.start()))
    shop.fault(kind=kind, times=None)
    history.open("v1.0.0", shop.head("main"), DIGESTS)
    asked = len(shop.faults.fired)
    history.note("success", "live")
    history.rolled_back("v0.9.0", {"web"})
    assert history.records() == []
    assert len(shop.faults.fired) == asked <= 4, "two tries for what it looked up, two for what it wrote"
    assert shop.log.getvalue().count("the ledger could not be updated") == 1


@pytest.mark.parametrize("body", ["a page of a proxy", {}, [], [{}], None])
def test_an_answer_that_is_none_is_trouble_too(shop: Shop, body: object) -> None:
    history = History(shop.context("production", shop.start()))
    shop.fault(kind="status", status=200, body=body, times=None)
    history.open("v1.0.0", shop.head("main"), DIGESTS)
    history.note("success", "live")
    shop.faults.clear()
    assert shop.ledger().records("production") == []
    assert shop.log.getvalue().count("the ledger could not be updated") == 1


def test_all_that_is_reported_shares_its_seconds(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once they are used up nothing is asked any more, and it is reported once."""
    monkeypatch.setattr("pipelines.history.LONGEST", 0.2)
    history = History(shop.context("production", shop.start()))
    shop.fault(kind="delay", seconds=3600, times=None)
    history.open("v1.0.0", shop.head("main"), DIGESTS)
    for _ in range(3):
        history.note("success", "live")
    assert history.records() == []
    assert len(shop.faults.fired) <= 1
    assert shop.log.getvalue().count("the ledger could not be updated") == 1


def test_reading_it_takes_no_longer_than_people_wait(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.history.LONGEST_READING", 0.2)
    history = History(shop.context("production"))
    shop.fault(kind="delay", seconds=3600, times=None)
    assert history.records() == []
    assert "the ledger cannot be read" in shop.log.getvalue()


def test_it_is_read_once(shop: Shop) -> None:
    opened(shop).note("success", "live")
    history = History(shop.context("production"))
    found = history.records()
    shop.fault(kind="status", times=None)
    assert history.records() is found
    assert not shop.faults.fired
