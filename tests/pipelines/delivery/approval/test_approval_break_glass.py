"""Who lets a release go without approval."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.delivery.approval.rules import Asked
from pipelines.delivery.review import UNKNOWN
from pipelines.faults import Policy
from tests.pipelines.delivery.approval.door import BREAK_GLASS, PLAN, VERSION, Door, refused
from tests.shop import Shop

pytestmark = pytest.mark.world


# breaking the glass -----------------------------------------------------------------------------------------------------


def test_someone_on_call_breaks_the_glass_by_reviewing_even_who_started_it(shop: Shop) -> None:
    door = Door(shop, actor="on-call")
    shop.reviewers("on-call", environment=BREAK_GLASS)
    shop.review(door.run, "on-call", environment=BREAK_GLASS)
    found = door.ask(break_glass="checkout is down for everybody", authors=(UNKNOWN, "on-call"))
    assert (found.by, found.broke_glass) == ("on-call", True)


def test_an_administrators_bypass_is_no_review(door: Door) -> None:
    """GitHub lists it among the reviews, by someone who might have approved."""
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
    """The environment has reviewers, or it has none: nobody whom the policy names has answered."""
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


def test_by_comment_the_glass_is_broken_by_someone_on_call_alone(shop: Shop) -> None:
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
