"""What is live, by the providers, beside the ledger; and the drift between them."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.delivery import planning
from pipelines.delivery.ledger import Ledger
from pipelines.delivery.rollback import Request, roll_back
from pipelines.delivery.status import status
from tests.shop import COMPONENTS, REPOSITORY, SERVER, Shop

pytestmark = pytest.mark.world

OTHER = "sha256:" + "0" * 64


def rows(shop: Shop) -> list[dict[str, Any]]:
    return status(shop.delivery("production"))


def drift(shop: Shop) -> list[str]:
    return [row["drift"] for row in rows(shop)]


def test_nothing_yet(shop: Shop) -> None:
    assert [(row["component"], row["release"], row["drift"]) for row in rows(shop)] == [
        ("backend", "nothing", ""),
        ("web", "nothing", ""),
    ]


def test_what_since_when_by_whom_from_which_run(shop: Shop) -> None:
    commit = shop.released("v1.0.0")
    backend, web = rows(shop)
    record = shop.ledger().live("production")
    assert record is not None
    assert (backend["release"], backend["commit"], backend["traffic"], backend["drift"]) == (
        "v1.0.0",
        commit,
        "100 %",
        "",
    )
    assert (backend["since"], backend["by"], backend["approved"]) == (record.events[0].at, "dev-1", "")
    assert backend["run"].startswith(f"{SERVER}/{REPOSITORY}/actions/runs/")
    assert (web["url"], web["digest"]) == ("https://techmate.ai", record.artifacts["web"])


@pytest.mark.parametrize(
    ("words", "shown"), [("approved by", "release-manager"), ("break-glass by", "release-manager (break-glass)")]
)
def test_who_dispatched_and_who_let_it_pass(shop: Shop, words: str, shown: str) -> None:
    """A job writes the ledger as a bot; people want to know for whom."""
    commit = shop.proved("v1.0.0")
    run = shop.start("on-call")
    delivery = shop.delivery("production", run)
    found = planning.plan(delivery, "v1.0.0")
    planning.open_record(delivery, found)
    (record,) = delivery.ledger.records("production")
    delivery.ledger.note(record, "queued", f"{words} release-manager for plan {found.digest}, run {run.id}, attempt 1")
    delivery.ledger.note(record, "success", "live")
    for component, digest in found.resolved.candidate.digests().items():
        shop.host("production", component).put("v1.0.0", commit, digest)
    assert [(row["by"], row["approved"]) for row in rows(shop)] == [("on-call", shown)] * 2


def test_a_run_of_the_same_release_that_waits_is_not_how_it_went_live(shop: Shop) -> None:
    commit = shop.released("v1.0.0")
    shop.note("production", "v1.0.0", commit, "queued", run=shop.start("on-call"))
    assert [row["by"] for row in rows(shop)] == ["dev-1", "dev-1"]


def test_a_release_in_the_middle_of_a_shift_is_two_rows(shop: Shop) -> None:
    shop.released("v1.0.0")
    backend = shop.host("production", "backend")
    first = backend.deployments[0].key
    backend.put("v1.1.0", "c" * 40, OTHER)
    backend.shift(first, 90)
    found = [(row["component"], row["release"], row["traffic"]) for row in rows(shop)]
    assert found == [("backend", "v1.1.0", "10 %"), ("backend", "v1.0.0", "90 %"), ("web", "v1.0.0", "100 %")]


@pytest.mark.parametrize("how", ["another release", "another digest", "by other means"])
def test_drift_is_shown(shop: Shop, how: str) -> None:
    commit = shop.released("v1.0.0")
    web = shop.host("production", "web")
    if how == "another release":
        web.put("v0.9.0", commit, OTHER)
    elif how == "another digest":
        web.put("v1.0.0", commit, OTHER)
    else:
        web.put("v1.0.0", commit, OTHER)
        web.deployments[0] = type(web.deployments[0])(
            key="d9", url="", ready=True, identity=None, traffic=100, created="2026-01-01T00:00:00Z"
        )
    said = {
        "another release": "the ledger says v1.0.0",
        "another digest": "another digest than the ledger's",
        "by other means": "deployed by other means",
    }
    assert drift(shop) == ["", said[how]]


def test_what_the_ledger_never_heard_of(shop: Shop) -> None:
    shop.host("production", "web").put("v1.0.0", "c" * 40, OTHER)
    assert drift(shop) == ["", "the ledger knows of nothing live"]


def test_after_a_rollback_there_is_none(shop: Shop) -> None:
    for version in ("v1.0.0", "v1.1.0"):
        shop.released(version)
    roll_back(shop.delivery("production"), Request())
    assert [(row["release"], row["drift"]) for row in rows(shop)] == [("v1.0.0", "")] * 2


def test_after_one_component_went_back_alone_there_is_none(shop: Shop) -> None:
    for version in ("v1.0.0", "v1.1.0"):
        shop.released(version)
    roll_back(shop.delivery("production"), Request(components=("backend",)))
    assert [(row["release"], row["drift"]) for row in rows(shop)] == [("v1.0.0", ""), ("v1.1.0", "")]


def test_a_failed_deployment_since_is_no_drift(shop: Shop) -> None:
    commit = shop.released("v1.0.0")
    shop.note("production", "v1.1.0", commit, "failure")
    record = shop.ledger().records("production")[0]
    Ledger(shop.client(shop.job().token)).note(record, "failure", "again")
    assert drift(shop) == ["", ""]


@pytest.mark.parametrize("down", [True, False], ids=["down", "no token"])
def test_while_github_says_nothing_nothing_is_said_of_it(shop: Shop, down: bool) -> None:
    commit = shop.released("v1.0.0")
    delivery = shop.delivery("production")
    if down:
        shop.fault(kind="status", times=None)
    else:
        delivery.github = None
    found = status(delivery)
    assert [(row["release"], row["commit"], row["drift"], row["by"]) for row in found] == [
        ("v1.0.0", commit, "", "")
    ] * len(COMPONENTS)
    assert ("the ledger cannot be read" in shop.log.getvalue()) == down
