"""Who lets a release pass: by review, by comment, by breaking the glass; and what an approval is bound to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.delivery.approval.gate import SEEN, Gate, Granted, authors_of, require_in_time, rule_of
from pipelines.delivery.approval.rules import Asked
from pipelines.delivery.review import UNKNOWN, Unreviewed
from pipelines.errors import InputError, ManifestError, RefusedError
from pipelines.faults import Policy
from pipelines.manifest import parse
from pipelines.manifest.model import Approval
from rehearsal.runner.model import Event
from tests.shop import REPOSITORY, SERVER, Shop
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world

VERSION = "v1.0.0"
PLAN = "0123456789abcdef" * 4
BREAK_GLASS = "production-break-glass"


class Door:
    """A run of the production workflow that has come to its approval."""

    def __init__(self, shop: Shop, actor: str = "dev-1") -> None:
        self.shop = shop
        self.run = shop.start(actor)
        self.rule = self._rule()
        self.last: Gate | None = None

    def _rule(self) -> Approval:
        found = parse(MANIFEST).environments["production"].approval
        assert found is not None
        return found

    def again(self, actor: str = "dev-1", *, keep: bool = True) -> None:
        """*Re-run all jobs*, up to the approval; what the gate saw was uploaded unless the attempt was killed."""
        if keep:
            self.upload()
        self.run = self.shop.again(self.run, actor)

    def upload(self) -> None:
        assert self.last is not None
        folder = self.shop.folder / f"seen-{self.run.id}-{self.run.attempt}"
        self.last.write_seen(folder)
        self.shop.upload(self.run, f"approval-{self.run.attempt}", {SEEN: (folder / SEEN).read_bytes()})

    def gate(self, act: Callable[[], Any] | None = None) -> Gate:
        """The gate of the current attempt. `act` is done once when it first waits; waiting on in vain ends it."""
        acted: list[Any] = []

        def sleep(seconds: float) -> None:
            assert seconds == 0
            if act is None or acted:
                raise TimeoutError("nobody answered in a way that counts")
            acted.append(act())

        context = self.shop.context("production", self.run)
        assert context.github is not None
        self.last = Gate(
            github=context.github,
            rule=self.rule,
            runtime=context.runtime,
            environment="production",
            now=self.shop.clock,
            sleep=sleep,
        )
        return self.last

    def ask(
        self,
        act: Callable[[], Any] | None = None,
        *,
        break_glass: str = "",
        authors: tuple[str, ...] = ("dev-2",),
        plan: str = PLAN,
        wait: float = 60,
    ) -> Granted:
        """As the action asks."""
        gate = self.gate(act)
        asked = Asked(
            release=VERSION, plan=plan, since=gate.since(), starters=gate.starters(), authors=frozenset(authors)
        )
        # GitHub's clock and its seconds: what is waited for has to be after the beginning.
        scale = gate.github.policy.scale
        gate.github.policy = Policy(scale=1.0) if act is not None else Policy(scale=scale)
        gate.sleep = (lambda pause, inner=gate.sleep: inner(0)) if act is not None else gate.sleep
        return gate.obtain(asked, reason=break_glass, wait_seconds=wait)

    def issues(self, state: str = "open") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.shop.person("dev-1").get(f"/repos/{REPOSITORY}/issues?state={state}")
        return found

    def comment(self, text: str, login: str = "release-manager") -> str:
        """A comment on the newest open issue; its path."""
        issue = self.issues()[0]["number"]
        made = self.shop.person(login).post(f"/repos/{REPOSITORY}/issues/{issue}/comments", {"body": text})
        return f"/repos/{REPOSITORY}/issues/comments/{made['id']}"


@pytest.fixture
def door(shop: Shop) -> Door:
    return Door(shop)


def refused(door: Door, **how: Any) -> str:
    with pytest.raises(RefusedError) as error:
        door.ask(**how)
    assert error.value.next_step
    return str(error.value)


# by review --------------------------------------------------------------------------------------------------------------


def test_a_review_approves(door: Door) -> None:
    door.shop.reviewers("release-manager")
    door.shop.review(door.run)
    found = door.ask()
    assert (found.by, found.text, found.broke_glass) == ("release-manager", "seen", False)
    assert found.url == f"{SERVER}/{REPOSITORY}/actions/runs/{door.run.id}"
    assert timedelta(minutes=59) < found.until - datetime.now(UTC) <= timedelta(minutes=60)
    assert door.issues() == []


def test_a_review_that_shows_late_is_waited_for(door: Door) -> None:
    door.shop.reviewers("release-manager")
    gate = door.gate()
    gate.github.policy = Policy(scale=0.02)
    reviewed = threading.Event()

    def sleep(seconds: float) -> None:
        if not reviewed.is_set():
            door.shop.review(door.run)
            reviewed.set()

    gate.sleep = sleep
    asked = Asked(release=VERSION, plan=PLAN, since=gate.since(), starters=gate.starters())
    assert gate.obtain(asked, reason="", wait_seconds=3000).by == "release-manager"


def test_nobody_answered(door: Door) -> None:
    door.shop.reviewers("release-manager")
    text = refused(door)
    assert "nobody has answered" in text
    assert "Review deployments" in text


@pytest.mark.parametrize(
    ("login", "why"), [("dev-1", "not among those who may approve"), ("release-manager", "started this release")]
)
def test_who_may_not_is_told_at_once(shop: Shop, login: str, why: str) -> None:
    """GitHub itself lets whoever started it review; no other review can come once the job has started."""
    door = Door(shop, actor="release-manager")
    shop.reviewers("dev-1", "release-manager")
    shop.review(door.run, login)
    assert why in refused(door, wait=3000)


def test_who_wrote_what_nobody_reviewed_may_not(door: Door) -> None:
    door.shop.reviewers("release-manager")
    door.shop.review(door.run)
    assert "wrote commits that nobody else has reviewed" in refused(door, authors=("dev-2", "release-manager"))


def test_the_starter_of_any_attempt_is_out(shop: Shop) -> None:
    """`triggering_actor` of a re-run is another than the run's actor."""
    door = Door(shop, actor="dev-1")
    door.gate()
    door.again(actor="release-manager")
    door.gate()
    door.again(actor="dev-2")
    assert door.gate().starters() == {"dev-1", "dev-2", "release-manager"}
    shop.reviewers("release-manager", "on-call")
    shop.review(door.run, "release-manager")
    assert "release-manager: started this release" in refused(door)


