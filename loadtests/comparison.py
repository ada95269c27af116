"""Is this run slower than the last good one? Only what chance explains in less than one of twenty runs is called a regression.

Each endpoint that both runs have is compared by its median and its 95th percentile, and by the 95th percentile of its time in the
database; the error of one in twenty is for all of them together (Bonferroni). The intervals are those of
`loadtests.intervals`, of the ratio of two runs. A difference too small to matter (`SMALLEST`) is no regression however sure it is:
no two runs meet the same machine and the same neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

from loadtests import intervals, validity
from loadtests.intervals import Metric, Series
from loadtests.window import Window

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


def compare(now: Window, before: Window) -> tuple[tuple[Change, ...], str]:
    """The changes, and "" or why the two cannot be compared."""
    ours, theirs = now.recording, before.recording
    if (ours.environment, ours.profile) != (theirs.environment, theirs.profile):
        return (), (
            f"not compared: the other run was {theirs.profile!r} on {theirs.environment}, this one is {ours.profile!r} "
            f"on {ours.environment}"
        )
    if any(validity.problems(theirs)):
        return (), "not compared: the other run is invalid"
    pairs = [
        (name, metric, share)
        for name in sorted(ours.endpoints.keys() & theirs.endpoints.keys())
        for metric, share in COMPARED
        if all(intervals.known(window.series([name], metric), share) for window in (now, before))
    ]
    found = tuple(
        _change(
            name, metric, share, now.series([name], metric), before.series([name], metric), alpha=ALPHA / len(pairs)
        )
        for name, metric, share in pairs
    )
    return found, "" if found else "not compared: the runs have no endpoint with enough samples in common"


def _change(name: str, metric: Metric, share: float, ours: Series, theirs: Series, *, alpha: float) -> Change:
    now, before = (series.edges(series.column(share))[1] for series in (ours, theirs))
    low, high = intervals.ratio(ours, theirs, share, confidence=1 - 2 * alpha)
    return Change(
        endpoint=name, metric=metric, share=share, now=now, before=before, ratio=now / before, low=low, high=high
    )
