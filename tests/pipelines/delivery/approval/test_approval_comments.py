"""Who lets a release pass by a comment, where GitHub has no reviewers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipelines.delivery.review import UNKNOWN
from pipelines.faults import Policy
from tests.pipelines.delivery.approval.door import PLAN, VERSION, Door, refused
from tests.shop import REPOSITORY

pytestmark = pytest.mark.world


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
    """Anyone who may edit it may not be who wrote it."""

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