def test_the_starter_of_the_fifty_first_attempt_is_out(shop: Shop) -> None:
    """GitHub lets a run be re-run fifty times."""
    door = Door(shop)
    for _ in range(49):
        door.again(keep=False)
    door.again(actor="release-manager", keep=False)
    assert door.run.attempt == 51
    assert "release-manager" in door.gate().starters()


@pytest.mark.parametrize("bot", ["github-actions[bot]", "deploy-app[bot]"])
def test_a_bot_starts_nothing_that_needs_two(shop: Shop, bot: str) -> None:
    shop.do(shop.github.seed.app, bot.removesuffix("[bot]"), REPOSITORY, permissions={})
    door = Door(shop, actor=bot)
    text = refused(door)
    assert f"{bot} started this" in text
    assert "dispatch the workflow yourself" in text


def test_a_bot_that_re_ran_it_once_spoils_the_run(shop: Shop) -> None:
    shop.do(shop.github.seed.app, "helper", REPOSITORY, permissions={})
    door = Door(shop)
    door.again(actor="helper[bot]", keep=False)
    door.again(actor="dev-1", keep=False)
    assert "helper[bot] started this" in refused(door)


def test_a_rejection_ends_it(door: Door) -> None:
    door.shop.reviewers("release-manager")
    door.shop.review(door.run, state="rejected")
    assert "release-manager rejected it: seen" in refused(door)


# by comment -------------------------------------------------------------------------------------------------------------


def test_a_comment_approves_where_there_are_no_reviewers(door: Door) -> None:
    found = door.ask(lambda: door.comment(f"/approve {PLAN}"))
    assert found.by == "release-manager"
    assert "/issues/" in found.url
    assert door.issues() == []
    closed = door.issues("closed")[0]
    assert closed["title"] == (f"Approve {VERSION} for production (plan {PLAN[:12]}, run {door.run.id}, attempt 1)")
    assert f"\n/approve {PLAN}\n" in closed["body"]
    assert "not dev-1, not dev-2" in closed["body"]
    assert "release-manager, on-call" in closed["body"]


