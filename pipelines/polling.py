"""Looking at something again and again until it is as wanted: how often, how much less often later, and until when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.clock import Clock

SAY_EVERY = 300.0
"""Seconds between two lines that say what is still waited for."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """One look at what is waited for."""

    waited: float
    """Seconds since the first look."""
    last: bool
    """Whether the time is over: there is no other look after this one."""


@dataclass(frozen=True, kw_only=True)
class Polling:
    """The seconds between two looks: `interval` at first, each time `growth` times as many, at most `longest`."""

    interval: float
    growth: float = 1.0
    longest: float = float("inf")

    def looks(
        self, clock: Clock, until: float, *, what: str = "", say: Callable[[str], None] = lambda text: None
    ) -> Iterator[Look]:
        """Now, then again and again, and the last time at `until`, a moment of the clock; the caller leaves the loop when it is done.

        `say` is called before the first wait and every few minutes that `what` is waited for, where it has a name.
        """
        started, pause, message = clock.monotonic(), self.interval, float("-inf")
        while True:
            now = clock.monotonic()
            look = Look(waited=now - started, last=now >= until)
            yield look
            if look.last:
                return
            if what and look.waited - message >= SAY_EVERY:
                say(
                    f"waiting for {what}"
                    if look.waited < SAY_EVERY
                    else f"still waiting for {what}, {minutes(look.waited)} so far"
                )
                message = look.waited
            clock.sleep(max(min(pause, until - clock.monotonic()), 0.0))
            pause = min(self.longest, pause * self.growth)


def minutes(seconds: float) -> str:
    """A time in words: seconds, or minutes when it is long."""
    return f"{seconds / 60:.0f} min" if seconds >= 100 else f"{seconds:.0f} s"
