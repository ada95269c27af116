"""Is this run slower than the last good one? Only what chance explains in less than one of twenty runs is called a regression.

Each endpoint that both runs have is compared by its median and its 95th percentile, and by the 95th percentile of its time in the
database; the error of one in twenty is for all of them together (Bonferroni). The intervals are those of
`loadtests.intervals`, of the ratio of two runs. A difference too small to matter (`SMALLEST`) is no regression however sure it is:
no two runs meet the same machine and the same neighbours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from loadtests import intervals, validity, warmup
from loadtests.intervals import Metric, Series
from loadtests.recording import Recording

ALPHA = 0.05
SMALLEST = 1.1
COMPARED: tuple[tuple[Metric, float], ...] = (("times", 0.5), ("times", 0.95), ("database", 0.95))


@dataclass(frozen=True, kw_only=True)
class Change:
    """One percentile (milliseconds) of one endpoint, now and in the last good run."""

    endpoint: str
    metric: Metric
    share: float
    now: float
    before: float
    ratio: float
    """Of now to before; its interval holds for all changes of a judgement at once."""
    low: float
    high: float

    @property
    def regression(self) -> bool:
        return self.low > 1 and self.ratio >= SMALLEST


def compare(now: Recording, before: Recording, window: tuple[int, int]) -> tuple[tuple[Change, ...], str]:
    """The changes, and "" or why the two cannot be compared. `window`: the measured seconds of `now`, the end not included."""
    if (now.environment, now.profile) != (before.environment, before.profile):
        return (), (
            f"not compared: the other run was {before.profile!r} on {before.environment}, this one is {now.profile!r} "
            f"on {now.environment}"
        )
    if any(validity.problems(before)):
        return (), "not compared: the other run is invalid"
    end = validity.ended(before)
    earlier = (warmup.measured_from(before.slices(), end), end)
    pairs = []
    for name in sorted(now.endpoints.keys() & before.endpoints.keys()):
        for metric in ("times", "database"):
            ours = Series(now.slices([name]), *window, metric)
            theirs = Series(before.slices([name]), *earlier, metric)
            for kind, share in COMPARED:
                if kind == metric and all(_known(series, share) for series in (ours, theirs)):
                    pairs.append((name, metric, share, ours, theirs))
    found = tuple(_change(*pair, alpha=ALPHA / len(pairs)) for pair in pairs)
    return found, "" if found else "not compared: the runs have no endpoint with enough samples in common"


def _known(series: Series, share: float) -> bool:
    found = intervals.percentile(series, share)
    return not found.why and found.value is not None and math.isfinite(found.value)


def _change(name: str, metric: Metric, share: float, ours: Series, theirs: Series, *, alpha: float) -> Change:
    now, before = (series.edges(series.column(share))[1] for series in (ours, theirs))
    low, high = intervals.ratio(ours, theirs, share, confidence=1 - 2 * alpha)
    return Change(
        endpoint=name, metric=metric, share=share, now=now, before=before, ratio=now / before, low=low, high=high
    )
