"""What a sample tells of the value that 95 of a hundred do not exceed, whatever its distribution: order statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

Verdict = Literal["passed", "missed", "too short to tell", "no data", "measured"]
QUANTILE = 0.95


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One metric. `value` is its p95 in its own unit; None without data, and where it was never reached.

    `interval` holds the true p95 with the confidence asked for; an end is None where the sample is too small to bound it there.
    `over`: how many of `samples` were above `limit`.
    """

    metric: str
    value: float | None
    interval: tuple[float | None, float | None]
    samples: int
    limit: float | None
    over: int
    verdict: Verdict


def samples_needed(confidence: float, allowed: int) -> int:
    """The smallest sample that shows the p95 to be below a limit although `allowed` of it are above: 59 with none, 93 with one."""
    count = allowed + 1
    while _at_most(allowed, count) > 1 - confidence:
        count += 1
    return count


def judge(metric: str, values: Sequence[float], limit: float | None, *, confidence: float = 0.95) -> Judged:
    """`values`: one each; math.inf for one that never came. Without a limit the verdict is only whether there is data.

    passed: were the p95 above the limit, so few over it would come about less often than 1 - confidence; missed: the same for so many,
    were it below; between them it is too short to tell.
    """
    ordered = sorted(values)
    over = 0 if limit is None else sum(value > limit for value in ordered)
    return Judged(
        metric=metric,
        value=_finite(ordered[math.ceil(QUANTILE * len(ordered)) - 1]) if ordered else None,
        interval=_interval(ordered, confidence),
        samples=len(ordered),
        limit=limit,
        over=over,
        verdict=_verdict(len(ordered), over, limit, confidence),
    )


def within_budget(metric: str, values: Sequence[float], budget: float) -> Judged:
    """For what does not vary by chance, such as bytes: none may be above. `value` is the largest."""
    over = sum(value > budget for value in values)
    largest = _finite(max(values)) if values else None
    verdict: Verdict = "no data" if not values else "missed" if over else "passed"
    return Judged(
        metric=metric,
        value=largest,
        interval=(largest, largest),
        samples=len(values),
        limit=budget,
        over=over,
        verdict=verdict,
    )


def _verdict(count: int, over: int, limit: float | None, confidence: float) -> Verdict:
    if not count:
        return "no data"
    if limit is None:
        return "measured"
    if _at_most(over, count) <= 1 - confidence:
        return "passed"
    return "missed" if 1 - _at_most(over - 1, count) <= 1 - confidence else "too short to tell"


def _interval(ordered: Sequence[float], confidence: float) -> tuple[float | None, float | None]:
    """The narrowest pair of order statistics with half of the doubt on each side."""
    count, doubt = len(ordered), (1 - confidence) / 2
    # The k-th smallest is above the p95 when fewer than k of all are below it.
    below = [index for index in range(count) if _fewer_below(index + 1, count) <= doubt]
    above = [index for index in range(count) if 1 - _fewer_below(index + 1, count) <= doubt]
    return (
        _finite(ordered[below[-1]]) if below else None,
        _finite(ordered[above[0]]) if above else None,
    )


@cache
def _fewer_below(rank: int, count: int) -> float:
    """Probability that fewer than `rank` of `count` lie below the p95: that the one of this rank lies above it."""
    return sum(math.comb(count, n) * QUANTILE**n * (1 - QUANTILE) ** (count - n) for n in range(rank))


@cache
def _at_most(over: int, count: int) -> float:
    """Probability of at most `over` of `count` above the p95."""
    return sum(math.comb(count, n) * (1 - QUANTILE) ** n * QUANTILE ** (count - n) for n in range(over + 1))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
