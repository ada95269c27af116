"""When visits are due: arrival processes that depend on a seed and on nothing that the server does.

All but `constant` are Poisson processes, whose rate may change over time: the number of visits in any stretch is Poisson distributed with
the rate's integral as its mean, and stretches are independent. They are made by inverting that integral at the points of a process
of rate one, so no rate is approximated by steps.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from pipelines.errors import InputError
from pipelines.manifest.performance import Arrivals, Load, LoadProfile

KINDS: tuple[Arrivals, ...] = get_args(Arrivals)
LONGEST_RISE = 300.0
"""Seconds in which a soak reaches its rate, at most; else a tenth of its length."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How much load, for how long, in which shape."""

    name: str
    arrivals: Arrivals = "poisson"
    rate: float = 0.0
    """Visits a second: of `poisson`, `constant` and `soak`; what a `ramp` ends with; in the middle third of a `spike`."""
    seconds: float
    from_rate: float = 0.0
    """Visits a second: what a `ramp` begins with; in the first and last third of a `spike`."""
    rates: tuple[float, ...] = ()
    """Visits a second that were recorded, for `replay`: each holds for an equal part of `seconds`."""
    stop_errors: float = 0.2
    """Share of failed requests in ten seconds above which the run stops itself."""

    @classmethod
    def declared(cls, name: str, profile: LoadProfile, load: Load) -> Profile:
        """As the manifest declares it, for an environment that takes `load`."""
        return cls(
            name=name,
            arrivals=profile.arrivals,
            rate=profile.per_second,
            seconds=profile.seconds,
            from_rate=profile.from_per_second,
            rates=profile.recorded,
            stop_errors=load.stop_at_errors / 100,
        )


@dataclass(frozen=True)
class Stretch:
    """A part of a profile in which the rate changes evenly, or not at all."""

    seconds: float
    first: float
    last: float

    @property
    def visits(self) -> float:
        """Expected."""
        return self.seconds * (self.first + self.last) / 2

    def reached(self, visits: float) -> float:
        """Seconds from its beginning until so many visits are expected."""
        slope = (self.last - self.first) / self.seconds
        # first * t + slope / 2 * t**2 = visits, in the form that loses no digits when the slope is small.
        return 2 * visits / (self.first + math.sqrt(max(0.0, self.first**2 + 2 * slope * visits)))


def stretches(profile: Profile) -> tuple[Stretch, ...]:
    """The rate of a profile over its time. Raises InputError for a profile that says nothing, or nonsense."""
    _check(profile)
    rate, seconds = profile.rate, profile.seconds
    if profile.arrivals == "ramp":
        return (Stretch(seconds, profile.from_rate, rate),)
    if profile.arrivals == "spike":
        return tuple(Stretch(seconds / 3, each, each) for each in (profile.from_rate, rate, profile.from_rate))
    if profile.arrivals == "soak":
        rise = min(seconds / 10, LONGEST_RISE)
        return (Stretch(rise, 0.0, rate), Stretch(seconds - rise, rate, rate))
    if profile.arrivals == "replay":
        part = seconds / len(profile.rates)
        return tuple(Stretch(part, each, each) for each in profile.rates)
    return (Stretch(seconds, rate, rate),)


def highest_rate(profile: Profile) -> float:
    """Visits a second. Raises InputError."""
    return max(max(part.first, part.last) for part in stretches(profile))


def expected_visits(profile: Profile) -> float:
    """How many visits a run makes on average. Raises InputError."""
    return sum(part.visits for part in stretches(profile))


def due_times(profile: Profile, seed: int) -> list[float]:
    """Seconds from the start, sorted; the same for the same seed. Raises InputError."""
    chance = random.Random(f"{seed} arrivals {profile.name}")  # noqa: S311 - load, not secrets
    if profile.arrivals == "constant":
        _check(profile)
        phase = chance.random()
        return [(phase + number) / profile.rate for number in range(math.ceil(profile.rate * profile.seconds - phase))]
    return list(_poisson(stretches(profile), chance))


def _poisson(parts: Sequence[Stretch], chance: random.Random) -> Iterator[float]:
    began, visits = 0.0, chance.expovariate(1.0)
    for part in parts:
        while visits < part.visits:
            yield began + part.reached(visits)
            visits += chance.expovariate(1.0)
        visits -= part.visits
        began += part.seconds


def share_of(profile: Profile, number: int, share: int, shares: int, seed: int) -> list[int]:
    """Which of `number` arrivals one of several processes makes (0 … shares-1); together they make each one exactly once.

    Every arrival of a Poisson process goes to a process drawn for it alone, which leaves each of them a Poisson process; a constant one
    is dealt in turn, which leaves it constant.
    """
    if profile.arrivals == "constant":
        return list(range(share, number, shares))
    chance = random.Random(f"{seed} shares {profile.name}")  # noqa: S311 - load, not secrets
    return [index for index in range(number) if chance.randrange(shares) == share]


def _check(profile: Profile) -> None:
    numbers = (profile.rate, profile.seconds, profile.from_rate, *profile.rates)
    if not all(math.isfinite(number) and number >= 0 for number in numbers):
        raise _wrong(
            profile, "has a number that is negative or not finite", "write rates and seconds as positive numbers"
        )
    if profile.seconds <= 0:
        raise _wrong(profile, "takes no time", "give it `seconds`")
    if profile.arrivals == "replay" and not any(profile.rates):
        raise _wrong(profile, "replays no recorded rate", "give it `recorded`: visits a second, one after the other")
    if profile.arrivals == "spike" and profile.rate <= profile.from_rate:
        raise _wrong(
            profile, "is a spike no higher than what is around it", "let `per_second` be above `from_per_second`"
        )
    if profile.arrivals != "replay" and not profile.rate and not (profile.arrivals == "ramp" and profile.from_rate):
        raise _wrong(profile, "makes no visit", "give it `per_second`: visits a second")


def _wrong(profile: Profile, what: str, next_step: str) -> InputError:
    return InputError(f"the profile {profile.name!r} {what}", where="performance", next_step=next_step)
