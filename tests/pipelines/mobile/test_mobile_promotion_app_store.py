"""A build goes to other testers and to the emulated App Store, at once or in phases, and every wait is left to the party it is for."""

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

from pipelines.errors import InputError, ProviderUnavailable, RefusedError, ShipmateError
from pipelines.manifest.mobile import Groups
from pipelines.mobile.promoted import Candidate
from rehearsal.faults import Fault
from tests.pipelines.mobile.stores import BAD, GOOD, UNKNOWN, AppleWorld, apple_world

pytestmark = pytest.mark.world

BUILD = Candidate(version="1.0.1", number=7)


@pytest.fixture
def first(tmp_path: Path) -> Iterator[AppleWorld]:
    with apple_world(tmp_path) as made:
        made.deliver("1.0.1", 7)
        yield made


@pytest.fixture
def world(first: AppleWorld) -> AppleWorld:
    """Where 1.0.0 is on sale."""
    first.publish("1.0.0")
    return first


def phased(world: AppleWorld) -> AppleWorld:
    """On the first day of its phases."""
    world.promotion().promote("production", BUILD, phased=True)
    world.review()
    return world


def test_the_build_is_found_in_the_store(world: AppleWorld) -> None:
    world.deliver("1.0.1", 6)
    world.apple.account.builds["build-1.0.1-6"].state = "INVALID"
    assert world.promotion().find() == world.promotion().find("1.0.1") == BUILD
    with pytest.raises(InputError, match=r"no build of 1\.0\.7"):
        world.promotion().find("1.0.7")


def test_other_testers_get_it_after_a_beta_review(world: AppleWorld) -> None:
    found = world.promotion().promote("beta", BUILD)
    assert (found.text, found.changed) == ("1.0.1 (7) is with Friends of TestFlight", True)
    assert "Apple's beta review" in found.waits_for
    again = world.promotion().promote("beta", BUILD)
    assert (again.changed, again.waits_for) == (False, found.waits_for)
    assert len(world.apple.account.beta_submissions) == 1
    for submission in world.apple.account.beta_submissions.values():
        world.apple.account.decide(submission.review, "APPROVED")
    assert world.promotion().promote("beta", BUILD).waits_for == ""


def test_without_other_testers_there_is_no_beta(world: AppleWorld) -> None:
    world.settings = replace(world.settings, groups=Groups(internal=("Team",)))
    with pytest.raises(InputError, match="no group of other testers"):
        world.promotion().promote("beta", BUILD)


def test_a_first_version_goes_to_the_store_without_what_is_new_and_not_in_phases(first: AppleWorld) -> None:
    with pytest.raises(RefusedError, match="a first version is not released in phases"):
        first.promotion().promote("production", BUILD, phased=True)
    found = first.promotion().promote("production", BUILD)
    assert (found.text, found.changed) == ("1.0.1 (7) is waiting for review", True)
    assert "Apple's review" in found.waits_for
    again = first.promotion().promote("production", BUILD)
    assert (again.text, again.changed) == (found.text, False)
    first.review()
    done = first.promotion().promote("production", BUILD)
    assert (done.text, done.waits_for, done.percent) == ("1.0.1 (7) is on sale", "", 100)


def test_an_update_says_what_its_testers_were_shown_is_new(world: AppleWorld) -> None:
    world.promotion().promote("production", BUILD)
    [made] = [each for each in world.apple.account.versions.values() if each.version == "1.0.1"]
    assert made.build == "build-1.0.1-7"
    values = [notes.texts["whatsNew"] for notes in world.apple.account.version_notes.values() if notes.of == made.id]
    assert values == ["- Finds notes"]


def test_an_update_of_which_nobody_wrote_anything(world: AppleWorld) -> None:
    silent = world.deliver("1.0.2", 8, notes="")
    with pytest.raises(RefusedError, match="nothing says what is new") as caught:
        world.promotion().promote("production", silent)
    assert "write it there in en-US" in caught.value.next_step


def test_in_phases_with_a_pause(world: AppleWorld) -> None:
    asked = world.promotion().promote("production", BUILD, phased=True)
    assert (asked.text, asked.percent) == ("1.0.1 (7) is waiting for review; it goes on sale in phases, from 1 %", 1)
    assert world.promotion().watch() is None
    world.review()
    promotion = world.promotion()
    assert promotion.promote("production", BUILD, phased=True).text == "1.0.1 (7) is with 1 %, on day 1 of 7"
    world.days(2)
    assert promotion.halt().text.startswith("1.0.1 (7) is paused at 5 %")
    assert not promotion.halt().changed
    world.days(4)
    assert promotion.promote("production", BUILD).text == "1.0.1 (7) is with 5 %, on day 3 of 7, paused"
    with pytest.raises(RefusedError, match="is paused at 5 %"):
        promotion.complete(BUILD)
    assert promotion.resume().text == "1.0.1 (7) goes on at 5 %"
    assert not promotion.resume().changed
    assert promotion.complete(BUILD).text == f"1.0.1 (7) goes from 5 % to everybody: {GOOD.says}"
    again = promotion.complete(BUILD)
    assert (again.text, again.changed) == ("1.0.1 (7) is with everybody already", False)
    with pytest.raises(RefusedError, match="no phased release is under way"):
        promotion.halt()


