"""Updates over the air are taken back at the emulated EAS, whatever breaks on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import InputError, LocalError, RefusedError
from pipelines.mobile.update_notes import Rollback
from rehearsal.faults import Fault
from tests.pipelines.mobile.expo import expo
from tests.pipelines.mobile.updating import BOTH, World, only

pytestmark = pytest.mark.world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with expo(tmp_path) as made:
        yield World(made, tmp_path)


def test_back_is_what_was_there_before_and_once_more_changes_nothing(world: World) -> None:
    """eas update:rollback a second time would publish the bad update again."""
    world.publish(world.first)
    second = world.change("two")
    world.publish(second)
    back = world.back()
    assert back.changed and not back.warning
    assert world.shares() == only(world.first.commit)
    for _ in range(2):
        again = world.back()
        assert not again.changed and f"is back from {second.commit[:12]} already" in again.text
    assert world.shares() == only(world.first.commit)
    third = world.change("three")
    world.publish(third)
    world.back()
    assert world.shares() == only(world.first.commit), "the second was rolled back and is not gone back to"


def test_where_nothing_was_before_devices_go_to_their_build_and_it_is_reported(world: World) -> None:
    world.publish(world.first)
    back = world.back()
    assert "what is inside the build" in back.text and "not exactly what they had" in back.warning
    assert world.shares() == only("build")
    second = world.change("two", 10)
    world.publish(second)
    assert world.shares() == {each: {"build", second.commit} for each in BOTH}
    assert "what is inside the build" in world.back().text
    assert world.shares() == only("build")


def test_with_nothing_over_the_air_there_is_nothing_to_take_back(world: World) -> None:
    with pytest.raises(RefusedError, match="nothing over the air can be rolled back"):
        world.back()
    with pytest.raises(InputError, match="there is no channel 'nightly'"):
        replace(world.updates(), channel="nightly").roll_back()


def test_a_roll_out_that_is_over_is_never_reverted(world: World) -> None:
    """At EAS that would send everybody to what is embedded."""
    world.publish(world.first)
    second = world.change("two", 10)
    world.publish(second)
    world.publish(replace(second, percent=100))
    world.back()
    assert world.shares() == only(world.first.commit)
    assert not world.expo.called("update:revert-update-rollout")


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    before=st.sampled_from(["nothing", "update", "embedded"]),
    percent=st.sampled_from([10, 100]),
    kills=st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=3),
)
def test_killed_anywhere_on_the_way_back_it_is_finished_by_running_it_again(
    world: World, before: str, percent: int, kills: list[tuple[int, bool]]
) -> None:
    """At any request to EAS: between the two steps of a revert, too, where nothing at EAS tells what was there."""
    account = world.expo.account
    account.updates.clear()
    world.notes.write((), "")
    if before != "nothing":
        world.first = world.change("one")
        world.publish(world.first)
    if before == "embedded":
        world.back()
    world.publish(world.change("two", percent))
    bad = set(world.newest().values())
    for left, answered in kills:
        world.expo.killed(left, answered, world.back)
    back = world.back()
    assert back.changed or "already" in back.text
    assert world.shares() == only(world.first.commit if before == "update" else "build")
    newest = world.newest()
    assert not bad & set(newest.values())
    latest = [account.updates[key] for key in account.updates if account.updates[key].group in newest.values()]
    assert all(each.message.startswith("Back from ") for each in latest), "devices that took it need something newer"
    assert not world.back().changed


@pytest.mark.parametrize("call", range(4))
@pytest.mark.parametrize("kind", ["cut", "lose_answer"])
def test_a_connection_that_breaks_is_overcome_within_the_run(world: World, call: int, kind: str) -> None:
    world.publish(world.first)
    world.publish(world.change("two", 10))
    fault = Fault(kind=kind, path="/rehearsal/(delete-group|publish)", after=call, times=1)  # type: ignore[arg-type]
    world.expo.faults.add(fault)
    world.back()
    assert world.shares() == only(world.first.commit)


def test_half_taken_back_nothing_else_is_published(world: World) -> None:
    world.publish(world.first)
    world.publish(world.change("two", 10))
    deleted = iter(range(100))
    while not world.expo.killed(next(deleted), True, world.back) or len(world.expo.account.updates) == 4:
        assert len(world.expo.account.updates) == 4
    assert len(world.expo.account.updates) == 3, "killed between the two steps of the first platform"
    with pytest.raises(RefusedError, match="is half rolled back"):
        world.publish(world.change("three"))
    world.back()
    assert world.shares() == only(world.first.commit)


class Broken:
    """Notes out of reach."""

    def read(self) -> tuple[Rollback, ...]:
        raise LocalError("GitHub is down")

    def write(self, rollbacks: Sequence[Rollback], commit: str) -> None:
        raise LocalError("GitHub is down")


def test_while_nothing_can_be_noted_it_is_taken_back_all_the_same(world: World) -> None:
    world.publish(world.first)
    world.publish(world.change("two", 10))
    replace(world.updates(), notes=Broken()).roll_back()
    assert world.shares() == only(world.first.commit)
    assert any("GitHub is down" in each for each in world.messages)