@pytest.mark.parametrize("plan", ["free", "team"])
def test_where_a_private_repository_has_no_reviewers_people_approve_by_comment(door: Door, plan: str) -> None:
    """On Free there is no environment, whatever it was before the repository became private; on Team there is none that asks."""
    if plan == "free":
        door.shop.reviewers("release-manager")
    repository = door.shop.github.instance.repository(REPOSITORY)
    repository.private, repository.settings.plan = True, plan
    found = door.ask(lambda: door.comment(f"/approve {PLAN}"))
    assert (found.by, "/issues/" in found.url) == ("release-manager", True)


HOSTILE = "\r\n::error::gotcha\n@everybody <img src=x> `$(touch x)`\n\u202eapproved by stranger"


@pytest.mark.parametrize(
    ("login", "text"),
    [
        ("dev-1", "/approve {plan}"),
        ("dev-2", "/approve {plan}"),
        ("stranger", "/approve {plan}"),
        ("release-manager", "/approve " + "0" * 64),
        ("release-manager", "/approve {plan:.12}"),
        ("release-manager", "approve"),
        ("release-manager", "I would never write\n\n/approve {plan}"),
        ("release-manager", "/approve {plan}" + HOSTILE),
        ("release-manager", "> /approve {plan}\n\nwhat is this?"),
    ],
)
def test_other_comments_do_not(door: Door, login: str, text: str) -> None:
    with pytest.raises(TimeoutError):
        door.ask(lambda: door.comment(text.format(plan=PLAN), login))


def test_an_edited_comment_does_not(door: Door) -> None:
    """Whoever may edit it may not be who wrote it."""

    def edited() -> None:
        path = door.comment("looks well")
        door.shop.clock.ahead = timedelta(minutes=2)
        other = door.shop.person("dev-1")
        assert other.api("PATCH", path, json={"body": f"/approve {PLAN}"}).status_code == 200
        door.shop.clock.ahead = timedelta()

    with pytest.raises(TimeoutError):
        door.ask(edited)


def test_an_answer_on_the_second_page_counts(door: Door) -> None:
    def many() -> None:
        for number in range(100):
            door.comment(f"{number}", "stranger")
        door.comment(f"/approve {PLAN}")

    assert door.ask(many).by == "release-manager"


def test_strangers_comments_cost_no_call(door: Door) -> None:
    """A repository's jobs have a thousand requests an hour together; anybody may comment."""
    asked: list[str] = []

    def strangers() -> None:
        for number in range(5):
            door.comment(f"/approve {PLAN}" if number % 2 else "looks well", "stranger")
        door.comment("I look at it later")
        door.comment(f"/approve {PLAN}")
        gate = door.last
        assert gate is not None
        role = gate.github.role
        gate.github.role = lambda login: asked.append(login) or role(login)  # type: ignore[method-assign, func-returns-value]

    assert door.ask(strangers).by == "release-manager"
    assert asked == ["release-manager"]


def test_an_issue_whose_answer_is_lost_is_opened_once(door: Door) -> None:
    door.shop.fault(kind="lose_answer", method="POST", path="/issues$")
    seen: list[int] = []

    def act() -> None:
        seen.append(len(door.issues()))
        door.comment(f"/approve {PLAN}")

    gate = door.gate()
    gate.github.policy = Policy(scale=0.0)
    door.ask(act)
    assert seen == [1]


def test_an_issue_of_that_title_that_a_person_made_is_not_ours(door: Door) -> None:
    """Its author may edit it, and may have had others comment on something else."""
    title = f"Approve {VERSION} for production (plan {PLAN[:12]}, run {door.run.id}, attempt 1)"
    made = door.shop.person("dev-1").post(f"/repos/{REPOSITORY}/issues", {"title": title, "body": "please"})
    path = f"/repos/{REPOSITORY}/issues/{made['number']}/comments"
    seen: list[int] = []

    def on_theirs() -> None:
        seen.extend(each["number"] for each in door.issues())
        door.shop.person("release-manager").post(path, {"body": f"/approve {PLAN}"})

    with pytest.raises(TimeoutError):
        door.ask(on_theirs)
    assert len(seen) == 2
    assert made["number"] in seen


