"""Is this run slower than the last good one? Only what chance explains in less than one of twenty runs is called a regression.

Each endpoint that both runs have is compared by its median and its 95th percentile, and by the 95th percentile of its time in the
database; the error of one in twenty is for all of them together (Bonferroni). The intervals are those of
`loadtests.intervals`, of the ratio of two runs. A difference too small to matter (`SMALLEST`) is no regression however sure it is:
no two runs meet the same machine and the same neighbours.

The share of failed requests is compared as well, of each endpoint and of all together, within the same one in twenty. Failures come in
bursts, and often there were none in one of the runs, of which a bootstrap can say nothing. So blocks of both runs, longer than a burst, are
paired by their place in the run, and all that is asked is how often the difference is as large when the two of each pair change places by
chance (a permutation test by signs: R. A. Fisher, The Design of Experiments, 1935, §21). It supposes nothing but that the runs are alike.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loadtests import intervals, validity
from loadtests.intervals import Metric, Series
from loadtests.window import Window

if TYPE_CHECKING:
    from loadtests.intervals import Floats

ALPHA = 0.05
SMALLEST = 1.1
MORE_FAILED = 0.001
"""Of all requests: fewer that failed more are no regression however sure they are."""
ALL = "all requests"
_SHUFFLES = 20_000
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


@dataclass(frozen=True, kw_only=True)
class Failures:
    """The share of failed requests (0 to 1) of one endpoint, or of all, now and in the last good run."""

    endpoint: str
    now: float
    before: float
    chance: float
    """How often chance alone makes as much of a difference between two runs that are alike."""
    alpha: float
    """What `chance` must be below to be called none."""

    @property
    def regression(self) -> bool:
        return self.chance <= self.alpha and self.now - self.before >= MORE_FAILED


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs beside each other; the error of one in twenty is for all rows together."""

    changes: tuple[Change, ...] = ()
    failures: tuple[Failures, ...] = ()
    why: str = ""
    """Why the two cannot be compared; "" where they can."""


def compare(now: Window, before: Window) -> Comparison:
    """Hold a run against another."""
    ours, theirs = now.recording, before.recording
    if (ours.environment, ours.profile) != (theirs.environment, theirs.profile):
        return Comparison(
            why=f"not compared: the other run was {theirs.profile!r} on {theirs.environment}, this one is {ours.profile!r} "
            f"on {ours.environment}"
        )
    if any(validity.problems(theirs)):
        return Comparison(why="not compared: the other run is invalid")
    pairs = [
        (name, metric, share)
        for name in sorted(ours.endpoints.keys() & theirs.endpoints.keys())
        for metric, share in COMPARED
        if all(intervals.known(window.series([name], metric), share) for window in (now, before))
    ]
    groups = comparable(now, before)
    alpha = ALPHA / max(1, len(pairs) + len(groups))
    changes = tuple(
        _change(name, metric, share, now.series([name], metric), before.series([name], metric), alpha=alpha)
        for name, metric, share in pairs
    )
    why = "" if changes or groups else "not compared: the runs have no endpoint with enough samples in common"
    return Comparison(changes=changes, failures=failures(now, before, groups, alpha), why=why)


Groups = dict[str, tuple[Sequence[str], int]]
"""What is compared -> its endpoints, and seconds of a block."""


def comparable(now: Window, before: Window) -> Groups:
    """What both runs have in at least as many blocks as an interval needs."""
    names = sorted(now.recording.endpoints.keys() & before.recording.endpoints.keys())
    groups: dict[str, Sequence[str]] = {name: [name] for name in names}
    if len(names) > 1:
        groups[ALL] = names
    found = {}
    for name, endpoints in groups.items():
        series = [window.series(endpoints, "times") for window in (now, before)]
        length = max(each.blocks.length * each.unit for each in series)
        first, end = _both(now, before)
        if all(each.samples for each in series) and end - first >= intervals.BLOCKS * length:
            found[name] = (endpoints, length)
    return found


def failures(now: Window, before: Window, groups: Groups, alpha: float) -> tuple[Failures, ...]:
    """The shares of failed requests of each group, and how likely chance makes their difference."""
    found = []
    for name, (endpoints, length) in groups.items():
        shares = []
        for window in (now, before):
            failed, requests = _by_block(window, endpoints, length, _both(now, before))
            shares.append(failed / max(1.0, requests))
        ours, theirs = (float(each.sum()) for each in shares)
        chance = _chance(shares[0] - shares[1]) if ours > theirs else 1.0
        found.append(Failures(endpoint=name, now=ours, before=theirs, chance=chance, alpha=alpha))
    return tuple(found)


def _both(now: Window, before: Window) -> tuple[int, int]:
    """The seconds that were measured in both."""
    return max(now.first, before.first), min(now.end, before.end)


def _by_block(
    window: Window, endpoints: Collection[str], length: int, measured: tuple[int, int]
) -> tuple[Floats, float]:
    """Failed requests of each block, and all requests; a rest that is no whole block goes to the last one."""
    import numpy

    first, end = measured
    blocks = max(1, (end - first) // length)
    failed, requests = numpy.zeros(blocks), 0.0
    for second, found in window.recording.slices(endpoints).items():
        if first <= second < end:
            failed[min(blocks - 1, (second - first) // length)] += found.failed
            requests += found.count
    return failed, requests


def _chance(apart: Floats) -> float:
    """Of all ways in which the two of each pair may change places, the share with a sum as large; all are tried where they are few."""
    import numpy

    apart = apart[apart != 0]
    if 2 ** len(apart) <= _SHUFFLES:
        ways = numpy.arange(2 ** len(apart))[:, None] >> numpy.arange(len(apart)) & 1
        return float(((ways * 2 - 1) @ apart >= apart.sum() - 1e-12).mean())
    signs = numpy.random.default_rng(len(apart)).integers(0, 2, (_SHUFFLES, len(apart))) * 2 - 1
    return float((1 + (signs @ apart >= apart.sum() - 1e-12).sum()) / (1 + _SHUFFLES))


def _change(name: str, metric: Metric, share: float, ours: Series, theirs: Series, *, alpha: float) -> Change:
    now, before = (series.edges(series.column(share))[1] for series in (ours, theirs))
    low, high = intervals.ratio(ours, theirs, share, confidence=1 - 2 * alpha)
    return Change(
        endpoint=name, metric=metric, share=share, now=now, before=before, ratio=now / before, low=low, high=high
    )