def test_it_ends_by_itself_after_seven_days(world: AppleWorld) -> None:
    phased(world)
    shares = []
    for _ in range(8):
        shares.append(world.promotion().promote("production", BUILD).percent)
        world.days(1)
    assert shares == [1, 2, 5, 10, 20, 50, 100, 100]


def test_phases_that_are_asked_for_too_late(world: AppleWorld) -> None:
    world.promotion().promote("production", BUILD)
    assert world.promotion().promote("production", BUILD, phased=True).changed, "in time while it is in review"
    world.review()
    newer = world.deliver("1.0.2", 8)
    world.promotion().promote("production", newer)
    world.review()
    with pytest.raises(RefusedError, match=r"1.0.2 \(8\) is on sale to everybody"):
        world.promotion().promote("production", newer, phased=True)
    with pytest.raises(RefusedError, match=r"1.0.1 was on sale \(replaced with new version\)"):
        world.promotion().promote("production", BUILD)


def test_what_does_badly_is_paused_by_itself(world: AppleWorld) -> None:
    phased(world)
    world.health = UNKNOWN
    watched = world.promotion().watch()
    assert watched is not None
    assert (watched.halted, watched.changed) == ("", False)
    world.health = BAD
    found = world.promotion().watch()
    assert found is not None
    assert (found.halted, found.changed) == (BAD.says, True)
    assert world.promotion().watch() is None
    assert "pauses it again" in world.promotion().resume().text


@pytest.mark.parametrize(("health", "held", "halted"), [(UNKNOWN, UNKNOWN.says, ""), (BAD, "", BAD.says)])
def test_everybody_gets_it_only_when_it_does_well(world: AppleWorld, health: Any, held: str, halted: str) -> None:
    phased(world).health = health
    found = world.promotion().complete(BUILD)
    assert (found.held, found.halted, found.percent) == (held, halted, 1)


def test_what_does_badly_with_testers_is_not_sent_to_review(world: AppleWorld) -> None:
    world.health = BAD
    assert "badly with its testers" in world.promotion().promote("production", BUILD).held
    assert world.apple.account.submissions == {}


def test_a_rejected_build_waits_for_a_person_and_another_build_is_sent_again(world: AppleWorld) -> None:
    world.promotion().promote("production", BUILD)
    world.review("REJECTED")
    found = world.promotion().promote("production", BUILD)
    assert (found.text, found.changed) == ("1.0.1 (7) was rejected (rejected)", False)
    assert "App Review says what is wrong" in found.waits_for
    better = world.deliver("1.0.1", 8)
    assert world.promotion().promote("production", better).text == "1.0.1 (8) is waiting for review"
    with pytest.raises(RefusedError, match=r"1.0.1 has the build 8, not 7 \(waiting for review\)"):
        world.promotion().promote("production", BUILD)


def test_one_version_at_a_time(world: AppleWorld) -> None:
    world.promotion().promote("production", BUILD)
    newer = world.deliver("1.0.2", 8)
    with pytest.raises(RefusedError, match=r"1.0.1 is on its way already \(waiting for review\)"):
        world.promotion().promote("production", newer)


def test_what_someone_withdrew_can_be_sent_again(world: AppleWorld) -> None:
    world.promotion().promote("production", BUILD)
    [submission] = world.apple.account.submissions.values()
    world.apple.patch("reviewSubmissions", submission.id, {"canceled": True})
    assert world.promotion().promote("production", BUILD).text == "1.0.1 (7) is waiting for review"


@pytest.mark.parametrize("kind", ["cut", "lose_answer"])
@pytest.mark.parametrize("call", range(1, 8))
def test_killed_at_any_change_it_is_finished_by_running_it_again(world: AppleWorld, call: int, kind: Any) -> None:
    world.faults.add(Fault(kind=kind, method="POST|PATCH", after=call - 1, times=1))
    with contextlib.suppress(ProviderUnavailable):
        world.promotion(tries=1).promote("production", BUILD, phased=True)
    world.faults.clear()
    found = world.promotion().promote("production", BUILD, phased=True)
    assert found.text == "1.0.1 (7) is waiting for review; it goes on sale in phases, from 1 %"
    account = world.apple.account
    assert (len(account.versions), len(account.submissions), len(account.phased)) == (2, 1, 1)


ACTS = st.sampled_from(["halt", "resume", "watch", "complete", "promote", "day"])


@settings(max_examples=6, deadline=None)
@given(acts=st.lists(st.tuples(ACTS, st.sampled_from([GOOD, BAD, UNKNOWN]), st.booleans()), max_size=6))
def test_shares_only_rise_whatever_is_done_in_whatever_order(acts: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, apple_world(Path(folder)) as world:
        world.publish("1.0.0")
        world.deliver("1.0.1", 7)
        phased(world)
        had = 1.0
        for act, health, killed in acts:
            world.health = health
            promotion = world.promotion(tries=1)
            if killed:
                world.faults.add(Fault(kind="lose_answer", method="PATCH", times=1))
            with contextlib.suppress(ShipmateError):
                if act == "day":
                    world.days(1)
                elif act == "complete":
                    promotion.complete(BUILD)
                elif act == "promote":
                    promotion.promote("production", BUILD)
                else:
                    getattr(promotion, act)()
            world.faults.clear()
            has = world.promotion().promote("production", BUILD).percent
            assert has >= had
            if has > had:
                assert act == "day" or (act, health) == ("complete", GOOD)
            had = has
