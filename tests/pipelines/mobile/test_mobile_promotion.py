"""What is asked for becomes a plan of builds; the plan is carried out in each store, and one that refuses hides nothing of the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import CheckFailed, InputError, RefusedError
from pipelines.mobile import promoted, promotion_plan, status
from pipelines.mobile.promoted import Candidate
from pipelines.mobile.promotion import Promotions, require_same
from pipelines.mobile.promotion_plan import Plan, Request, Wanted, require_sense, version_of
from tests.pipelines.mobile.stores import BAD, PACKAGE, UNKNOWN, AppleWorld, PlayWorld, apple_world, play_world

world = pytest.mark.world


@dataclass
class Stores:
    """Both stores, each with 1.0.0 on sale and 1.0.1 with its testers."""

    play: PlayWorld
    apple: AppleWorld

    def promotions(self) -> Promotions:
        return Promotions(android=self.play.promotion(), ios=self.apple.promotion())

    def plan(self, **asked: Any) -> Plan:
        return self.promotions().plan(Request(**{"to": "production", **asked}))

    def promote(self, **asked: Any) -> list[promoted.Outcome]:
        return self.promotions().carry_out(self.plan(**asked))


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    with play_world(tmp_path) as play, apple_world(tmp_path) as apple:
        apple.publish("1.0.0")
        play.deliver("1.0.1", 2)
        apple.deliver("1.0.1", 7)
        yield Stores(play, apple)


@world
def test_a_plan_names_builds_and_its_digest_binds_it(stores: Stores) -> None:
    plan = stores.plan(version="mobile-v1.0.1", percent=5, phased=True)
    assert [each.says for each in plan.wanted] == [
        "android: 1.0.1 (2) to production, 5 %, then by scheduled runs 20 %, 100 %",
        "ios: 1.0.1 (7) to production, in phases of Apple's",
    ]
    begun = stores.plan(platform="android").wanted[0].says
    assert begun.endswith("to production, by steps of 5 %, 20 %, 100 %, scheduled runs take those after the first")
    assert promotion_plan.read(plan.document, plan.digest) == plan
    assert plan.release == "1.0.1"
    with pytest.raises(RefusedError, match="is not the one that was approved"):
        promotion_plan.read(plan.document.replace(b"1.0.1", b"1.0.2"), plan.digest)
    require_same(stores.promotions(), plan)
    stores.apple.deliver("1.0.1", 8)
    with pytest.raises(RefusedError, match=r"ios has the build 8 of 1\.0\.1 now, not 7"):
        require_same(stores.promotions(), plan)


@world
def test_one_store_that_refuses_hides_nothing_of_the_other(stores: Stores) -> None:
    stores.apple.apple.account.agreements_missing = True
    plan = Plan(
        wanted=(
            Wanted(platform="android", to="production", version="1.0.1", number=2, percent=5),
            Wanted(platform="ios", to="production", version="1.0.1", number=7, phased=True),
        )
    )
    android, ios = stores.promotions().carry_out(plan)
    assert android.promoted is not None
    assert android.promoted.changed
    assert ios.problem is not None
    assert promoted.problem_of([android, ios]) is ios.problem
    assert [each["problem"] for each in promoted.as_data([android, ios])] == ["", ios.problem.what]


@world
def test_both_are_halted_and_gone_on_with(stores: Stores) -> None:
    stores.promote(percent=5, phased=True)
    stores.play.review()
    stores.apple.review()
    promotions = stores.promotions()
    assert promoted.problem_of(promotions.halt()) is None
    assert [line for line in promoted.lines(promotions.halt()) if "already" not in line] == []
    assert promoted.problem_of(promotions.resume("android")) is None
    stores.apple.health = BAD
    promotions.resume("ios")
    found = promotions.watch()
    problem = promoted.problem_of(found)
    assert isinstance(problem, CheckFailed)
    assert problem.what == f"1.0.1 (7) does badly on ios and was halted: {BAD.says}"
    assert f"  halted: {BAD.says}" in list(promoted.lines(found))


@world
def test_a_roll_out_goes_on_by_the_manifests_steps(stores: Stores) -> None:
    assert stores.promotions().continued().wanted == ()
    stores.promote(platform="android")
    stores.play.review()
    [step] = stores.promotions().continued().wanted
    assert (step.percent, step.then) == (20, (100,))
    stores.play.health = UNKNOWN
    held = stores.promotions().carry_out(stores.promotions().continued())
    problem = promoted.problem_of(held)
    assert isinstance(problem, RefusedError)
    assert problem.what == f"1.0.1 (2) is held on android: {UNKNOWN.says}"


@world
def test_versions_that_differ_or_are_missing_must_be_named(stores: Stores) -> None:
    stores.play.deliver("1.0.2", 3)
    with pytest.raises(InputError, match=r"testers have different versions: android 1\.0\.2 \(3\), ios 1\.0\.1 \(7\)"):
        stores.plan()
    with pytest.raises(InputError, match=r"no build of 1\.0\.2") as caught:
        stores.plan(version="1.0.2")
    assert caught.value.next_step.startswith("--platform android promotes it there alone")
    assert Promotions(android=stores.play.promotion()).plan(Request(to="beta")).wanted[0].number == 3
    with pytest.raises(InputError, match="the app is not on ios"):
        Promotions(android=stores.play.promotion()).plan(Request(to="beta", platform="ios"))


@pytest.mark.parametrize(
    ("asked", "platforms", "message"),
    [
        ({"percent": 0}, ("android",), "0 % is no share"),
        ({"percent": 101}, ("android",), "101 % is no share"),
        ({"phased": True}, ("android",), "only the App Store"),
        ({"phased": True, "to": "beta"}, ("android", "ios"), "only the App Store"),
        ({"phased": True, "percent": 100, "platform": "ios"}, ("ios",), "phases have Apple's own shares"),
        ({"percent": 20, "platform": "ios"}, ("ios",), "Apple fixes the shares"),
        ({"percent": 100, "platform": "ios", "to": "beta"}, ("ios",), "testers get all of it"),
        ({"percent": 20}, ("android", "ios"), "a share of users is Google Play's alone"),
    ],
)
def test_what_cannot_be_asked_for(asked: dict[str, Any], platforms: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        require_sense(Request(**{"to": "production", **asked}), platforms)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("mobile-v1.0.1", "1.0.1"),
        ("v1.0.1", "1.0.1"),
        ("1.0.1", "1.0.1"),
        ("", ""),
        ("mobile-v1.0.1-rc.1", "1.0.1-rc.1"),
    ],
)
def test_a_tag_is_as_good_as_its_version(text: str, version: str) -> None:
    assert version_of(text) == version


# status -----------------------------------------------------------------------------------------------------------------


def table(stores: Stores) -> list[tuple[str, ...]]:
    return [tuple(str(getattr(row, name)) for name in status.COLUMNS) for row in status.status(stores.promotions())]


@world
def test_status_shows_every_track_of_both_stores(stores: Stores) -> None:
    stores.promote(percent=5, phased=True)
    stores.play.review()
    stores.apple.review()
    stores.promotions().halt("android")
    stores.apple.health = UNKNOWN
    assert table(stores) == [
        ("android", "internal", "1.0.1", "2", "100 %", "released", "", "99.90 %"),
        ("android", "beta", "", "", "", "nothing", "", ""),
        ("android", "production", "1.0.1", "2", "5 %", "halted", "passed", "99.90 %"),
        ("android", "production", "0.9.0", "1", "100 %", "released", "passed", "99.90 %"),
        ("ios", "internal", "1.0.1", "7", "", "in beta testing", "", "unknown"),
        ("ios", "external", "1.0.1", "7", "", "ready for beta submission", "", "unknown"),
        ("ios", "production", "1.0.1", "7", "1 %", "on sale, day 1 of 7", "passed", "unknown"),
    ]


@world
def test_status_claims_no_share_of_what_is_being_replaced(stores: Stores) -> None:
    stores.promote(platform="android", percent=20)
    stores.play.review()
    stores.play.deliver("1.0.2", 3)
    stores.promote(platform="android", percent=5)
    rows = [
        row for row in status.status(stores.promotions()) if row.track == "production" and row.platform == "android"
    ]
    assert [(row.version, row.percent, row.state, row.review) for row in rows] == [
        ("1.0.2", "5 %", "rolling out", "in review"),
        ("1.0.1", "unknown", "being replaced", "passed"),
        ("0.9.0", "100 %", "released", "passed"),
    ]
    assert "takes the place" in rows[1].why


@world
def test_status_of_a_store_that_cannot_be_read_is_unknown_with_the_reason(stores: Stores) -> None:
    stores.play.play.console.permissions(PACKAGE, "anyone@world.invalid", [])
    stores.apple.apple.app_store.access.keys.clear()
    rows = status.status(stores.promotions())
    assert {row.state for row in rows} == {"unknown"}
    assert all(row.why for row in rows)
    assert {row.platform for row in rows} == {"android", "ios"}
    ours = status.status(Promotions(android=stores.play.promotion()))
    assert "The caller does not have permission" in ours[0].why


@world
def test_status_disturbs_no_delivery_where_nothing_is_rolled_out(stores: Stores) -> None:
    stores.promotions()
    status.status(Promotions(android=stores.play.promotion()))
    assert stores.play.play.account.apps[PACKAGE].edits == {}
    assert stores.play.asked[0] == Candidate(version="1.0.1", number=2)