def test_in_vain_it_says_who_may_and_leaves_no_issue_open(door: Door) -> None:
    opened: list[int] = []

    def hours() -> None:
        opened.append(len(door.issues()))
        door.shop.clock.ahead = timedelta(hours=3)

    text = refused(door, act=hours, wait=7200)
    assert f"comments `/approve {PLAN}` while it waits" in text
    assert (opened, door.issues()) == ([1], [])


def test_an_author_without_an_account_asks_for_a_second_person(door: Door) -> None:
    """The reviewer may be that author; a second person comments."""
    door.shop.reviewers("release-manager")
    door.shop.review(door.run)
    found = door.ask(lambda: door.comment(f"/approve {PLAN}", "on-call"), authors=(UNKNOWN,))
    assert set(found.by.split(", ")) == {"release-manager", "on-call"}
    assert "2 people are needed" in door.issues("closed")[0]["body"]


def test_a_second_word_of_the_same_person_is_no_second_person(door: Door) -> None:
    door.shop.reviewers("release-manager")
    door.shop.review(door.run)
    with pytest.raises(TimeoutError):
        door.ask(lambda: door.comment(f"/approve {PLAN}"), authors=(UNKNOWN,))


# what somebody may ------------------------------------------------------------------------------------------------------


def test_maintain_is_told_from_write(door: Door) -> None:
    """GitHub's `permission` calls both write."""
    door.rule = replace(door.rule, by=(), permission="maintain")
    door.shop.do(door.shop.github.seed.role, REPOSITORY, "dev-3", "write")
    door.shop.reviewers("dev-3", "release-manager")
    door.shop.review(door.run, "dev-3")
    assert "has the role 'write' on the repository, 'maintain' is needed" in refused(door)
    other = Door(door.shop)
    other.rule = door.rule
    door.shop.review(other.run, "release-manager")
    assert other.ask().by == "release-manager"


def test_somebody_github_does_not_know_any_more_may_nothing(door: Door) -> None:
    """The permission endpoint answers 404."""
    door.rule = replace(door.rule, by=("ghost", "release-manager"))
    assert door.gate().github.role("ghost") == "none"
    door.shop.do(door.shop.github.seed.user, "ghost")
    door.shop.reviewers("ghost")
    door.shop.review(door.run, "ghost")
    del door.shop.github.instance.database.users["ghost"]
    assert "has the role 'none' on the repository" in refused(door)


def test_who_lost_the_role_since_may_not(door: Door) -> None:
    door.shop.reviewers("release-manager")
    door.shop.review(door.run)
    door.shop.do(door.shop.github.seed.role, REPOSITORY, "release-manager", "read")
    assert "has the role 'read' on the repository, 'write' is needed" in refused(door)


# attempts ---------------------------------------------------------------------------------------------------------------


def test_a_review_of_an_earlier_attempt_is_used_up(door: Door) -> None:
    door.shop.reviewers("release-manager", "on-call")
    door.shop.review(door.run)
    door.ask()
    door.again()
    assert "nobody has answered" in refused(door)
    door.shop.review(door.run, "release-manager")
    assert door.ask().by == "release-manager"
    door.again()
    door.shop.review(door.run, "on-call")
    assert door.ask().by == "on-call"
    assert door.last is not None
    assert door.last.seen == ["release-manager", "release-manager", "on-call"]


def test_a_later_attempt_by_somebody_who_may_not_is_not_carried_by_the_earlier_review(door: Door) -> None:
    """GitHub lets the reviewers of the environment start the job; whom the policy names is ours to ask."""
    door.shop.reviewers("release-manager", "dev-1")
    door.shop.review(door.run)
    door.ask()
    door.again()
    door.shop.review(door.run, "dev-1")
    assert "dev-1: is not among those who may approve" in refused(door)


@pytest.mark.parametrize("starter", ["dev-1", "on-call"])
def test_where_the_earlier_attempt_left_no_list_each_review_must_count(shop: Shop, starter: str) -> None:
    """Nobody can tell which of two reviews is the new one: of a stranger, or of a named person who started it."""
    door = Door(shop, actor=starter)
    shop.reviewers("release-manager", starter)
    shop.review(door.run, "release-manager")
    door.again(starter, keep=False)
    shop.review(door.run, starter)
    text = refused(door)
    assert "started this release" in text or "is not among those who may approve" in text


