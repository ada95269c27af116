"""The way back: together, from the providers' own state, finished wherever it was killed, with GitHub or without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipelines.delivery.context import Delivery
from pipelines.delivery.ledger import ROLLBACK, Ledger
from pipelines.delivery.rollback import Request, Rolled, decide, roll_back
from pipelines.errors import CheckFailed, InputError, RefusedError
from pipelines.faults import Policy
from release.state import WITHDRAWN
from tests.memory_hosts import Killed
from tests.shop import COMPONENTS, REPOSITORY, Shop

pytestmark = pytest.mark.world

MOST_WRITES = 20


@pytest.fixture
def life(shop: Shop) -> Shop:
    """Three releases, the last of them live."""
    for version in ("v1.0.0", "v1.1.0", "v1.2.0"):
        release(shop, version)
    return shop


def release(shop: Shop, version: str) -> None:
    shop.live(version, head(shop))


def head(shop: Shop) -> str:
    return shop.github.service.git(shop.github.service.repository(REPOSITORY)).refs["refs/heads/main"]


def back(shop: Shop, run: Any = None, **request: Any) -> Rolled:
    return roll_back(shop.delivery("production", run), Request(**request))


def serving(shop: Shop) -> list[dict[str, int]]:
    return [shop.host("production", component).serving() for component in COMPONENTS]


def both(release: str) -> list[dict[str, int]]:
    return [{release: 100}, {release: 100}]


def ledger(shop: Shop) -> list[tuple[str, str, str]]:
    return [(r.task.removeprefix("shipmate"), r.release, r.state) for r in shop.ledger().records("production")]


def test_both_components_go_back_together_and_the_ledger_knows(life: Shop) -> None:
    rolled = back(life)
    assert (rolled.release, rolled.was, rolled.changed) == ("v1.1.0", "v1.2.0", True)
    assert [done.step.action for done in rolled.done] == ["back", "back", "outside", "outside"]
    assert serving(life) == both("v1.1.0")
    assert ledger(life)[:3] == [
        (":rollback", "v1.1.0", "success"),
        ("", "v1.2.0", "inactive"),
        ("", "v1.1.0", "success"),
    ]
    live = life.ledger().live("production")
    assert live is not None
    assert (live.release, live.task) == ("v1.1.0", ROLLBACK)


@pytest.mark.parametrize("request_", [{}, {"to": "v1.1.0"}], ids=["again", "by name"])
def test_asked_again_it_changes_nothing_and_says_so(life: Shop, request_: dict[str, str]) -> None:
    back(life)
    before = ledger(life)
    life.writes.seen.clear()
    rolled = back(life, **request_)
    assert (rolled.release, rolled.was, rolled.changed) == ("v1.1.0", "v1.1.0", False)
    assert (serving(life), life.writes.seen, ledger(life)) == (both("v1.1.0"), [], before)
    assert ("name it with --to" in life.log.getvalue()) == (not request_)


def test_further_back_by_name_and_forward_again(life: Shop) -> None:
    back(life)
    assert back(life, to="v1.0.0").changed
    assert serving(life) == both("v1.0.0")
    assert back(life, to="v1.2.0").changed
    assert serving(life) == both("v1.2.0")
    assert ledger(life)[0] == (":rollback", "v1.2.0", "success")
    assert back(life).release == "v1.0.0", "where it was settled last, and v1.1.0 was taken back"


def test_one_component_alone(life: Shop) -> None:
    assert back(life, components=("web",)).release == "v1.1.0"
    assert serving(life) == [{"v1.2.0": 100}, {"v1.1.0": 100}]
    assert ledger(life)[1] == ("", "v1.2.0", "success"), "the backend has it still"
    assert back(life).release == "v1.1.0"
    assert serving(life) == both("v1.1.0")


def test_a_release_that_is_bad_in_the_middle_of_a_shift(life: Shop) -> None:
    backend, web = (life.host("production", component) for component in COMPONENTS)
    backend.put("v1.3.0", head(life), "sha256:x")
    backend.settled = backend.settled[1:]
    backend.shift(backend.deployments[1].key, 90)
    assert serving(life) == [{"v1.3.0": 10, "v1.2.0": 90}, {"v1.2.0": 100}]
    rolled = back(life, failed="v1.3.0")
    assert (rolled.release, rolled.was) == ("v1.2.0", "v1.3.0")
    assert serving(life) == both("v1.2.0")
    assert web.settled[0].startswith("v1-2-0")


def test_a_failed_release_without_traffic_leaves_nothing_to_do(life: Shop) -> None:
    life.writes.seen.clear()
    rolled = back(life, failed="v1.3.0")
    assert (rolled.release, rolled.changed, rolled.done) == ("v1.2.0", False, [])
    assert "nothing to take back" in life.log.getvalue()
    assert life.writes.seen == []


# killed -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("where", ["terminal", "job", "after a failure"])
def test_killed_at_any_write_the_next_run_ends_at_the_same_release(life: Shop, where: str, after_effect: bool) -> None:
    """Never one further, and never forward to the bad one."""
    for number in range(1, MOST_WRITES):
        version = f"v1.{number + 2}.0"
        good = next(iter(serving(life)[0]))
        release(life, version)
        run = life.start() if where == "job" else None
        request = {"failed": version} if where == "after a failure" else {}
        life.writes.kill_at(number, after_effect=after_effect)
        try:
            back(life, run, **request)
        except Killed:
            done = False
        else:
            done = True
        life.writes.spare()
        back(life, run, **request)
        assert serving(life) == both(good), (number, life.writes.seen)
        if where != "after a failure":
            assert ledger(life)[0] == (":rollback", good, "success")
        if done:
            break
    assert number > 6


def test_killed_without_github_the_next_run_ends_at_the_same_release(life: Shop) -> None:
    """The providers' own marks are enough."""
    for number in range(1, 5):
        version = f"v1.{number + 2}.0"
        good = next(iter(serving(life)[0]))
        release(life, version)
        life.writes.kill_at(number, after_effect=True)
        with pytest.raises(Killed):
            alone(life)
        life.writes.spare()
        alone(life)
        assert serving(life) == both(good)


