"""The lock: who holds it, who is gone, and that of all who try at once one has it, whatever happens in between."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from release.publishing.forge import Forge, Lock
from release.publishing.lease import Holder, acquire, in_force, myself
from release.refusals import OpenElsewhere

COMMIT = "a" * 40


@dataclass
class Refs:
    """The part of a forge that locks need: creating one succeeds once. `meanwhile` happens between a look and what follows."""

    held: dict[int, dict[str, str]] = field(default_factory=dict)
    over: dict[str, bool] = field(default_factory=dict)
    meanwhile: list[Callable[[], None]] = field(default_factory=list)

    def locks(self, tag: str) -> list[Lock]:
        found = [Lock(generation=number, owner=owner) for number, owner in sorted(self.held.items())]
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return found

    def take_lock(self, tag: str, generation: int, commit: str, owner: Mapping[str, str]) -> bool:
        if generation in self.held:
            return False
        self.held[generation] = dict(owner)
        return True

    def drop_lock(self, tag: str, generation: int) -> None:
        self.held.pop(generation, None)

    def run_is_over(self, run: str) -> bool | None:
        return self.over.get(run)

    @property
    def forge(self) -> Forge:
        return cast(Forge, self)


def holder(**more: Any) -> Holder:
    base = Holder(nonce="n", after="", at=1_000.0, run="", attempt="", machine="elsewhere", process="9@9")
    return replace(base, **more)


def gone() -> Holder:
    return holder(nonce="gone", at=0.0)


def take(refs: Refs, me: Holder | None = None, **more: Any) -> Any:
    return acquire(refs.forge, "v1.0.0", COMMIT, me or myself({}), minutes=15, now=lambda: 1_100.0, **more)


def test_free__is_taken_and_given_back() -> None:
    refs = Refs()
    lease = take(refs)
    assert (list(refs.held), lease.took_over) == ([1], None)
    lease.drop()
    assert refs.held == {}


def test_held__is_respected() -> None:
    refs = Refs({1: holder().as_mapping()})
    with pytest.raises(OpenElsewhere, match="being published by process 9 on elsewhere"):
        take(refs)
    assert list(refs.held) == [1]
    assert take(refs, take_over=True).generation == 2


@pytest.mark.parametrize(
    ("holder", "me", "over", "free"),
    [
        (holder(), holder(machine="here"), {}, False),
        (holder(at=100.0), holder(machine="here"), {}, True),
        (holder(run="7"), holder(machine="here", run="8"), {"7": True}, True),
        (holder(run="7"), holder(machine="here", run="8"), {"7": False}, False),
        (holder(run="7", at=0.0), holder(machine="here", run="8"), {"7": False}, False),
        (holder(run="7", at=0.0), holder(machine="here", run="8"), {}, True),
        (holder(run="7", attempt="1"), holder(machine="here", run="7", attempt="2"), {}, True),
        (holder(run="7", attempt="1"), holder(machine="here", run="7", attempt="1"), {}, False),
        (holder(process="1@0"), holder(process="2@0"), {}, True),
    ],
    ids=["young", "old", "run over", "run goes on", "old run goes on", "run unknown and old", "earlier attempt",
         "same attempt", "process gone"],
)  # fmt: skip
def test_in_force(holder: Holder, me: Holder, over: dict[str, bool], free: bool) -> None:
    why = in_force(Refs(over=over).forge, holder, me, minutes=15, now=lambda: 1_100.0)
    assert (why == "") == free


def test_in_force__process_of_this_machine() -> None:
    """Alive while it runs, gone when it has ended; another process that got its number later is not it."""
    me = myself({})
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
    held = replace(me, nonce="child", process=f"{child.pid}@{started}")
    refs = Refs().forge
    assert in_force(refs, held, me, minutes=15) == "it is running on this machine"
    assert in_force(refs, replace(held, process=f"{child.pid}@1"), me, minutes=15) == ""
    child.communicate(b"\n")
    assert in_force(refs, held, me, minutes=15) == ""


def test_abandoned__is_taken_over_by_one() -> None:
    refs = Refs({1: gone().as_mapping()})
    first = take(refs)
    assert (first.generation, first.took_over.nonce) == (2, "gone")
    with pytest.raises(OpenElsewhere):
        take(refs, holder(nonce="other", machine="other"))
    first.drop()
    assert refs.held == {}


def test_two_see_the_same_abandoned_lock__one_has_it() -> None:
    refs = Refs({1: gone().as_mapping()})
    other = holder(nonce="other", machine="other", at=1_099.0)
    refs.meanwhile = [lambda: refs.held.update({2: replace(other, after="gone").as_mapping()})]
    with pytest.raises(OpenElsewhere, match="on other"):
        take(refs)
    assert list(refs.held) == [1, 2]


def test_someone_came_and_went_and_a_third_began__the_slow_one_gives_way() -> None:
    """Between the look at an abandoned 1 and taking 2: another took over, finished, dropped both; a third took 1 anew."""
    refs = Refs({1: gone().as_mapping()})
    third = holder(nonce="third", machine="third", at=1_099.0)

    def came_and_went() -> None:
        refs.held = {1: third.as_mapping()}

    refs.meanwhile = [came_and_went]
    with pytest.raises(OpenElsewhere, match="on third"):
        take(refs)
    assert list(refs.held) == [1], "what was taken by mistake was given back"


def test_holder_that_was_taken_over__stops_before_the_release_goes_out() -> None:
    refs = Refs()
    lease = take(refs)
    lease.check()
    refs.held[2] = holder(nonce="later", after=lease.holder.nonce).as_mapping()
    with pytest.raises(OpenElsewhere, match="it took over because this process was silent"):
        lease.check()


def test_owner_that_cannot_be_read__is_old() -> None:
    refs = Refs({4: {}})
    assert take(refs).generation == 5


def test_myself__in_a_run() -> None:
    me = myself({"GITHUB_RUN_ID": "12", "GITHUB_RUN_ATTEMPT": "2"})
    assert (me.run, me.attempt) == ("12", "2")
    assert me.process.startswith(f"{os.getpid()}@")
    assert Holder.of(me.as_mapping()) == me
    assert myself({}).nonce != me.nonce
