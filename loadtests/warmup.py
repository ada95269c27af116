"""How much of the beginning is left out: caches are cold then, connections new, and no visit has come to its second request.

The first ten seconds always (a tenth of a run shorter than that many times ten), so that chance does not decide. It goes on, five
seconds at a time, while those five are clearly slower than what follows: by more than three standard deviations, of the shares
of answers that are above the median of the run. A beginning that is faster than the rest is no warm-up, and stays. No more than a
quarter of a run is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from loadtests.histogram import Histogram

if TYPE_CHECKING:
    from loadtests.recording import Slice

SECONDS = 10
_STEP = 5
_MOST = 0.25
_DEVIATIONS = 3.0
_FEWEST = 5
"""Steps to compare with."""


def measured_from(slices: Mapping[int, Slice], end: int) -> int:
    """The second from which answers count; `slices` are those of all endpoints, `end` is where the run ended."""
    first = min(SECONDS, end // 10)
    whole = Histogram()
    for second, each in slices.items():
        if first <= second < end:
            whole.add(each.times)
    median = whole.quantile(0.5)
    if median is None:
        return first
    while first + _STEP <= end * _MOST:
        later = [_slow(slices, at, median) for at in range(first + _STEP, end - _STEP + 1, _STEP)]
        if not _slower(_slow(slices, first, median), [share for share in later if share is not None]):
            break
        first += _STEP
    return first


def _slow(slices: Mapping[int, Slice], first: int, median: float) -> float | None:
    """The share of answers in a step that are above the median or failed; None where there are none."""
    step = [slices[second] for second in range(first, first + _STEP) if second in slices]
    count = sum(each.count for each in step)
    return sum(each.times.above(median) + each.failed for each in step) / count if count else None


def _slower(now: float | None, later: Sequence[float]) -> bool:
    if now is None or len(later) < _FEWEST:
        return False
    return now > fmean(later) + _DEVIATIONS * max(stdev(later), 0.02)
