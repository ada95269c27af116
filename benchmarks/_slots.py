"""A platform of a fixed number of slots with a fixed service time, simulated without waiting: what it can take is known.

Requests are served in the order in which they come, and also those whose users have given up: after too much load it is slow for as long
as its queue takes. More than its slots divided by its service time a second never goes through.
"""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import dataclass, field

import numpy

from benchmarks._load_servers import slices
from loadtests.arrivals import Profile, due_times
from loadtests.recording import Recording

TIMEOUT = 10.0


@dataclass
class Slots:
    """`measure` is what a search makes its steps with; `time` is that of a clock which only they move."""

    slots: int = 4
    service: float = 0.05
    """Seconds."""
    endpoint: str = "backend GET /notes"
    lag_above: float = math.inf
    """Visits a second above which the generator is late."""
    time: float = 0.0
    profiles: list[Profile] = field(default_factory=list)
    _free: list[float] = field(default_factory=list)

    @property
    def capacity(self) -> float:
        """Requests a second."""
        return self.slots / self.service

    def knee(self, limit: float) -> float:
        """Requests a second above which the 95th percentile of an hour is above `limit` seconds."""
        low, high = 0.0, self.capacity
        while high - low > 0.01 * self.capacity:
            rate = (low + high) / 2
            low, high = (rate, high) if self._p95(rate) <= limit else (low, rate)
        return low

    def _p95(self, rate: float) -> float:
        chance = random.Random(1)  # noqa: S311 - load, not secrets
        free, moment, took = [0.0] * self.slots, 0.0, []
        while moment < 3600:
            moment += chance.expovariate(rate)
            begins = max(moment, free[0])
            heapq.heapreplace(free, begins + self.service)
            took.append(begins + self.service - moment)
        return sorted(took)[int(0.95 * len(took))]

    def clock(self) -> float:
        return self.time

    def measure(self, profile: Profile, draw: int) -> Recording:
        self.profiles.append(profile)
        free = self._free or [0.0] * self.slots
        due, ms = due_times(profile, draw), []
        for moment in due:
            begins = max(self.time + moment, free[0])
            heapq.heapreplace(free, begins + self.service)
            took = begins + self.service - self.time - moment
            ms.append(took * 1000 if took <= TIMEOUT else math.inf)
        recording = self._recorded(profile, draw, due, ms)
        self.time += profile.seconds + max((min(each, TIMEOUT * 1000) for each in ms[-1:]), default=0.0) / 1000
        self._free = free
        return recording

    def _recorded(self, profile: Profile, draw: int, due: list[float], ms: list[float]) -> Recording:
        recording = Recording.of_shard(
            profile=profile.name, environment="staging", release="v1.0.0", seed=draw, start=0.0, seconds=profile.seconds
        )
        recording.expect(due)
        for moment in due:
            recording.arrived(moment, 40.0 if profile.rate > self.lag_above else 0.5)
        recording.endpoints[self.endpoint] = slices(numpy.array(due), numpy.array(ms))
        return recording
