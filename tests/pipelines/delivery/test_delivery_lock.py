"""One deployment of an environment at a time: who is at work, who is dead, who is out of date."""

from __future__ import annotations

import pytest

from pipelines.delivery import deployment
from pipelines.delivery.context import Candidate
from pipelines.delivery.ledger import ROLLBACK, Ledger, Record
from pipelines.errors import ConflictError, RefusedError
from rehearsal.runner.model import Run
from tests.shop import REPOSITORY, SERVER, Shop

pytestmark = pytest.mark.world


def begin(shop: Shop, run: Run | None, candidate: Candidate) -> Record:
    record = deployment.begin(shop.delivery("staging", run), candidate)
    assert record is not None
    return record


def states(shop: Shop) -> list[str]:
    return [record.state for record in shop.ledger().records("staging")]


@pytest.fixture
def first(shop: Shop) -> Candidate:
    return shop.candidate("sha-1", shop.commit())


@pytest.fixture
def second(shop: Shop) -> Candidate:
    return shop.candidate("sha-2", shop.commit())


def test_a_run_takes_the_lock_and_keeps_it_over_its_jobs(shop: Shop, first: Candidate) -> None:
    run = shop.start()
    assert begin(shop, run, first).state == "in_progress"
    assert begin(shop, run, first).id == begin(shop, run, first).id
    (record,) = shop.ledger().records("staging")
    assert [event.state for event in record.events] == ["in_progress"]


def test_while_a_run_is_at_work_another_waits(shop: Shop, first: Candidate, second: Candidate) -> None:
    run = shop.start()
    begin(shop, run, first)
    with pytest.raises(ConflictError, match="sha-1 is being deployed to staging by another run") as refused:
        begin(shop, shop.start(), second)
    assert refused.value.where == f"{SERVER}/{REPOSITORY}/actions/runs/{run.id}"
    assert refused.value.why.endswith("by dev-1")
    assert states(shop) == ["queued", "in_progress"]


@pytest.mark.parametrize("ended", ["failure", "cancelled", "success"])
def test_a_dead_run_holds_nothing(shop: Shop, first: Candidate, second: Candidate, ended: str) -> None:
    """However it ended: killed, it could not say so in the ledger."""
    run = shop.start()
    begin(shop, run, first)
    shop.end(run, ended)
    assert begin(shop, shop.start(), second).state == "in_progress"


def test_a_run_that_github_forgot_holds_nothing(shop: Shop, first: Candidate, second: Candidate) -> None:
    run = shop.start()
    begin(shop, run, first)
    shop.do(shop.runner.runs.pop, run.id)
    assert begin(shop, shop.start(), second).state == "in_progress"


def test_a_terminal_waits_for_a_run_and_holds_nothing_itself(shop: Shop, first: Candidate, second: Candidate) -> None:
    run = shop.start()
    begin(shop, run, first)
    with pytest.raises(ConflictError):
        begin(shop, None, second)
    shop.end(run)
    assert begin(shop, None, second).run == ""
    assert begin(shop, shop.start(), first).state == "in_progress"


def test_while_a_failed_run_takes_its_release_back_another_waits(
    shop: Shop, first: Candidate, second: Candidate
) -> None:
    run = shop.start()
    record = begin(shop, run, first)
    Ledger(shop.client(shop.job().token)).note(record, "failure", "smoke tests")
    with pytest.raises(ConflictError):
        begin(shop, shop.start(), second)
    shop.end(run)
    assert begin(shop, shop.start(), second).state == "in_progress"


def test_a_rollback_under_way_holds_the_lock(shop: Shop, first: Candidate, second: Candidate) -> None:
    run = shop.start()
    ledger = Ledger(shop.client(shop.job().token))
    record = ledger.open(
        environment="staging",
        release="sha-0",
        commit=first.commit,
        artifacts={},
        run=f"{SERVER}/{REPOSITORY}/actions/runs/{run.id}",
        run_id=str(run.id),
        attempt="1",
        task=ROLLBACK,
    )
    ledger.note(record, "in_progress", "going back")
    with pytest.raises(ConflictError):
        begin(shop, shop.start(), second)


def test_of_two_that_begin_together_one_goes_on(shop: Shop, first: Candidate, second: Candidate) -> None:
    """The other one's note comes in between our look and ours: we said it later, so we yield."""
    runs = shop.start(), shop.start()
    delivery = shop.delivery("staging", runs[0])
    ledger = delivery.ledger
    note = ledger.note

    def late(record: Record, state: str, text: str, **more: str) -> None:
        if record.release == "sha-1" and state == "in_progress":
            ledger.note = note  # type: ignore[method-assign]
            begin(shop, runs[1], second)
        note(record, state, text, **more)  # type: ignore[arg-type]

    ledger.note = late  # type: ignore[method-assign,assignment]
    with pytest.raises(ConflictError, match="sha-2 is being deployed"):
        deployment.begin(delivery, first)
    assert states(shop) == ["in_progress", "queued"]
    assert begin(shop, runs[1], second).state == "in_progress"


@pytest.mark.parametrize("state", ["in_progress", "success"])
def test_a_newer_run_makes_an_older_one_out_of_date(
    shop: Shop, first: Candidate, second: Candidate, state: str
) -> None:
    old, new = shop.start(), shop.start()
    begin(shop, old, first)
    shop.end(old)
    newer = begin(shop, new, second)
    if state == "success":
        Ledger(shop.client(shop.job().token)).note(newer, "success", "live")
        shop.end(new, "success")
    with pytest.raises(RefusedError, match="sha-2 went to staging after this run began"):
        begin(shop, shop.again(old), first)


def test_a_newer_run_that_failed_does_not(shop: Shop, first: Candidate, second: Candidate) -> None:
    old, new = shop.start(), shop.start()
    begin(shop, old, first)
    shop.end(old)
    newer = begin(shop, new, second)
    Ledger(shop.client(shop.job().token)).note(newer, "failure", "bad")
    shop.end(new)
    assert begin(shop, shop.again(old), first).state == "in_progress"