def alone(shop: Shop) -> Rolled:
    delivery = shop.delivery("production")
    delivery.github = None
    return roll_back(delivery, Request())


def test_a_new_run_finishes_what_another_began(life: Shop) -> None:
    life.writes.kill_at(4, after_effect=True)
    run = life.start()
    with pytest.raises(Killed):
        back(life, run)
    life.writes.spare()
    life.end(run)
    assert back(life, life.start()).release == "v1.1.0"
    assert serving(life) == both("v1.1.0")


def test_an_old_run_that_is_started_again_decides_anew(life: Shop) -> None:
    run = life.start()
    back(life, run)
    life.end(run, "success")
    release(life, "v1.3.0")
    assert back(life, life.again(run)).was == "v1.3.0"
    assert serving(life) == both("v1.1.0"), "v1.2.0 was taken back, so it is not gone back to"


def withdraw(shop: Shop, version: str) -> None:
    body = {"tag_name": version, "body": f"{WITHDRAWN}\n> broken"}
    shop.person("release-manager").post(f"/repos/{REPOSITORY}/releases", body)


def test_a_withdrawn_release_is_passed_over_unless_it_is_named(life: Shop) -> None:
    withdraw(life, "v1.1.0")
    assert back(life).release == "v1.0.0"
    assert "v1.1.0 was withdrawn: only --to v1.1.0 goes back to it" in life.log.getvalue()
    assert back(life, to="v1.1.0").release == "v1.1.0"


def test_when_all_that_is_left_was_withdrawn_it_is_refused(life: Shop) -> None:
    for version in ("v1.0.0", "v1.1.0"):
        withdraw(life, version)
    with pytest.raises(RefusedError, match="no earlier release that was live and well"):
        back(life)
    assert serving(life) == both("v1.2.0")


def test_that_a_withdrawal_cannot_be_asked_stops_nothing_and_is_said(life: Shop) -> None:
    withdraw(life, "v1.1.0")
    life.fault(kind="status", path="/releases/tags/", times=None)
    assert back(life).release == "v1.1.0"
    assert "whether v1.1.0 was withdrawn was not checked" in life.log.getvalue()
    assert ledger(life)[0] == (":rollback", "v1.1.0", "success")


# GitHub is down ---------------------------------------------------------------------------------------------------------


def answers_503(shop: Shop, delivery: Delivery) -> None:
    shop.fault(kind="status", status=503, times=None)


