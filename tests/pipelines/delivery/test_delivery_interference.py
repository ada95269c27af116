"""Someone steps in at every moment of a delivery: what they did stays, and the delivery ends without another write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pipelines.delivery import stops, superseding
from pipelines.delivery.rollback import Request, roll_back
from pipelines.delivery.status import status
from pipelines.errors import CheckFailed, RefusedError, ShipmateError
from rehearsal.runner.model import Run
from tests.pipelines.delivery.jobs import Delivery, planned
from tests.shop import COMPONENTS, Shop

pytestmark = pytest.mark.world

MOST_WRITES = 24


def going_out(shop: Shop, version: str = "v1.2.0", run: Run | None = None) -> Delivery:
    return planned(shop, version, shop.artifacts(shop.head("main")[:12]), run=run)


def serving(shop: Shop) -> list[dict[str, int]]:
    return [shop.host("production", component).serving() for component in COMPONENTS]


def both(release: str) -> list[dict[str, int]]:
    return [{release: 100}, {release: 100}]


@pytest.fixture
def life(shop: Shop) -> Shop:
    """Two releases, the second of them live."""
    for version in ("v1.0.0", "v1.1.0"):
        shop.live(version, shop.head("main"))
    return shop


def rolls_back(shop: Shop) -> None:
    roll_back(shop.context("production"), Request())


def rolls_back_while_github_is_down(shop: Shop) -> None:
    context = shop.context("production")
    context.github = None
    roll_back(context, Request())


def goes_back_by_name(shop: Shop) -> None:
    """To what is live already, when nothing was moved yet."""
    roll_back(shop.context("production"), Request(to="v1.1.0"))


def moves_the_traffic_by_hand(shop: Shop) -> None:
    host = shop.host("production", "backend")
    host.move(next(d.key for d in host.deployments if d.identity and d.identity.release == "v1.0.0"), 100)


@pytest.mark.parametrize(
    ("someone", "first"),
    [
        (rolls_back, 1),
        (rolls_back_while_github_is_down, 1),
        (goes_back_by_name, 2),  # before the lock was taken nothing is under way, and it is refused so
    ],
)
def test_a_rollback_at_any_write_of_going_live_is_not_undone(
    life: Shop, someone: Callable[[Shop], None], first: int
) -> None:
    stopped = 0
    for number in range(first, MOST_WRITES):
        delivery = going_out(life, f"v1.{number + 1}.0")
        for component in COMPONENTS:
            delivery.deploy(component)
        life.writes.kill_at(0, after_effect=False)
        life.writes.meanwhile = {number: lambda: someone(life)}
        try:
            delivery.go_live()
        except ShipmateError:
            stopped += 1
        if life.writes.meanwhile:
            break  # there was no such write
        left = serving(life)
        assert left in (both("v1.0.0"), both("v1.1.0")), (number, life.writes.seen)
        life.writes.seen.clear()
        assert not delivery.back().changed, "the job that goes back leaves it, too"
        assert (serving(life), life.writes.seen) == (left, [])
        for component in COMPONENTS:
            marks = life.host("production", component).marks
            assert not marks.stable[0].startswith(f"v1-{number + 1}-0"), (number, marks)
            assert marks.lock is None
        with pytest.raises(ShipmateError):
            delivery.go_live()  # *Re-run failed jobs*: it was planned before someone decided otherwise
        assert serving(life) == left
        _live_again(life, "v1.1.0")
    assert stopped >= 8 - first, life.writes.seen


def _live_again(shop: Shop, release: str) -> None:
    for component in COMPONENTS:
        host = shop.host("production", component)
        host.move(next(d.key for d in host.deployments if d.identity and d.identity.release == release), 100)
        host.marks = replace(host.marks, failed={}, stable=tuple(sorted(host.marks.stable, reverse=True)), lock=None)
        host.marks = replace(
            host.marks, stable=tuple(k for k in host.marks.stable if k.startswith(("v1-0-0", "v1-1-0")))
        )


def test_traffic_that_is_moved_by_hand_is_left_where_it_is(life: Shop) -> None:
    delivery = going_out(life)
    for component in COMPONENTS:
        delivery.deploy(component)
    life.writes.kill_at(0, after_effect=False)
    # Locks of both, 10 %, and then someone moves it before the next share is given.
    life.writes.meanwhile = {4: lambda: moves_the_traffic_by_hand(life)}
    with pytest.raises(ShipmateError, match=r"changed by someone else|not where this delivery left it"):
        delivery.go_live()
    assert serving(life)[0] == {"v1.0.0": 100}


def test_a_rollback_says_what_it_stops_and_goes_to_its_base(life: Shop) -> None:
    run = life.start()
    delivery = going_out(life, run=run)
    for component in COMPONENTS:
        delivery.deploy(component)
    life.writes.kill_at(0, after_effect=False)
    life.writes.meanwhile = {3: lambda: rolls_back(life)}
    with pytest.raises(ShipmateError) as stopped:
        delivery.go_live()
    assert "stopped by" in str(stopped.value) or "changed by someone" in str(stopped.value)
    assert serving(life) == both("v1.1.0"), "the base: not one release further"


def test_one_that_was_taken_back_by_its_own_run_goes_live_when_it_is_run_again(life: Shop) -> None:
    life.host("production", "web").sick.add("v1.2.0")
    delivery = going_out(life)
    with pytest.raises(CheckFailed):
        delivery.all()
    assert delivery.back().release == "v1.1.0"
    assert serving(life) == both("v1.1.0")
    life.host("production", "web").sick.clear()
    again = delivery.go_live()
    assert [done.step.name for done in again if done.skipped] == []
    assert serving(life) == both("v1.2.0")
    assert all(life.host("production", c).marks.failed == {} for c in COMPONENTS)
    assert roll_back(life.context("production"), Request()).release == "v1.1.0"


# a process that lost its runner ---------------------------------------------------------------------------------------


def test_a_process_that_lives_on_after_its_job_was_given_up_writes_nothing(life: Shop) -> None:
    """GitHub loses a runner, takes the job for failed and returns to the base; the process goes on where it was."""
    delivery = going_out(life)
    for component in COMPONENTS:
        delivery.deploy(component)
    life.writes.kill_at(0, after_effect=False)

    def given_up() -> None:
        context, made = delivery.job()
        context.lock_id = f"{delivery.run.id}/1/roll-back"
        from pipelines.delivery.rollback import return_to_base

        assert return_to_base(context, made).release == "v1.1.0"

    life.writes.meanwhile = {4: given_up}
    with pytest.raises(ShipmateError):
        delivery.go_live()
    assert serving(life) == both("v1.1.0")


# freeze and hold ------------------------------------------------------------------------------------------------------


def test_nothing_begins_in_a_frozen_environment_but_a_rollback(life: Shop) -> None:
    delivery = going_out(life)
    found = stops.freeze(life.context("production"), "the sale until Monday (on-call)")
    assert (found.components, found.under_way) == (COMPONENTS, "")
    assert stops.freeze(life.context("production"), "the sale until Monday (on-call)").components == ()
    for component in COMPONENTS:
        delivery.deploy(component)
    with pytest.raises(RefusedError, match="no delivery may begin: the sale until Monday"):
        delivery.go_live()
    assert serving(life) == both("v1.1.0")
    assert roll_back(life.context("production"), Request()).release == "v1.0.0"
    assert all(life.host("production", c).marks.frozen for c in COMPONENTS), "it stays so"
    assert {row["stops"] for row in status(life.context("production"))} == {"frozen: the sale until Monday (on-call)"}
    stops.thaw(life.context("production"))
    assert {row["stops"] for row in status(life.context("production"))} == {""}
    _, made = going_out(life, "v1.3.0").job()
    assert made.recorded.epochs == {"backend": 1, "web": 1}


def test_a_delivery_that_is_held_waits_and_goes_on(life: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = going_out(life)
    for component in COMPONENTS:
        delivery.deploy(component)
    life.writes.kill_at(0, after_effect=False)
    waits: list[float] = []

    def look(seconds: float) -> None:
        waits.append(seconds)
        assert serving(life)[0] == {"v1.2.0": 10, "v1.1.0": 90}
        if len(waits) == 3:
            stops.resume(life.context("production"))

    held = Held(life, delivery, look, monkeypatch)
    life.writes.meanwhile = {3: held.hold}
    delivery.go_live()
    assert len(waits) == 3
    assert serving(life) == both("v1.2.0")


def test_one_that_is_held_too_long_returns_to_its_base(life: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = going_out(life)
    for component in COMPONENTS:
        delivery.deploy(component)
    life.writes.kill_at(0, after_effect=False)
    held = Held(life, delivery, lambda seconds: None, monkeypatch)
    life.writes.meanwhile = {4: held.hold}
    with pytest.raises(CheckFailed, match=r"held for more than 900 s: someone looks"):
        delivery.go_live()
    assert held.time >= 900
    assert delivery.back().release == "v1.1.0"
    assert not life.host("production", "backend").marks.held


class Held:
    """A delivery that is held, by a clock that goes only when it waits."""

    def __init__(
        self, shop: Shop, delivery: Delivery, look: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.time = 0.0
        self.shop, self.look = shop, look
        monkeypatch.setattr("pipelines.clock.Clock.monotonic", lambda clock: self.time)
        monkeypatch.setattr("pipelines.clock.Clock.sleep", lambda clock, seconds: self.sleep(seconds))

    def hold(self) -> None:
        stops.hold(self.shop.context("production"), "someone looks (on-call)")

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        if self.shop.host("production", "backend").marks.held:
            self.look(seconds)


def test_there_is_nothing_to_hold_when_nothing_is_under_way(life: Shop) -> None:
    with pytest.raises(RefusedError, match="no delivery moves traffic"):
        stops.hold(life.context("production"), "why not")


# two at once ----------------------------------------------------------------------------------------------------------


def test_a_newer_release_goes_onto_one_that_went_live_while_it_waited(life: Shop) -> None:
    first, second = going_out(life, "v1.2.0"), going_out(life, "v1.3.0")
    for delivery in (first, second):
        for component in COMPONENTS:
            delivery.deploy(component)
    first.go_live()
    second.go_live()
    assert serving(life) == both("v1.3.0")
    assert roll_back(life.context("production"), Request()).release == "v1.2.0"


def test_one_that_fails_on_what_went_live_meanwhile_returns_to_that(life: Shop) -> None:
    first, second = going_out(life, "v1.2.0"), going_out(life, "v1.3.0")
    life.host("production", "web").sick.add("v1.3.0")
    for delivery in (first, second):
        for component in COMPONENTS:
            delivery.deploy(component)
    first.go_live()
    with pytest.raises(CheckFailed):
        second.go_live()
    assert second.back().release == "v1.2.0"
    assert serving(life) == both("v1.2.0")


def test_an_older_one_is_superseded_by_what_went_live_while_it_waited(life: Shop) -> None:
    first, second = going_out(life, "v1.2.0"), going_out(life, "v1.3.0")
    second.all()
    context, made = first.job()
    assert superseding.higher_release(made, context.lives(), context.manifest) == "v1.3.0"
    _, made = second.job()
    assert superseding.higher_release(made, context.lives(), context.manifest) == ""


def test_nothing_is_put_onto_a_release_that_was_taken_back(life: Shop) -> None:
    """What is live now was live before, and is lower than what the plan stands on: someone decided so."""
    waiting = going_out(life, "v1.3.0")
    for component in COMPONENTS:
        waiting.deploy(component)
    roll_back(life.context("production"), Request())
    with pytest.raises(RefusedError):
        waiting.go_live()
    assert serving(life) == both("v1.0.0")
