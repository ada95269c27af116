"""The window that admits in constant time, against one that obviously does what the words say."""

from __future__ import annotations

from itertools import accumulate

from backend.moving_window import LocalWindow
from hypothesis import given
from hypothesis import strategies as st

LIMIT, SECONDS = 5, 60
# Whole seconds, so that requests at exactly the same time and exactly a window apart occur.
gaps = st.lists(st.integers(min_value=0, max_value=40), max_size=60)


class Clock:
    """Time that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def window() -> tuple[LocalWindow, Clock]:
    clock = Clock()
    return LocalWindow(limit=LIMIT, seconds=SECONDS, clock=clock), clock


def obvious(moments: list[int]) -> list[bool]:
    """A request is admitted while fewer than LIMIT were admitted in the SECONDS before it."""
    admitted: list[int] = []
    verdicts = []
    for now in moments:
        verdicts.append(sum(1 for then in admitted if then > now - SECONDS) < LIMIT)
        admitted += [now] if verdicts[-1] else []
    return verdicts


@given(gaps)
def test_it_decides_like_the_obvious_window(gaps: list[int]) -> None:
    limiter, clock = window()
    moments, verdicts = list(accumulate(gaps)), []
    for clock.now in moments:
        verdicts.append(limiter.admit("dev-1").admitted)
    assert verdicts == obvious(moments)


@given(gaps)
def test_no_stretch_of_a_minute_holds_more_than_the_limit(gaps: list[int]) -> None:
    limiter, clock = window()
    admitted = [clock.now for clock.now in accumulate(gaps) if limiter.admit("dev-1").admitted]
    assert all(later - earlier >= SECONDS for earlier, later in zip(admitted, admitted[LIMIT:], strict=False))


@given(gaps)
def test_waiting_as_long_as_asked_is_enough_and_less_is_not(gaps: list[int]) -> None:
    limiter, clock = window()
    for clock.now in accumulate([0] * LIMIT + gaps):
        verdict = limiter.admit("dev-1")
    if verdict.admitted:
        for _ in range(verdict.remaining + 1):
            verdict = limiter.admit("dev-1")
    refused_at = clock.now
    clock.now = refused_at + verdict.wait - 0.5
    assert not limiter.admit("dev-1").admitted
    clock.now = refused_at + verdict.retry_after
    assert limiter.admit("dev-1").admitted


@given(st.lists(st.sampled_from(["dev-1", "dev-2", "on-call"]), max_size=40))
def test_users_do_not_share_a_window(users: list[str]) -> None:
    limiter, _ = window()
    admitted = [user for user in users if limiter.admit(user).admitted]
    for user in set(users):
        assert admitted.count(user) == min(users.count(user), LIMIT)


@given(st.integers(min_value=0, max_value=30_000))
def test_memory_is_bounded_the_one_who_asks(extra: int) -> None:
    limiter, _ = window()
    for number in range(0, 10_000 + extra, 500):
        limiter.admit(f"address:{number}")
    assert limiter.admit("dev-1").remaining == LIMIT - 1
