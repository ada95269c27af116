"""The history in GitHub Deployments: one record a run, whatever answers are lost or lists lag; it decides nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import CredentialsError
from pipelines.ledger import DEPLOY, DESCRIPTION_LIMIT, ROLLBACK, Event, Ledger, Record, live
from tests.shop import REPOSITORY, SERVER, Shop

pytestmark = pytest.mark.world

DIGESTS = {"backend": "sha256:" + "b" * 64, "web": "sha256:" + "c" * 64}


def opened(shop: Shop, run_id: str = "7", **more: Any) -> Record:
    commit = shop.github.instance.git(shop.github.instance.repository(REPOSITORY)).refs["refs/heads/main"]
    given: dict[str, Any] = {
        "environment": "production",
        "release": "v1.0.0",
        "commit": commit,
        "artifacts": DIGESTS,
        "run": f"{SERVER}/{REPOSITORY}/actions/runs/{run_id}" if run_id else "",
        "run_id": run_id,
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
    assert (found.release, found.artifacts, found.plan, found.run_id) == ("v1.0.0", DIGESTS, "0123456789ab", "7")
    assert found.events == (), "it is found by the list alone"
    (found,) = ledger(shop).records("production")
    assert found.ended_well is not None
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
        by="on-call",
    )
    assert made.by == "dev-1"


def test_a_run_has_one_record_for_each_task(shop: Shop) -> None:
    first = opened(shop)
    assert opened(shop, release="another").id == first.id
    assert opened(shop, task=ROLLBACK).id != first.id
    assert opened(shop, run_id="8").id != first.id
    assert len(ledger(shop).records("production", events=False)) == 3


@pytest.mark.parametrize("lost", [1, 2])
def test_lost_answers_make_one_record(shop: Shop, lost: int) -> None:
    """Lost after the effect; and, the second time, what is asked to find out is cut as well."""
    shop.fault(kind="lose_answer", method="POST", path="/deployments$", times=1)
    if lost == 2:
        shop.fault(kind="cut", method="GET", path="/deployments$", after=2, times=2)
    record = opened(shop)
    assert [r.id for r in ledger(shop).records("production", events=False)] == [record.id]


@pytest.mark.parametrize("lag", [0, 3])
@pytest.mark.parametrize("run_id", ["7", ""])
def test_where_it_cannot_be_found_again_it_may_stand_twice_and_harms_nothing(shop: Shop, run_id: str, lag: int) -> None:
    """A list that does not show it for a while, or a terminal, which has no run: every job of a run goes on with the first."""
    shop.github.instance.lag = lag
    shop.fault(kind="lose_answer", method="POST", path="/deployments$", times=1)
    opened(shop, run_id)
    for _ in range(2 * lag + 1):  # each list that is asked for brings what was made closer to being shown
        found = [r.id for r in ledger(shop).records("production", events=False)]
    assert len(found) == (1 if run_id and not lag else 2)
    if run_id:
        assert opened(shop, run_id).id == min(found)


def test_a_lost_answer_without_effect_is_sent_again(shop: Shop) -> None:
    shop.fault(kind="cut", method="POST", path="/deployments$")
    record = opened(shop)
    assert [r.id for r in ledger(shop).records("production", events=False)] == [record.id]


def test_a_note_whose_answer_is_lost_stands_once(shop: Shop) -> None:
    record = opened(shop)
    shop.fault(kind="lose_answer", method="POST", path="/statuses$")
    ledger(shop).note(record, "in_progress", "deploying")
    (found,) = ledger(shop).records("production")
    assert [event.text for event in found.events] == ["deploying"]


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


def test_a_terminal_writes_a_record_each_time(shop: Shop) -> None:
    """It has no run by which an earlier one could be known."""
    assert opened(shop, run_id="").id != opened(shop, run_id="").id


def test_what_the_jobs_own_environments_make_hides_nothing(shop: Shop) -> None:
    """GitHub makes a deployment for every job with `environment:`; a hundred of them fill a page."""
    record = opened(shop)
    ledger(shop).note(record, "success", "live")
    for _ in range(101):
        body = {"ref": "main", "environment": "production", "auto_merge": False, "required_contexts": []}
        shop.job().post(f"/repos/{REPOSITORY}/deployments", body)
    assert [found.id for found in ledger(shop).records("production")] == [record.id]


def test_the_newest_come_first_of_both_tasks_and_of_one_environment(shop: Shop) -> None:
    made = [opened(shop, "1"), opened(shop, "2", task=ROLLBACK), opened(shop, "3")]
    opened(shop, "4", environment="staging")
    found = ledger(shop).records("production", events=False)
    assert [record.id for record in found] == [record.id for record in reversed(made)]
    assert [record.id for record in ledger(shop).records("production", limit=1, events=False)] == [made[2].id]


@pytest.mark.parametrize("payload", [None, "", "no JSON", "[]", {"release": 7, "artifacts": "none"}])
def test_what_others_wrote_there_is_read_without_a_crash(shop: Shop, payload: Any) -> None:
    body = {
        "ref": "main",
        "task": "shipmate",
        "environment": "production",
        "auto_merge": False,
        "required_contexts": [],
    }
    shop.job().post(f"/repos/{REPOSITORY}/deployments", body if payload is None else {**body, "payload": payload})
    (found,) = ledger(shop).records("production")
    assert (found.release, found.artifacts, found.state) == ("7" if isinstance(payload, dict) else "main", {}, "queued")


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
        )


# what is live by it -----------------------------------------------------------------------------------------------------

DEEDS = st.lists(
    st.tuples(st.sampled_from(["delivers", "fails", "goes back", "runs again"]), st.integers(0, 9)), max_size=25
)


class Paper:
    """Records as GitHub keeps them, in the order of their opening, beside what an operator would write down."""

    def __init__(self) -> None:
        self.events: dict[int, list[Event]] = {}
        self.records: dict[int, Record] = {}
        self.live: list[int] = []
        """Deliveries that are live or were before, the last one live."""
        self.count = 0

    def open(self, release: str, task: str) -> int:
        number = len(self.records) + 1
        self.records[number] = Record(
            id=number, task=task, environment="production", release=release, commit="c" * 40, artifacts={"web": "d"}
        )
        self.events[number] = []
        return number

    def note(self, number: int, *states: str) -> None:
        for state in states:
            self.count += 1
            self.events[number].insert(0, Event(id=self.count, state=state, text=state, at="", by=""))

    def listed(self) -> list[Record]:
        """Newest opening first."""
        return [replace(self.records[n], events=tuple(self.events[n])) for n in sorted(self.records, reverse=True)]

    def delivers(self, number: int) -> None:
        self.note(number, "in_progress", "success")
        self.live = [each for each in self.live if each != number] + [number]

    def do(self, deed: str, which: int) -> None:
        deliveries = [n for n, record in self.records.items() if record.task == DEPLOY]
        if deed == "delivers" or not deliveries:
            self.delivers(self.open(f"v1.{len(self.records)}.0", DEPLOY))
        elif deed == "fails":
            self.note(self.open(f"v1.{len(self.records)}.0", DEPLOY), "in_progress", "failure")
        elif deed == "runs again":
            self.delivers(deliveries[which % len(deliveries)])
        elif len(self.live) > 1:
            left = self.live.pop()
            back = self.open(self.records[self.live[-1]].release, ROLLBACK)
            self.note(back, "in_progress", "success")
            self.note(left, "inactive")


@given(DEEDS)
def test_what_is_live_by_it_is_what_ended_well_last(deeds: list[tuple[str, int]]) -> None:
    """Deliveries, failures, ways back and re-runs of any run in any order."""
    paper = Paper()
    for deed, which in deeds:
        paper.do(deed, which)
        found = live(paper.listed(), "web")
        assert (found.release if found else "") == (paper.records[paper.live[-1]].release if paper.live else "")
    assert live(paper.listed(), "backend") is None
