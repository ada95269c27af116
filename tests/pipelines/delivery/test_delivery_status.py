"""What is live, by the providers, beside the ledger; and the drift between them."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.delivery.rollback import Request, roll_back
from pipelines.delivery.status import status
from pipelines.errors import CheckFailed
from pipelines.ledger import Ledger, Record, State
from pipelines.roles import Identity
from tests.pipelines.delivery.jobs import planned
from tests.shop import COMPONENTS, REPOSITORY, SERVER, Shop

pytestmark = pytest.mark.world

OTHER = "sha256:" + "0" * 64


def rows(shop: Shop) -> list[dict[str, Any]]:
    return status(shop.context("production"))


def drift(shop: Shop) -> list[str]:
    return [row["drift"] for row in rows(shop)]


def released(shop: Shop, version: str, actor: str = "dev-1") -> None:
    """Delivered to production by a run."""
    planned(shop, version, shop.artifacts(version), run=shop.start(actor)).all()


def noted(shop: Shop, release: str, state: State, **more: Any) -> Record:
    """A record in the ledger, by the job of a run."""
    digests = {name: reference.rpartition("@")[2] for name, reference in shop.artifacts(release).items()}
    ledger, run = Ledger(shop.client(shop.job().token)), shop.start(more.pop("actor", "dev-1"))
    record = ledger.open(
        environment="production",
        release=release,
        commit=shop.head("main"),
        artifacts=digests,
        run="",
        run_id=str(run.id),
        **more,
    )
    ledger.note(record, state, state)
    return record


def test_nothing_yet(shop: Shop) -> None:
    assert [(row["component"], row["release"], row["drift"]) for row in rows(shop)] == [
        ("backend", "", ""),
        ("web", "", ""),
    ]


def test_what_since_when_by_whom_from_which_run(shop: Shop) -> None:
    released(shop, "v1.0.0", "on-call")
    backend, web = rows(shop)
    (record,) = shop.ledger().records("production")
    assert (backend["release"], backend["commit"], backend["traffic"], backend["stable"], backend["drift"]) == (
        "v1.0.0",
        shop.head("main"),
        "100 %",
        "yes",
        "",
    )
    assert (backend["since"], backend["by"], backend["approved"]) == (
        record.events[0].at,
        "on-call",
        "release-manager",
    )
    assert backend["run"].startswith(f"{SERVER}/{REPOSITORY}/actions/runs/")
    assert (web["url"], web["digest"]) == ("https://techmate.ai", record.artifacts["web"])


def test_who_let_it_pass_is_what_the_deployment_carries_and_nobody_can_add_to_that(shop: Shop) -> None:
    """An event of the ledger may say what its writer likes."""
    shop.live("v1.0.0", shop.head("main"))
    record = noted(shop, "v1.0.0", "success", by="dev-2")
    Ledger(shop.client(shop.job().token)).note(record, "success", "approved by release-manager")
    assert [(row["by"], row["approved"]) for row in rows(shop)] == [("dev-2", "")] * 2


def test_a_run_of_the_same_release_that_waits_is_not_how_it_went_live(shop: Shop) -> None:
    released(shop, "v1.0.0")
    before = [row["since"] for row in rows(shop)]
    noted(shop, "v1.0.0", "queued", actor="on-call", by="on-call")
    assert [(row["by"], row["since"]) for row in rows(shop)] == [("dev-1", since) for since in before]


def test_a_release_in_the_middle_of_a_shift_is_two_rows(shop: Shop) -> None:
    released(shop, "v1.0.0")
    backend = shop.host("production", "backend")
    delivery = planned(shop, "v1.1.0", shop.artifacts("v1.1.0"))
    delivery.deploy("backend")
    backend.shift(backend.deployments[0].key, 10)
    found = [(row["component"], row["release"], row["traffic"], row["stable"]) for row in rows(shop)]
    assert found == [
        ("backend", "v1.1.0", "10 %", "no"),
        ("backend", "v1.0.0", "90 %", "yes"),
        ("web", "v1.0.0", "100 %", "yes"),
    ]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("another release", "the ledger says v1.0.0"),
        ("another digest", "another digest than the ledger's"),
        ("by other means", "deployed by other means"),
        ("marked", "is marked as failed: it loses data"),
    ],
)
def test_drift_is_shown(shop: Shop, how: str, message: str) -> None:
    released(shop, "v1.0.0")
    web, commit = shop.host("production", "web"), shop.head("main")
    if how == "another release":
        web.put("v0.9.0", commit, OTHER)
    elif how == "another digest":
        web.put("v1.0.0", commit, OTHER)
    elif how == "marked":
        web.mark(lambda marks: type(marks)(stable=marks.stable, failed={"v1.0.0": "it loses data"}))
    else:
        web.put("v1.0.0", commit, OTHER)
        web.deployments[0] = type(web.deployments[0])(
            key="d9", url="", ready=True, identity=None, traffic=100, created="2026-01-01T00:00:00Z"
        )
    assert drift(shop) == ["", message]


def test_what_the_ledger_never_heard_of(shop: Shop) -> None:
    shop.host("production", "web").put("v1.0.0", "c" * 40, OTHER)
    noted(shop, "v1.1.0", "failure")
    assert drift(shop) == ["", "the ledger knows of nothing live"]


def test_an_empty_ledger_says_nothing(shop: Shop) -> None:
    shop.host("production", "web").put("v1.0.0", "c" * 40, OTHER)
    assert drift(shop) == ["", ""]


def test_after_a_rollback_there_is_none(shop: Shop) -> None:
    for version in ("v1.0.0", "v1.1.0"):
        released(shop, version)
    roll_back(shop.context("production"), Request())
    assert [(row["release"], row["drift"]) for row in rows(shop)] == [("v1.0.0", "")] * 2


def test_after_one_component_went_back_alone_there_is_none(shop: Shop) -> None:
    for version in ("v1.0.0", "v1.1.0"):
        released(shop, version)
    roll_back(shop.context("production"), Request(components=("backend",)))
    assert [(row["release"], row["drift"]) for row in rows(shop)] == [("v1.0.0", ""), ("v1.1.0", "")]


def test_a_failed_deployment_since_is_no_drift(shop: Shop) -> None:
    released(shop, "v1.0.0")
    noted(shop, "v1.1.0", "failure")
    assert drift(shop) == ["", ""]


def test_after_a_run_was_taken_back_and_run_again_there_is_none(shop: Shop) -> None:
    """Its record is older than that of the way back, and ended well after it."""
    released(shop, "v1.0.0")
    shop.host("production", "web").sick.add("v1.1.0")
    delivery = planned(shop, "v1.1.0", shop.artifacts("v1.1.0"), run=shop.start("dev-1"))
    with pytest.raises(CheckFailed):
        delivery.all()
    delivery.back()
    assert [(row["release"], row["drift"]) for row in rows(shop)] == [("v1.0.0", "")] * 2
    shop.host("production", "web").sick.clear()
    shop.again(delivery.run, "on-call")
    delivery.go_live()
    found = rows(shop)
    assert [(row["release"], row["drift"]) for row in found] == [("v1.1.0", "")] * 2
    (record,) = [record for record in shop.ledger().records("production") if record.release == "v1.1.0"]
    assert [event.state for event in record.events] == ["success", "failure"]
    assert {row["since"] for row in found} == {record.events[0].at}


def test_after_it_was_rolled_back_from_that_there_is_none(shop: Shop) -> None:
    """Success, rolled back, run again to success, rolled back: one record of one run has all of it."""
    released(shop, "v1.0.0")
    record = noted(shop, "v1.1.0", "success")
    ledger = Ledger(shop.client(shop.job().token))
    shop.live("v1.1.0", shop.head("main"))
    for component, reference in shop.artifacts("v1.1.0").items():
        shop.host("production", component).put("v1.1.0", shop.head("main"), reference.rpartition("@")[2])
    for _ in range(2):
        assert drift(shop) == ["", ""]
        assert roll_back(shop.context("production"), Request(to="v1.0.0")).changed
        assert [(row["release"], row["drift"]) for row in rows(shop)] == [("v1.0.0", "")] * 2
        for state in ("in_progress", "success"):
            ledger.note(record, state, "again")  # type: ignore[arg-type]
        for component, reference in shop.artifacts("v1.1.0").items():
            shop.host("production", component).put("v1.1.0", shop.head("main"), reference.rpartition("@")[2])
    states = [
        event.state for each in shop.ledger().records("production") if each.id == record.id for event in each.events
    ]
    assert states.count("inactive") == 2


def test_a_run_that_was_planned_first_and_went_live_last_is_what_the_ledger_says(shop: Shop) -> None:
    """Its record is the older one. Rolled back, it is the one that is not live any more, and not what it went back to."""
    released(shop, "v1.0.0")
    waiting = noted(shop, "v1.2.0", "queued")
    released(shop, "v1.1.0")
    ledger = Ledger(shop.client(shop.job().token))
    ledger.note(waiting, "success", "live")
    for component, reference in shop.artifacts("v1.2.0").items():
        shop.host("production", component).put("v1.2.0", shop.head("main"), reference.rpartition("@")[2])
    assert drift(shop) == ["", ""]
    assert roll_back(shop.context("production"), Request()).release == "v1.1.0"
    assert [(row["release"], row["drift"]) for row in rows(shop)] == [("v1.1.0", "")] * 2
    states = {each.release: each.state for each in shop.ledger().records("production") if each.task == "shipmate"}
    assert states == {"v1.0.0": "success", "v1.1.0": "success", "v1.2.0": "inactive"}


def test_a_re_run_of_what_is_live_that_fails_is_no_drift(shop: Shop) -> None:
    """It failed before it moved anything: users have what they had."""
    released(shop, "v1.0.0")
    released(shop, "v1.1.0")
    (record, *_) = shop.ledger().records("production")
    for state in ("in_progress", "failure"):
        Ledger(shop.client(shop.job().token)).note(record, state, "again")  # type: ignore[arg-type]
    assert drift(shop) == ["", ""]


@pytest.mark.parametrize("down", [True, False], ids=["down", "no token"])
def test_while_github_says_nothing_nothing_is_shown_of_it(shop: Shop, down: bool) -> None:
    shop.live("v1.0.0", shop.head("main"))
    context = shop.context("production")
    if down:
        shop.fault(kind="status", times=None)
    else:
        context.github = None
    found = status(context)
    assert [(row["release"], row["commit"], row["drift"], row["by"]) for row in found] == [
        ("v1.0.0", shop.head("main"), "", "")
    ] * len(COMPONENTS)
    assert ("the ledger cannot be read" in shop.log.getvalue()) == down


def test_what_the_deployment_itself_says_needs_no_ledger(shop: Shop) -> None:
    web = shop.host("production", "web")
    web.put("v1.0.0", "c" * 40, OTHER)
    identity = Identity(
        release="v1.0.0", commit="c" * 40, digest=OTHER, run="https://x.test/1", by="dev-1", approved="on-call"
    )
    web.deployments[0] = type(web.deployments[0])(key="d1", url="", ready=True, identity=identity, traffic=100)
    (row,) = [row for row in rows(shop) if row["component"] == "web"]
    assert (row["by"], row["approved"], row["run"]) == ("dev-1", "on-call", "https://x.test/1")


def test_components_that_serve_different_releases_are_reported_to_be_split(shop: Shop) -> None:
    """As after a delivery that was killed when the backend had gone live and the web had not."""
    released(shop, "v1.0.0")
    assert [row["split"] for row in rows(shop)] == ["", ""]
    delivery = planned(shop, "v1.1.0", shop.artifacts("v1.1.0"))
    delivery.deploy("backend")
    backend = shop.host("production", "backend")
    backend.shift(backend.deployments[0].key, 100)
    assert [(row["component"], row["split"]) for row in rows(shop)] == [
        ("backend", "web serves v1.0.0"),
        ("web", "backend serves v1.1.0"),
    ]
