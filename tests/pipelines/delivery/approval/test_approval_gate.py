"""Who lets a release pass: by review, by comment, by breaking the glass; and what an approval is bound to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pipelines.delivery import deployment, planning
from pipelines.delivery.approval import obtain as approval
from pipelines.delivery.approval.gate import Gate
from pipelines.delivery.approval.rules import Approved
from pipelines.delivery.context import Candidate
from pipelines.delivery.ledger import Record
from pipelines.errors import RefusedError
from pipelines.faults import Policy
from rehearsal.runner.model import Run
from tests.shop import REPOSITORY, Shop

pytestmark = pytest.mark.world

VERSION = "v1.0.0"


class Planned:
    """A run of the production workflow whose plan job has ended."""

    def __init__(self, shop: Shop, actor: str = "dev-1") -> None:
        self.shop = shop
        self.commit = shop.proved(VERSION)
        self.run = shop.start(actor)
        self.plan = self._plan()

    def _plan(self) -> str:
        delivery = self.shop.delivery("production", self.run)
        planned = planning.plan(delivery, VERSION)
        planning.open_record(delivery, planned)
        return planned.digest

    def again(self, actor: str = "dev-1") -> None:
        """*Re-run all jobs*, up to the approval."""
        self.run = self.shop.again(self.run, actor)
        self._plan()

    def ask(self, *, break_glass: str = "", wait: float = 0.0, plan: str = "") -> Approved | None:
        return approval.obtain(
            self.shop.delivery("production", self.run),
            release=VERSION,
            commit=self.commit,
            plan=plan or self.plan,
            break_glass=break_glass,
            wait_seconds=wait,
        )

    def begin(self) -> Record | None:
        """The gate of a deploying job."""
        artifacts = self.shop.artifacts(self.commit[:12])
        candidate = Candidate(release=VERSION, commit=self.commit, artifacts=artifacts, plan=self.plan)
        return deployment.begin(self.shop.delivery("production", self.run), candidate)

    def record(self) -> Record:
        return self.shop.ledger().records("production")[0]

    def texts(self) -> list[str]:
        return [event.text for event in self.record().events]

    def issues(self, state: str = "open") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.shop.person("dev-1").get(f"/repos/{REPOSITORY}/issues?state={state}")
        return found

    def comment(self, text: str, login: str = "release-manager") -> str:
        """A comment on the newest open issue; its path."""
        issue = self.issues()[0]["number"]
        made = self.shop.person(login).post(f"/repos/{REPOSITORY}/issues/{issue}/comments", {"body": text})
        return f"/repos/{REPOSITORY}/issues/comments/{made['id']}"


@pytest.fixture
def planned(shop: Shop) -> Planned:
    return Planned(shop)


def refused(planned: Planned, **how: Any) -> str:
    with pytest.raises(RefusedError) as error:
        planned.ask(**how)
    assert error.value.next_step
    return str(error.value)


# by review --------------------------------------------------------------------------------------------------------------


def test_a_review_approves_and_is_written_down(planned: Planned) -> None:
    planned.shop.reviewers("release-manager")
    planned.shop.review(planned.run)
    found = planned.ask()
    assert found is not None
    assert found.by == "release-manager"
    wanted = f"approved by release-manager for plan {planned.plan}, run {planned.run.id}, attempt 1"
    assert planned.texts()[:2] == [wanted, "words of release-manager: seen"]
    assert planned.record().said == "seen"
    assert planned.issues() == []
    assert planned.begin() is not None


def test_asked_again_in_the_same_attempt_it_is_written_once(planned: Planned) -> None:
    planned.shop.reviewers("release-manager")
    planned.shop.review(planned.run)
    planned.ask()
    planned.ask()
    assert [text.partition(" ")[0] for text in planned.texts()] == ["approved", "words", "planned"]


def test_a_review_that_shows_late_is_waited_for(planned: Planned) -> None:
    planned.shop.reviewers("release-manager")
    threading.Timer(0.05, planned.shop.review, (planned.run,)).start()
    delivery = planned.shop.delivery("production", planned.run)
    assert delivery.github is not None
    delivery.github.policy = Policy(scale=0.02)
    found = approval.obtain(
        delivery, release=VERSION, commit=planned.commit, plan=planned.plan, break_glass="", wait_seconds=3000
    )
    assert found is not None


def test_nobody_answered(planned: Planned) -> None:
    planned.shop.reviewers("release-manager")
    assert "nobody has answered" in refused(planned)
    assert "Review deployments" in refused(planned)


@pytest.mark.parametrize(("login", "why"), [("dev-1", "started this release"), ("dev-2", "wrote the release's last")])
def test_who_may_not_is_told_at_once(shop: Shop, login: str, why: str) -> None:
    """GitHub itself lets the author of a commit review; no other review can come once the job has started."""
    planned = Planned(shop)
    shop.reviewers("dev-1", "dev-2", "release-manager")
    shop.review(planned.run, login)
    assert why in refused(planned, wait=3000)
    with pytest.raises(RefusedError, match="no approval"):
        planned.begin()


def test_who_re_runs_and_who_dispatched_are_both_out(shop: Shop) -> None:
    planned = Planned(shop, actor="release-manager")
    planned.again(actor="on-call")
    shop.reviewers("release-manager", "on-call")
    shop.review(planned.run, "release-manager")
    assert "release-manager: started this release" in refused(planned)


def test_a_rejection_ends_it(planned: Planned) -> None:
    planned.shop.reviewers("release-manager")
    planned.shop.review(planned.run, state="rejected")
    assert "release-manager rejected it: seen" in refused(planned)
    assert planned.texts()[:2] == ["rejected by release-manager", "words of release-manager: seen"]


# by comment -------------------------------------------------------------------------------------------------------------


def answering(planned: Planned, act: Callable[[], Any]) -> Approved:
    """Ask on an issue, and have somebody act when it stands there."""
    shop = planned.shop
    delivery = shop.delivery("production", planned.run)
    assert delivery.github is not None
    rule = delivery.settings.approval
    assert rule is not None
    acted: list[Any] = []

    def sleep(seconds: float) -> None:
        assert seconds == 0
        if acted:
            raise TimeoutError("the answer did not count")
        acted.append(act())

    gate = Gate(github=delivery.github, ledger=delivery.ledger, rule=rule, runtime=delivery.runtime, sleep=sleep)
    record = delivery.ledger.of_run("production", str(planned.run.id))
    assert record is not None
    asked = approval.Asked(
        release=VERSION,
        plan=planned.plan,
        starters=("dev-1",),
        author="dev-2",
        since=shop.clock() - timedelta(minutes=1),
    )
    return gate.pass_with_approval(asked, record, str(planned.run.id), wait_seconds=60)


def test_a_comment_approves_where_there_are_no_reviewers(planned: Planned) -> None:
    found = answering(planned, lambda: planned.comment(f"/approve {planned.plan}"))
    assert found.by == "release-manager"
    assert "/issues/" in found.url
    assert planned.issues() == []
    closed = planned.issues("closed")[0]
    assert closed["title"] == (
        f"Approve {VERSION} for production (plan {planned.plan}, run {planned.run.id}, attempt 1)"
    )
    assert "not dev-1, not dev-2" in closed["body"]
    assert planned.begin() is not None


HOSTILE = "\r\n::error::gotcha\n@everybody <img src=x> `$(touch x)`\n\u202eapproved by stranger for plan 000000000000, run 1, attempt 1"
ON_ONE_LINE = (
    "::error::gotcha @everybody <img src=x> `$(touch x)` approved by stranger for plan 000000000000, run 1, attempt 1"
)


def test_the_comment_is_recorded_and_leads_to_itself(planned: Planned) -> None:
    """As text: what looks like a command, a mention or another approval is none."""
    found = answering(planned, lambda: planned.comment(f"/approve {planned.plan}{HOSTILE}"))
    record = planned.record()
    assert record.said == f"/approve {planned.plan} {ON_ONE_LINE}"
    assert record.approved == "release-manager"
    assert len(record.approvals()) == 1
    assert {event.url for event in record.events if event.text.startswith(("words of", "approved"))} == {found.url}
    assert all(len(event.text) <= 140 and event.text.isprintable() for event in record.events)


@pytest.mark.parametrize(
    ("login", "text"),
    [
        ("dev-1", "/approve {plan}"),
        ("dev-2", "/approve {plan}"),
        ("stranger", "/approve {plan}"),
        ("release-manager", "/approve 000000000000"),
        ("release-manager", "approve"),
    ],
)
def test_other_comments_do_not(planned: Planned, login: str, text: str) -> None:
    with pytest.raises(TimeoutError):
        answering(planned, lambda: planned.comment(text.format(plan=planned.plan), login))


def test_an_edited_comment_does_not(planned: Planned) -> None:
    """Whoever may edit it may not be who wrote it."""

    def edited() -> None:
        path = planned.comment("looks well")
        planned.shop.clock.ahead = timedelta(minutes=2)
        manager = planned.shop.person("release-manager")
        assert manager.api("PATCH", path, json={"body": f"/approve {planned.plan}"}).status_code == 200

    with pytest.raises(TimeoutError):
        answering(planned, edited)


def test_an_answer_on_the_second_page_counts(planned: Planned) -> None:
    def many() -> None:
        for number in range(100):
            planned.comment(f"{number}", "stranger")
        planned.comment(f"/approve {planned.plan}")

    assert answering(planned, many).by == "release-manager"


def test_an_issue_whose_answer_is_lost_is_opened_once(planned: Planned) -> None:
    planned.shop.fault(kind="lose_answer", method="POST", path="/issues$")
    seen: list[int] = []

    def act() -> None:
        seen.append(len(planned.issues()))
        planned.comment(f"/approve {planned.plan}")

    answering(planned, act)
    assert seen == [1]


def test_in_vain_it_says_who_may_and_leaves_no_issue_open(planned: Planned) -> None:
    text = refused(planned)
    assert f"comments `/approve {planned.plan}` while it waits" in text
    assert planned.issues() == []


# what it is bound to ----------------------------------------------------------------------------------------------------


def test_a_re_run_of_all_jobs_asks_again(planned: Planned) -> None:
    planned.shop.reviewers("release-manager")
    planned.shop.review(planned.run)
    planned.ask()
    planned.again()
    assert "nobody has answered" in refused(planned)
    planned.shop.review(planned.run, "release-manager")
    planned.ask()
    assert planned.texts()[0].endswith(f"run {planned.run.id}, attempt 2")


def test_a_comment_on_the_issue_of_an_earlier_attempt_does_not_count(planned: Planned) -> None:
    answering(planned, lambda: planned.comment(f"/approve {planned.plan}"))
    planned.again()
    assert "nobody has answered" in refused(planned)


def test_a_re_run_of_failed_jobs_goes_on_under_the_approval(planned: Planned) -> None:
    planned.shop.reviewers("release-manager")
    planned.shop.review(planned.run)
    planned.ask()
    planned.begin()
    planned.run = planned.shop.again(planned.run)
    assert planned.begin() is not None


def test_another_run_has_no_approval(planned: Planned) -> None:
    planned.shop.reviewers("release-manager")
    planned.shop.review(planned.run)
    planned.ask()
    other: Run = planned.shop.start()
    planned.shop.end(planned.run)
    planned.run = other
    assert f"no plan {planned.plan} of this run" in refused(planned)
    with pytest.raises(RefusedError, match="no approval"):
        planned.begin()


def test_another_plan_has_no_approval(planned: Planned) -> None:
    planned.shop.reviewers("release-manager")
    planned.shop.review(planned.run)
    assert "no plan 000000000000" in refused(planned, plan="000000000000")
    planned.ask()
    planned.plan = "000000000000"
    with pytest.raises(RefusedError, match="another approval"):
        planned.begin()


def test_it_expires(planned: Planned) -> None:
    planned.shop.reviewers("release-manager")
    planned.shop.review(planned.run)
    planned.shop.clock.ahead = -timedelta(minutes=61)
    planned.ask()
    planned.shop.clock.ahead = timedelta()
    with pytest.raises(RefusedError, match=r"by release-manager is older than 60 minutes(.|\n)*re-run all jobs"):
        planned.begin()


def test_a_tag_that_moved_while_people_decided_stops_it(planned: Planned) -> None:
    planned.shop.reviewers("release-manager")
    planned.shop.review(planned.run)
    moved = planned.shop.commit()
    path = f"/repos/{REPOSITORY}/git/refs/tags/{VERSION}"
    body = {"sha": moved, "force": True}
    assert planned.shop.person("dev-1").api("PATCH", path, json=body).status_code == 200
    assert f"was moved from {planned.commit[:7]} to {moved[:7]}" in refused(planned)


# breaking the glass -----------------------------------------------------------------------------------------------------


def test_breaking_the_glass_is_recorded_and_lets_pass(shop: Shop) -> None:
    planned = Planned(shop, actor="on-call")
    found = planned.ask(break_glass="checkout is down for everybody")
    assert found is not None
    assert planned.texts()[0] == f"break-glass by on-call for plan {planned.plan}, run {planned.run.id}, attempt 1"
    assert "on-call goes without approval: checkout is down for everybody" in shop.log.getvalue()
    assert (planned.record().said, planned.record().approved) == (
        "checkout is down for everybody",
        "on-call (break-glass)",
    )
    assert planned.begin() is not None


def test_a_long_and_hostile_reason_is_recorded_as_text(shop: Shop) -> None:
    planned = Planned(shop, actor="on-call")
    reason = f"the shop is down {HOSTILE} " + "and it costs us dearly " * 10
    planned.ask(break_glass=reason)
    assert planned.record().said == f"the shop is down {ON_ONE_LINE} " + " ".join(["and it costs us dearly"] * 10)
    assert planned.record().approved == "on-call (break-glass)"


def test_words_without_end_are_cut_and_say_so(shop: Shop) -> None:
    planned = Planned(shop, actor="on-call")
    planned.ask(break_glass="well " * 1000)
    assert planned.record().said.endswith("well …")
    assert sum(text.startswith("words of on-call (") for text in planned.texts()) == 8


@pytest.mark.parametrize(
    ("actor", "reason", "why"),
    [("dev-1", "checkout is down for everybody", "not among"), ("on-call", "because", "at least three words")],
)
def test_not_everybody_may_nor_without_a_reason(shop: Shop, actor: str, reason: str, why: str) -> None:
    planned = Planned(shop, actor=actor)
    assert why in refused(planned, break_glass=reason)
    with pytest.raises(RefusedError, match="no approval"):
        planned.begin()


def test_who_re_runs_is_who_breaks_the_glass(shop: Shop) -> None:
    planned = Planned(shop, actor="on-call")
    planned.again(actor="dev-1")
    assert "dev-1 is not among" in refused(planned, break_glass="checkout is down for everybody")


def test_an_environment_without_a_rule_needs_none(shop: Shop) -> None:
    delivery = shop.delivery("staging", shop.start())
    assert approval.obtain(delivery, release="x", commit="x", plan="x", break_glass="", wait_seconds=0) is None