def test_where_the_earlier_attempt_left_no_list_two_that_count_are_one(shop: Shop) -> None:
    door = Door(shop)
    shop.reviewers("release-manager", "on-call")
    shop.review(door.run, "release-manager")
    door.again(keep=False)
    shop.review(door.run, "on-call")
    assert door.ask().by in ("release-manager", "on-call")


def test_whichever_of_them_github_lists_first(shop: Shop) -> None:
    door = Door(shop)
    shop.reviewers("release-manager", "dev-1")
    shop.review(door.run, "dev-1")
    door.again(keep=False)
    shop.review(door.run, "release-manager")
    assert "dev-1: is not among" in refused(door)


def test_nor_do_they_stand_for_one_pair_of_two(shop: Shop) -> None:
    door = Door(shop)
    shop.reviewers("release-manager", "on-call")
    shop.review(door.run, "on-call")
    door.again(keep=False)
    shop.review(door.run, "release-manager")

    def second() -> None:
        shop.clock.ahead = timedelta(minutes=1)
        if door.issues():
            door.comment(f"/approve {PLAN}", "on-call")

    assert f"{VERSION} is not approved" in refused(door, act=second, authors=(UNKNOWN,), wait=3600)


def test_reviews_of_two_attempts_are_not_two_pairs_of_eyes(shop: Shop) -> None:
    door = Door(shop)
    shop.reviewers("release-manager", "on-call")
    shop.review(door.run, "release-manager")
    door.again(keep=False)
    shop.review(door.run, "on-call")
    assert f"{VERSION} is not approved" in refused(door, authors=(UNKNOWN,))


def test_where_the_earlier_attempt_left_no_list_a_review_that_shows_late_is_waited_for(shop: Shop) -> None:
    """The list may show the earlier review alone for a while."""
    door = Door(shop)
    shop.reviewers("release-manager", "dev-1")
    shop.review(door.run, "release-manager")
    door.again(keep=False)

    def late() -> None:
        shop.review(door.run, "dev-1")
        shop.clock.ahead = timedelta(minutes=1)

    assert "dev-1: is not among" in refused(door, act=late)


def test_a_list_of_an_earlier_attempt_that_cannot_be_read_stops_it(shop: Shop) -> None:
    door = Door(shop)
    shop.reviewers("release-manager")
    shop.review(door.run)
    shop.upload(door.run, "approval-1", {"other.txt": b"x"})
    door.again(keep=False)
    with pytest.raises(KeyError):
        door.ask()


def test_a_comment_on_the_issue_of_an_earlier_attempt_does_not_count(door: Door) -> None:
    door.ask(lambda: door.comment(f"/approve {PLAN}"))
    door.again()
    assert "nobody has answered" in refused(door, wait=0)


def test_a_review_of_another_run_does_not_count(door: Door) -> None:
    door.shop.reviewers("release-manager")
    other = door.shop.start()
    door.shop.review(other)
    assert "nobody has answered" in refused(door)


# how long it counts -----------------------------------------------------------------------------------------------------


def test_it_expires() -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    require_in_time("", now)
    require_in_time("2026-01-01T12:00:00+00:00", now)
    with pytest.raises(RefusedError, match=r"counted until 2026-01-01T11:59:59(.|\n)*re-run all jobs"):
        require_in_time("2026-01-01T11:59:59+00:00", now)


def test_a_comment_ages_from_when_it_was_made(door: Door) -> None:
    commented: list[datetime] = []

    def late() -> None:
        commented.append(door.shop.clock())
        door.comment(f"/approve {PLAN}")
        door.shop.clock.ahead = timedelta(minutes=50)

    found = door.ask(late, wait=7200)
    assert abs(found.until - commented[0] - timedelta(minutes=60)) < timedelta(seconds=30)


def test_a_comment_that_is_found_too_late_does_not_count(door: Door) -> None:
    def much_later() -> None:
        door.comment(f"/approve {PLAN}")
        door.shop.clock.ahead = timedelta(minutes=61)

    with pytest.raises(TimeoutError):
        door.ask(much_later, wait=7200)


# breaking the glass -----------------------------------------------------------------------------------------------------


