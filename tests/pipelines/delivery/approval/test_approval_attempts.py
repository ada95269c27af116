"""What an approval is bound to: the attempt it was given for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipelines.delivery.review import UNKNOWN
from tests.pipelines.delivery.approval.door import PLAN, VERSION, Door, refused
from tests.shop import Shop

pytestmark = pytest.mark.world


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


def test_a_later_attempt_by_someone_who_may_not_is_not_carried_by_the_earlier_review(door: Door) -> None:
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
