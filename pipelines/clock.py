"""The clock of a delivery: seconds as the manifest declares them, which a rehearsal may make shorter.

Whatever waits goes through it, so that a rehearsal in scaled time and a real delivery run the same code.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.faults import Policy


@dataclass(frozen=True, kw_only=True)
class Clock:
    """`scale`: how long a declared second really takes; 1 outside of a rehearsal."""

    scale: float = 1.0
    real: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep

    @classmethod
    def of(cls, policy: Policy) -> Clock:
        """The clock of declared times: deadlines and waits are as much shorter as the policy's waits."""
        return cls(scale=policy.scale or 1e-3, wait=policy.sleep)

    @classmethod
    def pausing(cls, policy: Policy) -> Clock:
        """For what takes its own time in a rehearsal too: waits are as much shorter as the policy's, deadlines are not."""
        return cls(wait=lambda seconds: policy.sleep(seconds * policy.scale))

    def monotonic(self) -> float:
        """Declared seconds since some moment."""
        return self.real() / self.scale

    def deadline(self, seconds: float) -> float:
        """The moment after so many declared seconds."""
        return self.monotonic() + seconds

    def sleep(self, seconds: float) -> None:
        """Wait so many declared seconds."""
        self.wait(seconds * self.scale)