def test_somebody_on_call_breaks_the_glass_by_reviewing_even_who_started_it(shop: Shop) -> None:
    door = Door(shop, actor="on-call")
    shop.reviewers("on-call", environment=BREAK_GLASS)
    shop.review(door.run, "on-call", environment=BREAK_GLASS)
    found = door.ask(break_glass="checkout is down for everybody", authors=(UNKNOWN, "on-call"))
    assert (found.by, found.broke_glass) == ("on-call", True)


def test_an_administrators_bypass_is_no_review(door: Door) -> None:
    """GitHub lists it among the reviews, by somebody who might have approved."""
    door.shop.reviewers("release-manager")
    door.shop.bypass(door.run, "release-manager")
    assert "release-manager: bypassed the environment's protection, which is no review" in refused(door)


def test_a_review_after_a_bypass_is_waited_for(door: Door) -> None:
    """A run of which one attempt was bypassed can still be approved in the next, although the review shows late."""
    door.shop.reviewers("release-manager")
    door.shop.bypass(door.run, "release-manager")
    gate = door.gate()
    gate.github.policy = Policy(scale=0.02)
    gate.sleep = lambda seconds: door.shop.review(door.run)
    asked = Asked(release=VERSION, plan=PLAN, since=gate.since(), starters=gate.starters())
    found = gate.obtain(asked, reason="", wait_seconds=3000)
    assert (found.by, found.text) == ("release-manager", "seen")


def test_that_the_job_started_is_not_enough(shop: Shop) -> None:
    """The environment has reviewers, or it has none: nobody whom the policy names has said anything."""
    door = Door(shop, actor="on-call")
    shop.reviewers("on-call", environment=BREAK_GLASS)
    assert "nobody has answered" in refused(door, break_glass="checkout is down for everybody")
    shop.reviewers(environment=BREAK_GLASS)
    other = Door(shop, actor="on-call")
    assert "nobody has answered" in refused(other, break_glass="checkout is down for everybody", wait=0)


@pytest.mark.parametrize("login", ["release-manager", "dev-1"])
def test_others_do_not_break_the_glass(shop: Shop, login: str) -> None:
    door = Door(shop)
    shop.reviewers(login, environment=BREAK_GLASS)
    shop.review(door.run, login, environment=BREAK_GLASS)
    assert f"{login}: is not among" in refused(door, break_glass="checkout is down for everybody")


def test_a_review_of_the_approval_breaks_no_glass_nor_the_other_way_round(shop: Shop) -> None:
    door = Door(shop)
    for environment in (BREAK_GLASS, "production-approval"):
        shop.reviewers("on-call", environment=environment)
    shop.review(door.run, "on-call")
    assert "nobody has answered" in refused(door, break_glass="checkout is down for everybody")
    other = Door(shop)
    shop.review(other.run, "on-call", environment=BREAK_GLASS)
    assert "nobody has answered" in refused(other)


def test_by_comment_the_glass_is_broken_by_somebody_on_call_alone(shop: Shop) -> None:
    """Where the environment can have no reviewers."""
    door = Door(shop, actor="on-call")
    with pytest.raises(TimeoutError):
        door.ask(lambda: door.comment(f"/approve {PLAN}", "release-manager"), break_glass="it is down")
    assert "without approval" in door.issues()[0]["body"]
    other = Door(shop, actor="on-call")
    found = other.ask(lambda: other.comment(f"/approve {PLAN}", "on-call"), break_glass="it is down")
    assert (found.by, found.broke_glass) == ("on-call", True)


def test_without_anybody_on_call_no_glass_is_broken(shop: Shop) -> None:
    door = Door(shop, actor="on-call")
    door.rule = replace(door.rule, break_glass=())
    assert "nobody may go without approval" in refused(door, break_glass="checkout is down for everybody")


def test_the_reviewer_of_the_glass_may_refuse(shop: Shop) -> None:
    door = Door(shop)
    shop.reviewers("on-call", environment=BREAK_GLASS)
    shop.review(door.run, "on-call", "rejected", environment=BREAK_GLASS)
    assert "on-call rejected it" in refused(door, break_glass="checkout is down for everybody")


# whose rule -------------------------------------------------------------------------------------------------------------

RULE_TEXT = MANIFEST[MANIFEST.index("    approval:\n") : MANIFEST.index("      expires_minutes")]
APPROVAL = MANIFEST[MANIFEST.index("    approval:\n") : MANIFEST.index("\n    backend:", MANIFEST.index("approval:"))]


