"""A build goes to more people on the emulated Google Play, in shares that only rise, and is stopped when it does badly."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import ConflictError, InputError, ProviderUnavailable, RefusedError, ShipmateError
from pipelines.mobile.promoted import Candidate
from rehearsal.faults import Fault
from tests.pipelines.mobile.stores import BAD, GOOD, PACKAGE, UNKNOWN, PlayWorld, play_world

pytestmark = pytest.mark.world

BUILD = Candidate(version="1.0.1", number=2)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PlayWorld]:
    with play_world(tmp_path) as made:
        made.deliver("1.0.1", 2)
        yield made


def test_the_build_is_found_in_the_store(world: PlayWorld) -> None:
    promotion = world.promotion()
    assert promotion.find() == promotion.find("1.0.1") == BUILD
    with pytest.raises(InputError, match=r"1\.0\.7 is on no track") as caught:
        promotion.find("1.0.7")
    assert "promote what testers have: 1.0.1, 0.9.0" in caught.value.next_step
    assert world.play.account.apps[PACKAGE].edits == {}, "no edit is opened to look"


def test_to_beta_it_goes_whole_and_waits_for_a_review_that_nothing_waits_for(world: PlayWorld) -> None:
    first = world.promotion().promote("beta", BUILD)
    assert (first.text, first.changed, first.percent) == ("1.0.1 (2) goes to 100 % of beta", True, 100)
    assert "Google's review" in first.waits_for
    assert "Google's review" in world.promotion().promote("beta", BUILD).waits_for
    world.review()
    again = world.promotion().promote("beta", BUILD)
    assert (again.text, again.changed, again.waits_for) == ("1.0.1 (2) is with 100 % of beta already", False, "")
    [release] = world.play.account.apps[PACKAGE].tracks["beta"]
    assert release.notes == {"en-US": "- New in 1.0.1"}


def test_production_in_steps(world: PlayWorld) -> None:
    promotion = world.promotion()
    assert promotion.next_step() is None
    assert promotion.promote("production", BUILD).text == "1.0.1 (2) goes to 5 % of production"
    assert world.on() == [(2, "inProgress", 0.05), (1, "completed", None)]
    world.review()
    assert promotion.next_step() == (BUILD, 20)
    assert not promotion.promote("production", BUILD).changed, "without a share it keeps the one it has"
    raised = promotion.promote("production", BUILD, 20)
    assert raised.text == f"1.0.1 (2) goes from 5 % to 20 % of production: {GOOD.says}"
    same = promotion.promote("production", BUILD, 20)
    assert (same.text, same.changed) == ("1.0.1 (2) is with 20 % of production already", False)
    with pytest.raises(RefusedError, match="is with 20 % of production, and cannot be with 5 %") as caught:
        promotion.promote("production", BUILD, 5)
    assert "halt" in caught.value.next_step
    promotion.promote("production", BUILD, 100)
    assert world.on() == [(2, "completed", None)]
    assert promotion.next_step() is None
    assert world.asked == [BUILD, BUILD, BUILD]


def test_halted_and_resumed(world: PlayWorld) -> None:
    promotion = world.promotion()
    for act in (promotion.halt, promotion.resume):
        with pytest.raises(RefusedError, match="nothing is"):
            act()
    promotion.promote("production", BUILD, 5)
    world.review()
    assert promotion.halt().changed
    assert promotion.halt().text == "1.0.1 (2) is halted at 5 % already"
    assert world.on()[0] == (2, "halted", 0.05)
    with pytest.raises(RefusedError, match="was halted at 5 %") as caught:
        promotion.promote("production", BUILD, 20)
    assert "shipmate mobile resume" in caught.value.next_step
    assert promotion.next_step() is None, "what is halted is not gone on with by itself"
    assert promotion.resume().text == "1.0.1 (2) goes on with 5 % of production"
    assert not promotion.resume().changed
    world.health = BAD
    promotion.halt()
    assert "the next run that watches it halts it again" in promotion.resume().text


def test_what_cannot_be_determined_holds(world: PlayWorld) -> None:
    promotion = world.promotion()
    world.health = UNKNOWN
    assert promotion.promote("production", BUILD, 5).changed, "it begins: nobody there can have reported anything yet"
    world.review()
    found = promotion.promote("production", BUILD, 20)
    assert (found.text, found.changed, found.held) == ("1.0.1 (2) stays with 5 % of production", False, UNKNOWN.says)
    assert world.on()[0] == (2, "inProgress", 0.05)
    watched = promotion.watch()
    assert watched is not None
    assert (watched.held, watched.changed, watched.percent) == (UNKNOWN.says, False, 5)


@pytest.mark.parametrize("how", ["promote", "watch"])
def test_what_does_badly_is_halted_by_itself(world: PlayWorld, how: str) -> None:
    promotion = world.promotion()
    assert promotion.watch() is None
    promotion.promote("production", BUILD, 5)
    world.review()
    world.health = BAD
    found = promotion.promote("production", BUILD, 20) if how == "promote" else promotion.watch()
    assert found is not None
    assert (found.halted, found.changed, found.percent) == (BAD.says, True, 5)
    assert world.on()[0] == (2, "halted", 0.05)
    assert promotion.watch() is None


def test_what_does_badly_with_testers_does_not_begin(world: PlayWorld) -> None:
    world.health = BAD
    found = world.promotion().promote("production", BUILD)
    assert "badly with its testers" in found.held
    assert world.on() == [(1, "completed", None)]


def test_an_older_build_is_refused(world: PlayWorld) -> None:
    world.promotion().promote("production", BUILD, 5)
    world.review()
    with pytest.raises(RefusedError, match=r"production has 1.0.1 \(2\), which is newer than 0.9.0 \(1\)"):
        world.promotion().promote("production", Candidate(version="0.9.0", number=1), 5)


def test_a_newer_build_takes_the_place_of_one_that_is_rolled_out(world: PlayWorld) -> None:
    world.promotion().promote("production", BUILD, 5)
    world.review()
    newer = world.deliver("1.0.2", 3)
    found = world.promotion().promote("production", newer, 1)
    assert found.text == "1.0.2 (3) goes to 1 % of production, instead of 1.0.1 (2)"
    assert world.on() == [(3, "inProgress", 0.01), (1, "completed", None)]


def test_changes_in_review_are_waited_for_but_never_cancelled(world: PlayWorld) -> None:
    promotion = world.promotion()
    promotion.promote("production", BUILD, 5)
    later = promotion.promote("production", BUILD, 20)
    assert (later.changed, later.percent) == (False, 5)
    assert "of earlier changes" in later.waits_for
    with pytest.raises(RefusedError, match="in review") as caught:
        promotion.halt()
    assert "Halt rollout" in caught.value.next_step
    world.review()
    assert promotion.promote("production", BUILD, 20).changed


def test_after_a_rejection_a_person_sends_the_changes(world: PlayWorld) -> None:
    promotion = world.promotion()
    promotion.promote("production", BUILD, 5)
    world.review("reject")
    newer = world.deliver("1.0.2", 3)
    assert "Send changes for review" in promotion.promote("production", newer, 5).waits_for
    assert "Send changes for review" in promotion.promote("production", newer, 5).waits_for


def test_the_first_release_of_all_goes_to_everybody(world: PlayWorld) -> None:
    app = world.play.account.apps[PACKAGE]
    app.tracks["production"], app.live["production"] = [], []
    with pytest.raises(RefusedError, match="the first release on production goes to everybody"):
        world.promotion().promote("production", BUILD, 5)
    assert world.promotion().promote("production", BUILD).percent == 100


def test_a_draft_app_names_the_step_in_the_console(world: PlayWorld) -> None:
    world.play.console.draft(PACKAGE, True)
    with pytest.raises(RefusedError, match="the app was never released"):
        world.promotion().promote("beta", BUILD)


def test_it_gives_up_when_someone_is_always_faster(world: PlayWorld) -> None:
    promotion = world.promotion()
    opened = promotion.play.open

    def overtaken() -> str:
        edit = opened()
        world.play.console.change(PACKAGE)
        return edit

    promotion.play.open = overtaken  # type: ignore[method-assign]
    with pytest.raises(ConflictError, match="someone else changed the app"):
        promotion.promote("production", BUILD, 5)


def test_without_steps_in_the_manifest_it_goes_to_everybody(world: PlayWorld) -> None:
    world.settings = replace(world.settings, rollout=())
    assert world.promotion().promote("production", BUILD).percent == 100


@pytest.mark.parametrize("kind", ["cut", "lose_answer"])
@pytest.mark.parametrize("call", range(1, 4))
def test_killed_at_any_change_it_is_finished_by_running_it_again(world: PlayWorld, call: int, kind: Any) -> None:
    world.promotion().promote("production", BUILD, 5)
    world.review()
    world.faults.add(Fault(kind=kind, method="POST|PUT", after=call - 1, times=1))
    with pytest.raises(ProviderUnavailable):
        world.promotion(tries=1).promote("production", BUILD, 20)
    world.faults.clear()
    world.promotion().promote("production", BUILD, 20)
    assert world.on() == [(2, "inProgress", 0.2), (1, "completed", None)]


ACTS = st.one_of(
    st.tuples(st.just("promote"), st.sampled_from([None, 1, 5, 20, 50, 100])),
    st.tuples(st.sampled_from(["halt", "resume", "watch"]), st.none()),
)
HEALTHS = st.sampled_from([GOOD, GOOD, BAD, UNKNOWN])
KILLED = st.sampled_from([None, None, "cut", "lose_answer"])


@settings(max_examples=8, deadline=None)
@given(acts=st.lists(st.tuples(ACTS, HEALTHS, KILLED, st.integers(0, 2)), max_size=6))
def test_shares_only_rise_whatever_is_done_in_whatever_order(acts: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, play_world(Path(folder)) as world:
        world.deliver("1.0.1", 2)
        world.promotion().promote("production", BUILD, 1)
        world.review()
        had, status = 0.01, "inProgress"
        for (act, percent), health, kill, after in acts:
            world.health, begun = health, len(world.asked)
            if kill:
                world.faults.add(Fault(kind=kill, method="POST|PUT", after=after, times=1))
            promotion = world.promotion(tries=1)
            with contextlib.suppress(ShipmateError):
                promotion.promote("production", BUILD, percent) if act == "promote" else getattr(promotion, act)()
            world.faults.clear()
            _, now, fraction = world.on()[0]
            has = 1.0 if now == "completed" else fraction or 0.0
            assert has >= had, "nobody loses it"
            if has > had:
                assert (act, health.state, status) == ("promote", "good", "inProgress")
                assert len(world.asked) > begun, "looked at before more people get it"
            if (status, now) == ("halted", "inProgress"):
                assert act == "resume"
            had, status = has, now
