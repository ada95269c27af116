"""The ledger in GitHub Deployments: one record a run, whatever answers are lost or lists lag; what counts as an approval."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.delivery.ledger import DESCRIPTION_LIMIT, ROLLBACK, Ledger, Record
from pipelines.errors import CredentialsError
from tests.shop import REPOSITORY, SERVER, Shop

pytestmark = pytest.mark.world

DIGESTS = {"backend": "sha256:" + "b" * 64, "web": "sha256:" + "c" * 64}


def opened(shop: Shop, run_id: str = "7", **more: Any) -> Record:
    commit = shop.github.service.git(shop.github.service.repository(REPOSITORY)).refs["refs/heads/main"]
    given: dict[str, Any] = {
        "environment": "production",
        "release": "v1.0.0",
        "commit": commit,
        "artifacts": DIGESTS,
        "run": f"{SERVER}/{REPOSITORY}/actions/runs/{run_id}" if run_id else "",
        "run_id": run_id,
        "attempt": "1",
        "plan": "0123456789ab",
    }
    return ledger(shop).open(**{**given, **more})


def ledger(shop: Shop) -> Ledger:
    return Ledger(shop.client(shop.job().token))


def test_what_was_known_is_read_back_and_what_comes_later_is_events(shop: Shop) -> None:
    record = opened(shop)
    ledger(shop).note(record, "in_progress", "deploying", url="https://x.test/run")
    ledger(shop).note(record, "success", "x" * 500, live_url="https://x.test")
    found = ledger(shop).of_run("production", "7")
    assert found is not None
    assert (found.release, found.artifacts, found.plan, found.run_id, found.attempt) == (
        "v1.0.0",
        DIGESTS,
        "0123456789ab",
        "7",
        "1",
    )
    assert (found.state, [event.state for event in found.events]) == ("success", ["success", "in_progress"])
    assert found.events[0].text == "x" * (DESCRIPTION_LIMIT - 1) + "…"
    assert found.by == "github-actions[bot]", "nobody was named"


def test_by_whom_is_who_started_the_run(shop: Shop) -> None:
    assert opened(shop, by="on-call").by == "on-call"
    found = ledger(shop).of_run("production", "7")
    assert found is not None
    assert found.by == "on-call"


def test_nobody_speaks_for_another_account(shop: Shop) -> None:
    """People may make deployments too, and write into them what they like; only a job is believed for whom it works."""
    hand = Ledger(shop.client(shop.person("dev-1").token))
    commit = shop.commit()
    made = hand.open(
        environment="production",
        release="v1.0.0",
        commit=commit,
        artifacts={},
        run="",
        run_id="",
        attempt="",
        by="on-call",
    )
    assert made.by == "dev-1"


def test_a_run_has_one_record_for_each_task(shop: Shop) -> None:
    first = opened(shop)
    assert opened(shop, release="another").id == first.id
    assert opened(shop, task=ROLLBACK).id != first.id
    assert opened(shop, run_id="8").id != first.id
    assert len(ledger(shop).records("production", events=False)) == 3


@pytest.mark.parametrize("lag", [0, 3])
@pytest.mark.parametrize("run_id", ["7", ""])
@pytest.mark.parametrize("lost", [1, 2])
def test_lost_answers_make_one_record(shop: Shop, run_id: str, lost: int, lag: int) -> None:
    """Lost after the effect, with lists that do not show the record for a while."""
    shop.github.service.lag = lag
    shop.fault(kind="lose_answer", method="POST", path="/deployments$", times=1)
    if lost == 2:
        shop.fault(kind="cut", method="GET", path="/deployments$", after=2, times=2)
    record = opened(shop, run_id)
    shop.github.service.lag = 0
    assert [r.id for r in ledger(shop).records("production", events=False)] == [record.id]


def test_a_lost_answer_without_effect_is_sent_again(shop: Shop) -> None:
    shop.fault(kind="cut", method="POST", path="/deployments$")
    record = opened(shop)
    assert [r.id for r in ledger(shop).records("production", events=False)] == [record.id]


def test_a_note_whose_answer_is_lost_stands_once(shop: Shop) -> None:
    record = opened(shop)
    shop.fault(kind="lose_answer", method="POST", path="/statuses$")
    ledger(shop).note(record, "in_progress", "deploying")
    assert [event.text for event in ledger(shop).read(record).events] == ["deploying"]


def test_two_records_of_a_run_are_one_to_everybody(shop: Shop) -> None:
    """Should a lagging list ever lead to two, every job goes by the first."""
    first = opened(shop)
    body = {
        "ref": first.commit,
        "task": "shipmate",
        "environment": "production",
        "payload": {"run_id": "7"},
        "auto_merge": False,
        "required_contexts": [],
    }
    shop.job().post(f"/repos/{REPOSITORY}/deployments", body)
    found = ledger(shop).of_run("production", "7")
    assert found is not None
    assert found.id == first.id


def test_a_terminal_goes_on_with_its_own_newest_record_only(shop: Shop) -> None:
    first = opened(shop, run_id="", plan="")
    ledger(shop).note(first, "in_progress", "deploying")
    assert opened(shop, run_id="", plan="").id == first.id
    assert opened(shop, run_id="", plan="", release="v2.0.0").id != first.id
    assert opened(shop, run_id="", plan="").id != first.id


def test_what_the_jobs_own_environments_make_hides_nothing(shop: Shop) -> None:
    """GitHub makes a deployment for every job with `environment:`; a hundred of them fill a page."""
    record = opened(shop)
    ledger(shop).note(record, "success", "live")
    for _ in range(101):
        body = {"ref": "main", "environment": "production", "auto_merge": False, "required_contexts": []}
        shop.job().post(f"/repos/{REPOSITORY}/deployments", body)
    live = ledger(shop).live("production")
    assert live is not None
    assert live.id == record.id


def test_live_is_the_newest_that_ended_well(shop: Shop) -> None:
    assert ledger(shop).live("production") is None
    for number, state in enumerate(("success", "success", "failure", "in_progress"), 1):
        record = opened(shop, str(number), release=f"v1.{number}.0")
        ledger(shop).note(record, state, state)  # type: ignore[arg-type]
    live = ledger(shop).live("production")
    assert live is not None
    assert live.release == "v1.2.0"
    assert ledger(shop).live("staging") is None


def test_a_commit_and_a_release_are_found_among_many(shop: Shop) -> None:
    wanted = shop.note("staging", "sha-1", shop.commit())
    for _ in range(3):
        shop.note("staging", "sha-2", shop.commit())
    record = ledger(shop).of_release("staging", "sha-1")[0]
    assert record.id == wanted
    assert [r.id for r in ledger(shop).of_commit("staging", record.commit)] == [wanted]


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("approved by release-manager for plan 0123456789ab, run 7, attempt 1", True),
        ("break-glass by on-call for plan 0123456789ab, run 7, attempt 1", True),
        ("planned v1.0.0: approved by release-manager", False),
    ],
)
def test_an_approval_is_an_event_that_a_job_wrote(shop: Shop, text: str, counts: bool) -> None:
    record = opened(shop)
    ledger(shop).note(record, "queued", text)
    assert [event.text for event in ledger(shop).read(record).approvals()] == [text] * counts


def test_nobody_writes_an_approval_by_hand(shop: Shop) -> None:
    """People may add statuses too; theirs are no approvals."""
    record = opened(shop)
    text = "approved by release-manager for plan 0123456789ab, run 7, attempt 1"
    shop.person("dev-1").post(
        f"/repos/{REPOSITORY}/deployments/{record.id}/statuses", {"state": "queued", "description": text}
    )
    assert ledger(shop).read(record).approvals() == ()
    assert len(ledger(shop).read(record).events) == 1


def test_a_token_without_the_permission_says_which(shop: Shop) -> None:
    run = shop.start()
    token = shop.do(shop.github.hub.job_token, REPOSITORY, {"contents": "read"}, run, run.jobs[0])
    with pytest.raises(CredentialsError, match=r"HTTP 403.*\n.*permission\n.*permissions:"):
        Ledger(shop.client(token)).open(
            environment="production",
            release="v1",
            commit="main",
            artifacts={},
            run="",
            run_id="1",
            attempt="1",
        )
