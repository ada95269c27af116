"""Updates over the air at the emulated EAS: who gets which, and a roll-out that is watched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from pipelines.errors import CheckFailed, RefusedError
from pipelines.mobile import channel_status
from pipelines.providers.eas_updates import EasUpdates, Group
from rehearsal.faults import Fault
from tests.pipelines.mobile.expo import expo
from tests.pipelines.mobile.updating import BAD, BOTH, GOOD, UNKNOWN, World, only

pytestmark = pytest.mark.world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with expo(tmp_path) as made:
        yield World(made, tmp_path)


def test_a_change_reaches_everybody_and_is_not_published_twice(world: World) -> None:
    result = world.publish(world.first)
    assert (result.changed, result.percent, len(result.updates)) == (True, 100, 2)
    assert world.shares() == only(world.first.commit)
    again = world.publish(world.first)
    assert not again.changed and "already, with everybody" in again.text
    assert len(world.expo.account.updates) == 2


def test_a_share_only_rises_and_only_while_it_does_well(world: World) -> None:
    world.publish(world.first)
    second = world.change("two", 10)
    assert world.publish(second).percent == 10
    assert world.shares() == {each: {world.first.commit, second.commit} for each in BOTH}
    assert not world.asked, "there was nothing to ask about yet"
    assert not world.publish(second).changed
    world.health = UNKNOWN
    held = world.publish(replace(second, percent=50))
    assert (held.changed, held.percent, held.held) == (False, 10, UNKNOWN.says)
    world.health = GOOD
    assert world.publish(replace(second, percent=50)).percent == 50
    assert {each.platform for each in world.asked[-1]} == set(BOTH)
    with pytest.raises(RefusedError, match="with 50 % of production, and cannot be with 20 %"):
        world.publish(replace(second, percent=20))
    assert world.publish(replace(second, percent=100)).changed
    assert world.shares() == only(second.commit)
    assert "already, with everybody" in world.publish(second).text


def test_while_one_is_rolled_out_no_other_is_published(world: World) -> None:
    """expo/eas-cli#4233: there the program ends with a refusal of the server's, which names nothing to do."""
    world.publish(world.first)
    world.publish(world.change("two", 10))
    with pytest.raises(RefusedError) as refused:
        world.publish(world.change("three"))
    assert all(group in refused.value.what for group in world.newest().values())
    assert "(android, 10 %" in refused.value.what
    assert "--percent 100` in its commit" in refused.value.next_step
    assert "shipmate mobile rollback --channel production" in refused.value.next_step


def test_one_that_begins_meanwhile_is_named_as_well(world: World) -> None:
    world.publish(world.first)
    change = world.change("two")

    def overtake(words: Sequence[str]) -> None:
        if words[0] == "update":
            world.expo.before = lambda words: None
            world.eas.publish("production", "theirs", percent=5, platforms=BOTH, environment="production")

    world.expo.before = overtake
    with pytest.raises(RefusedError, match=r"another update is being rolled out .*5 %, \"theirs\""):
        world.publish(change)


def test_what_the_builds_cannot_run_is_refused_with_the_way_to_release_it(world: World) -> None:
    """expo/eas-cli#3602: published there, it reaches nobody."""
    world.expo.program.write("package-lock.json", {"packages": {"node_modules/expo-camera": {"version": "1.0.0"}}})
    with pytest.raises(RefusedError) as refused:
        world.publish(world.change("two"))
    assert refused.value.what == "the change cannot go over the air on android and ios"
    assert "1.2.0 (7) has " in refused.value.where and "tag with a higher version" in refused.value.next_step
    assert not world.expo.account.updates


def test_where_it_fits_one_platform_alone_that_is_reported(world: World) -> None:
    change = world.change("two")
    other = {**change.runtimes, "ios": "0" * 40}
    with pytest.raises(RefusedError, match="on ios") as refused:
        world.publish(replace(change, runtimes=other))
    assert "`--platform android`" in refused.value.next_step
    one = world.change("three", platforms=("android",))
    assert [each.platform for each in world.publish(one).updates] == ["android"]


