"""How often something is looked at, until when, and the messages meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pipelines.clock import Clock
from pipelines.faults import Policy
from pipelines.polling import Polling, minutes


@dataclass
class Time:
    """A clock that moves when someone waits by it."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def clock(self, scale: float = 1.0) -> Clock:
        return Clock(scale=scale, real=lambda: self.now, wait=self.wait)


def test_the_waits_grow_to_a_bound_and_the_last_look_is_at_the_end() -> None:
    time = Time()
    clock = time.clock()
    looks = list(Polling(interval=30, growth=2, longest=100).looks(clock, clock.deadline(300)))
    assert time.waits == [30, 60, 100, 100, 10]
    assert [look.waited for look in looks] == [0, 30, 90, 190, 290, 300]
    assert [look.last for look in looks] == [False] * 5 + [True]


def test_without_time_there_is_one_look() -> None:
    time = Time()
    clock = time.clock()
    assert [look.last for look in Polling(interval=30).looks(clock, clock.deadline(0))] == [True]
    assert time.waits == []


def test_the_one_who_found_it_waits_no_longer() -> None:
    time = Time()
    clock = time.clock()
    for look in Polling(interval=30).looks(clock, clock.deadline(300)):
        if look.waited == 60:
            break
    assert time.waits == [30, 30]


def test_a_rehearsals_clock_makes_all_of_it_shorter() -> None:
    time = Time()
    clock = time.clock(scale=0.125)
    looks = list(Polling(interval=32).looks(clock, clock.deadline(64)))
    assert (time.waits, [look.waited for look in looks]) == ([4, 4], [0, 32, 64])


def test_what_is_waited_for_is_reported_now_and_then() -> None:
    time = Time()
    clock, message = time.clock(), list[str]()
    for look in Polling(interval=100).looks(clock, clock.deadline(1000), what="a build", say=message.append):
        assert len(message) == (look.waited + 200) // 300
    assert message == ["waiting for a build", *(f"still waiting for a build, {n} min so far" for n in (5, 10, 15))]
    assert list(Polling(interval=1).looks(clock, clock.deadline(0), what="a build", say=message.append))
    assert len(message) == 4, "what is there at once is not waited for"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (99, "99 s"), (100, "2 min"), (3600, "60 min")])
def test_times_in_words(seconds: float, text: str) -> None:
    assert minutes(seconds) == text


def test_clocks_of_a_policy() -> None:
    """Of declared times all is shorter; for what takes its own time the deadlines stay."""
    waits: list[float] = []
    policy = Policy(scale=0.5, sleep=waits.append)
    Clock.of(policy).sleep(10)
    Clock.pausing(policy).sleep(10)
    assert waits == [5, 5]
    assert (Clock.of(policy).scale, Clock.pausing(policy).scale) == (0.5, 1.0)
    assert Clock.of(Policy(scale=0.0)).monotonic() > 0, "a policy that waits for nothing has a clock too"