def refuses(shop: Shop, delivery: Delivery) -> None:
    delivery.github = type(shop.client("x"))(
        "techmate/platform", "x", api_url="http://127.0.0.1:9", policy=Policy(scale=0.0)
    )
    delivery.github.brief = lambda: delivery.github  # type: ignore[method-assign,union-attr,assignment,return-value]


def hangs_up(shop: Shop, delivery: Delivery) -> None:
    shop.fault(kind="cut", times=None)


def is_limited(shop: Shop, delivery: Delivery) -> None:
    shop.fault(kind="throttle", times=None)


def expired(shop: Shop, delivery: Delivery) -> None:
    shop.fault(kind="status", status=401, times=None)


@pytest.mark.parametrize("trouble", [answers_503, refuses, hangs_up, is_limited, expired])
def test_it_works_while_github_is_down(life: Shop, trouble: Callable[[Shop, Delivery], None]) -> None:
    delivery = life.delivery("production")
    trouble(life, delivery)
    rolled = roll_back(delivery, Request())
    assert (rolled.release, rolled.was, rolled.changed) == ("v1.1.0", "v1.2.0", True)
    assert serving(life) == both("v1.1.0")
    said = life.log.getvalue()
    assert said.count("GitHub does not answer; going by the providers' own state") == 1
    assert "the ledger could not be told" not in said, "GitHub is not asked again once it is known to be down"


def test_github_goes_down_in_the_middle(life: Shop) -> None:
    delivery = life.delivery("production")
    life.fault(kind="status", times=None, method="POST", after=1)
    assert roll_back(delivery, Request()).changed
    assert serving(life) == both("v1.1.0")
    assert "the ledger could not be told" in life.log.getvalue()
    life.faults.clear()
    back(life)
    assert ledger(life)[0] == (":rollback", "v1.1.0", "success"), "the next one finishes the record"


def test_a_rollback_does_not_wait_long_for_github(life: Shop) -> None:
    from pipelines.github import GitHub

    brief = GitHub("o/r", "t", policy=Policy(scale=1.0)).brief()
    assert (brief.policy.tries, brief._timeout) == (2, 5)


# nothing safe -----------------------------------------------------------------------------------------------------------


def test_the_first_release_has_nothing_to_go_back_to(shop: Shop) -> None:
    release(shop, "v1.0.0")
    with pytest.raises(RefusedError, match=r"no earlier release that was live and well \(live now: v1\.0\.0\)"):
        back(shop)
    assert serving(shop) == both("v1.0.0")


def test_an_empty_environment(shop: Shop) -> None:
    with pytest.raises(RefusedError, match="nothing of ours"):
        back(shop)


def test_a_release_that_is_not_there(life: Shop) -> None:
    with pytest.raises(RefusedError, match=r"no ready deployment of v0\.0\.1(.|\n)*there: v1\.2\.0, v1\.1\.0"):
        back(life, to="v0.0.1")
    with pytest.raises(InputError, match="'mobile' does not live"):
        back(life, components=("mobile",))
    assert serving(life) == both("v1.2.0")


def test_releases_that_failed_or_were_taken_back_are_not_chosen(life: Shop) -> None:
    record = next(r for r in life.ledger().records("production") if r.release == "v1.1.0")
    Ledger(life.client(life.job().token)).note(record, "failure", "smoke tests")
    assert back(life).release == "v1.0.0"


def test_an_earlier_release_that_is_sick_too_is_said(life: Shop) -> None:
    life.host("production", "backend").sick.add("v1.1.0")
    with pytest.raises(CheckFailed, match="2 of 2 checks failed"):
        back(life)
    assert serving(life) == both("v1.1.0"), "together, and no half"
    assert ledger(life)[0] == (":rollback", "v1.1.0", "failure")
    assert back(life, to="v1.0.0").changed


def test_the_plan_alone_changes_nothing(life: Shop) -> None:
    life.writes.seen.clear()
    steps = decide(life.delivery("production"), Request())
    assert [step.says for step in steps][:2] == [
        f"give all traffic to v1.1.0 ({life.host('production', 'backend').settled[1]})",
        f"give all traffic to v1.1.0 ({life.host('production', 'web').settled[1]})",
    ]
    assert (life.writes.seen, serving(life)) == ([], both("v1.2.0"))