def at_main(shop: Shop, text: str) -> Approval | None:
    """The rule of production when main's head says this, for a run that began with the manifest of the shop."""
    began = shop.context("production").manifest
    shop.commit("chore: who may", files={"shipmate.yml": text})
    return rule_of(shop.client(shop.person("on-call").token), began, "production")


def test_the_rule_is_that_of_mains_head_now(shop: Shop) -> None:
    found = at_main(shop, MANIFEST.replace("by: [release-manager, on-call]", "by: [dev-2]"))
    assert found is not None
    assert found.by == ("dev-2",)


def test_a_rule_that_was_removed_while_the_run_was_under_way_opens_no_gate(shop: Shop) -> None:
    for text in (
        MANIFEST.replace(APPROVAL, ""),
        MANIFEST.replace(APPROVAL, "    unapproved: we trust each other"),
    ):
        assert text != MANIFEST
        with pytest.raises((RefusedError, ManifestError)):
            at_main(shop, text)


def test_it_says_that_the_rule_is_gone(shop: Shop) -> None:
    with pytest.raises(RefusedError, match=r"says nothing any more about who approves releases to production"):
        at_main(shop, MANIFEST.replace(APPROVAL, "    unapproved: we trust each other"))


def test_an_environment_that_is_gone_from_main_opens_no_gate(shop: Shop) -> None:
    with pytest.raises(RefusedError, match="says nothing any more"):
        at_main(shop, MANIFEST.replace("  production:\n", "  elsewhere:\n"))


def test_a_head_that_cannot_be_read_opens_no_gate(shop: Shop) -> None:
    with pytest.raises(ManifestError):
        at_main(shop, "platform: [")


def test_a_rule_that_came_since_is_asked(shop: Shop) -> None:
    began = parse(MANIFEST.replace(APPROVAL, "    unapproved: we trust each other"), Path("shipmate.yml"))
    assert began.environments["production"].approval is None
    found = rule_of(shop.client(shop.person("on-call").token), began, "production")
    assert found is not None
    assert found.by == ("release-manager", "on-call")


def test_where_nobody_has_to_approve_the_policy_says_so_in_words(shop: Shop) -> None:
    text = MANIFEST.replace(APPROVAL, "    unapproved: we trust each other")
    shop.commit("chore: nobody", files={"shipmate.yml": text})
    began = shop.context("production").manifest
    assert rule_of(shop.client(shop.person("on-call").token), began, "production") is None


# around it --------------------------------------------------------------------------------------------------------------


def test_outside_a_workflow_there_is_none(shop: Shop) -> None:
    context = shop.context("production")
    rule = context.settings.approval
    assert context.github is not None
    assert rule is not None
    gate = Gate(github=context.github, rule=rule, runtime=context.runtime, environment="production")
    with pytest.raises(InputError, match="GITHUB_RUN_ID is not set"):
        gate.starters()


def test_what_it_saw_is_written_even_when_nobody_approved(door: Door, tmp_path: Path) -> None:
    door.shop.reviewers("dev-2", "release-manager")
    door.shop.review(door.run, "dev-2")
    refused(door)
    assert door.last is not None
    door.last.write_seen(tmp_path / "a" / "b")
    assert json.loads((tmp_path / "a" / "b" / SEEN).read_text()) == {"attempt": 1, "seen": ["dev-2"]}


def test_authors_are_everybody_of_what_nobody_reviewed() -> None:
    commits = [Unreviewed(commit="a", authors=("dev-1", UNKNOWN)), Unreviewed(commit="b", authors=("dev-2", "dev-1"))]
    assert authors_of(commits) == {"dev-1", "dev-2", UNKNOWN}
    assert authors_of([]) == frozenset()


def test_the_event_of_the_run_says_nothing_about_who_started_it(shop: Shop) -> None:
    """GitHub's own record of the attempts is read, not what the job's environment says."""
    door = Door(shop, actor="release-manager")
    gate = door.gate()
    gate.runtime.environ = {**gate.runtime.environ, "GITHUB_ACTOR": "dev-9", "GITHUB_TRIGGERING_ACTOR": "dev-9"}
    assert gate.starters() == {"release-manager"}
    assert isinstance(door.run.event, Event)