def test_another_runtime_version_than_expected_is_a_failure_of_its_own(world: World) -> None:
    """expo/expo#46817: reported afterwards, since EAS's own variables are not known here."""
    wrong = {each: f"{number}" * 40 for number, each in enumerate(BOTH)}
    [build] = world.first.builds["android"]
    builds = {each: [replace(build, runtime=wrong[each])] for each in BOTH}
    with pytest.raises(CheckFailed, match="the update has the runtime version") as failed:
        world.publish(replace(world.first, runtimes=wrong, builds=builds))
    assert "eas env:list --environment production" in failed.value.next_step


def test_a_roll_out_that_does_badly_is_taken_back_by_itself(world: World) -> None:
    world.publish(world.first)
    second = world.change("two", 10)
    result = world.publish(second)
    waits: list[float] = []
    world.health = UNKNOWN

    def falls(seconds: float) -> None:
        waits.append(seconds)
        world.expo.time.forward(seconds)
        world.health = BAD if len(waits) == 3 else UNKNOWN

    updates = world.updates()
    updates.clock = replace(updates.clock, wait=falls)
    ended = updates.watch(result, minutes=30)
    assert ended.halted == BAD.says and len(waits) == 3
    assert f"is back from {second.commit[:12]}" in ended.text
    assert world.shares() == only(world.first.commit)
    assert f"bad: {BAD.says}" in world.messages
    with pytest.raises(RefusedError, match="was rolled back from production before") as refused:
        world.publish(second)
    assert BAD.says in refused.value.why
    assert world.publish(replace(second, again=True)).changed


def test_raised_while_it_does_badly_it_is_taken_back(world: World) -> None:
    world.publish(world.first)
    second = world.change("two", 10)
    world.publish(second)
    world.health = BAD
    assert world.publish(replace(second, percent=50)).halted == BAD.says
    assert world.shares() == only(world.first.commit)


def test_without_a_verdict_it_is_held_at_the_end(world: World) -> None:
    world.health = UNKNOWN
    result = world.publish(replace(world.first, percent=10))
    ended = world.updates().watch(result, minutes=5)
    assert (ended.held, ended.halted, ended.percent) == (UNKNOWN.says, "", 10)
    assert len(world.messages) == 1, "the same is not printed again"
    world.health = GOOD
    assert world.updates().watch(result, minutes=1).held == ""


def test_a_lost_answer_of_publishing_is_looked_for(world: World) -> None:
    world.expo.faults.add(Fault(kind="lose_answer", path="/rehearsal/publish", times=1))
    assert len(world.publish(replace(world.first, percent=10)).updates) == 2
    assert len(world.expo.account.updates) == 2


def test_a_channel_that_leads_to_several_branches_is_refused() -> None:
    class Two:
        def ask(self, words: Sequence[str]) -> Any:
            return {"currentPage": {"updateBranches": [{"name": "a"}, {"name": "b"}]}}

    with pytest.raises(RefusedError, match="leads to 2 branches: a, b"):
        EasUpdates(cast(Any, Two())).branch("production")
    assert Group(id="1", runtime="r", platforms=("ios",), percent=100, embedded=False, text="").rolling_out is False


def test_the_status_of_a_channel(world: World) -> None:
    def seen() -> list[tuple[str, str, str, str]]:
        rows = channel_status.rows(world.eas, "production", BOTH)
        return [(row.platform, row.build, row.percent, row.state) for row in rows]

    assert seen() == [("android", "", "", "nothing"), ("ios", "", "", "nothing")]
    world.publish(world.first)
    first = {platform: group[:8] for platform, group in world.newest().items()}
    assert seen() == [(each, first[each], "100 %", "released") for each in BOTH]
    world.publish(world.change("two", percent=10, platforms=("ios",)))
    newest = world.newest()["ios"][:8]
    assert seen() == [("android", first["android"], "100 %", "released"), ("ios", newest, "10 %", "rolling out")]
    world.back()
    assert [state for *_, state in seen()] == ["released", "released"]
    nothing = channel_status.rows(world.eas, "nightly", BOTH)
    assert {row.state for row in nothing} == {"nothing"}


def test_the_status_of_a_channel_that_cannot_be_asked(world: World) -> None:
    assert [row.why for row in channel_status.rows(None, "production", BOTH)] == ["EXPO_TOKEN is not set"] * 2
    world.expo.emulator.control.tokens("expired")
    unknown = channel_status.rows(world.eas, "production", BOTH)
    assert [(row.state, "does not accept the token" in row.why) for row in unknown] == [("unknown", True)] * 2
