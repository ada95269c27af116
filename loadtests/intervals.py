"""Percentiles of a run with confidence intervals that stay true when slow answers come in bursts.

A server that stalls makes neighbouring answers slow together, so a thousand requests may be worth no more than ten. The interval
therefore comes from a block bootstrap: seconds of the run are drawn again in blocks of consecutive ones, longer than what holds
neighbours together, and the percentile is taken of each draw (H. R. Künsch: The jackknife and the bootstrap for general
stationary observations, Annals of Statistics 17, 1989). Four parts are fitted to load tests:

- A block is twice the longest stall that was found, and five times the autocorrelation time of what remains between stalls
  (windowed as by A. Sokal, 1997).
- Blocks are drawn within their own stretch of the run (a stratum of four blocks). So a leak, a ramp or a spike is taken for what
  it is, a course of this run, and not for luck; the percentile is that of the mixture over the run.
- With few blocks a bootstrap's interval is too narrow; its tails are moved out to what Student's t says for the number of blocks
  (T. Hesterberg: What teachers should know about the bootstrap, American Statistician 69, 2015: the expanded percentile interval).
- An answer that failed counts as one that never came: slower than any other.

It refuses to answer where this is not known to hold (`Estimate.why`): fewer than ten blocks, fewer than `RARE` answers
expected above the percentile, or fewer than ten stalls where a good part of what is above it comes of stalls. Coverage is
measured by benchmarks/load_intervals.py. What did not happen during the run cannot be seen in it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

from loadtests.histogram import lower_ms, upper_ms

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from loadtests.histogram import Histogram
    from loadtests.recording import Slice

    Floats = NDArray[numpy.float64]

Metric = Literal["times", "database"]

CONFIDENCE = 0.95
DRAWS = 2000
_PAIRINGS = 10
"""How often each draw of one run is compared with one of another."""
BLOCKS = 10
"""Fewest blocks that an interval is made of."""
STALLS = 10
"""Fewest stalls that one is made of, where `_OF_STALLS` of the slow answers come of them."""
RARE = 15
"""Fewest answers that are to be expected above a percentile (and below it)."""
_OF_STALLS = 0.1
_PER_STRATUM = 4
_TIMES_AUTOCORRELATION = 5
_INDEPENDENT = 1.5
"""Units: an autocorrelation time of independent answers is rarely found to be above that."""
_EXACT = 2**22
"""Samples that are counted exactly in numbers of 32 bits (24 of them for the digits), which take half the time."""
_SHORTEST = 3
"""Seconds of the shortest block."""
_MOST_UNITS = 2400
"""Longer runs are reckoned in units of several seconds."""
_STALL = 1.5
"""A second is part of a stall when the answers due in it took this many times as long as around it (geometric means) ..."""
_STALL_DEVIATIONS = 5.0
"""... and this many standard deviations more."""
_FAILED = 4.0
"""A failed answer counts as this many times the longest one where a mean is asked for."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A percentile or a share, and between what it lies with 95 % confidence.

    Percentiles are in milliseconds; infinity means that more answers failed than the percentile leaves out.
    """

    value: float | None
    """None where there are no samples."""
    low: float
    high: float
    """Good only where `why` is empty."""
    samples: int
    why: str = ""
    """Why the run is too short to tell; "" where it is not."""
    block_seconds: int = 0
    stalls: int = 0
    longest_stall: int = 0
    """Seconds."""


@dataclass(frozen=True)
class Blocks:
    """How the units of a series hang together."""

    length: int
    stalls: int
    longest: int
    stalled: Floats
    """1 for each unit in a stall, else 0."""


class Series:
    """One endpoint (or all of them) over the measured part of a run, as a matrix of counts by unit of time and HDR step."""

    def __init__(self, slices: Mapping[int, Slice], first: int, end: int, metric: Metric = "times") -> None:
        """`first` and `end` are seconds, the end not included. Seconds without samples count as such."""
        import numpy

        self.unit = max(1, math.ceil((end - first) / _MOST_UNITS))
        units = max(0, math.ceil((end - first) / self.unit))
        found: list[tuple[int, Histogram, int]] = [
            ((second - first) // self.unit, getattr(each, metric), each.failed if metric == "times" else 0)
            for second, each in slices.items()
            if first <= second < end
        ]
        self.indices = sorted({index for _, histogram, _ in found for index in histogram.counts})
        column = {index: number for number, index in enumerate(self.indices)}
        self.counts: Floats = numpy.zeros((units, len(self.indices) + 1))
        """The last column counts what failed."""
        for unit, histogram, failed in found:
            for index, count in histogram.counts.items():
                self.counts[unit, column[index]] += count
            self.counts[unit, -1] += failed
        self.samples = int(self.counts.sum())
        self.failed = int(self.counts[:, -1].sum())
        self._blocks: Blocks | None = None
        self._drawn: dict[int, Floats] = {}

    @property
    def units(self) -> int:
        return len(self.counts)

    def edges(self, column: int) -> tuple[float, float]:
        """Shortest and longest time, in milliseconds, of a column."""
        if column >= len(self.indices):
            return math.inf, math.inf
        return lower_ms(self.indices[column]), upper_ms(self.indices[column])

    def column(self, share: float) -> int:
        """Of the percentile, as measured."""
        return int(_columns(self.counts.sum(axis=0)[None, :], share)[0])

    @property
    def blocks(self) -> Blocks:
        if self._blocks is None:
            self._blocks = _blocks(self)
        return self._blocks

    def drawn(self, seed: int) -> Floats:
        """Counts by column (second axis) of every draw (first axis), cumulated."""
        import numpy

        if seed not in self._drawn:
            weights = _weights(self.units, self.blocks.length, seed)
            kind = numpy.float32 if self.samples < _EXACT else numpy.float64
            self._drawn[seed] = (weights.astype(kind) @ self.counts.astype(kind)).cumsum(axis=1)
        return self._drawn[seed]


def percentile(series: Series, share: float, *, seed: int = 0, confidence: float = CONFIDENCE) -> Estimate:
    """The time that a share (0 to 1) of answers did not exceed. The same seed gives the same interval."""
    import numpy

    if not series.samples:
        return Estimate(value=None, low=0.0, high=math.inf, samples=0, why="there are no samples")
    column = series.column(share)
    why = _too_short(series, share, column)
    if series.units < 2:
        return Estimate(value=series.edges(column)[1], low=0.0, high=math.inf, samples=series.samples, why=why)
    columns = numpy.sort(_columns(series.drawn(seed), share, cumulated=True))
    low, high = _tails(columns, series, confidence)
    blocks = series.blocks
    return Estimate(
        value=series.edges(column)[1],
        low=series.edges(int(low))[0],
        high=series.edges(int(high))[1],
        samples=series.samples,
        why=why,
        block_seconds=blocks.length * series.unit,
        stalls=blocks.stalls,
        longest_stall=blocks.longest * series.unit,
    )


def ratio(now: Series, before: Series, share: float, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Between what the percentile of one run lies, divided by that of another. Both must be known (`Estimate.why`)."""
    import numpy

    ours, theirs = (
        numpy.log(_times(series)[_columns(series.drawn(seed), share, cumulated=True)])
        for seed, series in enumerate((now, before))
    )
    apart = numpy.sort(numpy.concatenate([ours - numpy.roll(theirs, turn) for turn in range(_PAIRINGS)]))
    fewest = min((now, before), key=lambda series: series.units / series.blocks.length)
    low, high = _tails(apart, fewest, confidence)
    return math.exp(low), math.exp(high)


def of_independent(values: Sequence[float], share: float, *, confidence: float = CONFIDENCE) -> Estimate:
    """The percentile of samples that have nothing to do with each other (page loads, each in a browser of its own).

    The interval is exact for any distribution: between two of the sorted samples, by the binomial one. It has no upper end, and
    `why` says so, with fewer samples than can show one.
    """
    ordered, count = sorted(values), len(values)
    if not count:
        return Estimate(value=None, low=0.0, high=math.inf, samples=0, why="there are no samples")
    tail = (1 - confidence) / 2
    cumulated = list(itertools.accumulate(_binomial(count, k, share) for k in range(count + 1)))
    low = sum(1 for each in cumulated if each <= tail)
    high = next((k for k, each in enumerate(cumulated) if each >= 1 - tail), count)
    needed = math.ceil(math.log(tail) / math.log(share))
    return Estimate(
        value=ordered[max(0, math.ceil(share * count - 1e-9) - 1)],
        low=ordered[low - 1] if low else 0.0,
        high=ordered[high] if high < count else math.inf,
        samples=count,
        why="" if high < count else f"{count} samples; at least {needed} are needed",
    )


def known(series: Series, share: float) -> bool:
    """Is the run long enough for this percentile, and was there an answer?"""
    if not series.samples:
        return False
    column = series.column(share)
    return column < len(series.indices) and not _too_short(series, share, column)


def enough(series: Series, share: float) -> bool:
    """Are there so many samples that some are to be expected on either side of this percentile?"""
    return series.samples * min(share, 1 - share) >= RARE - 1e-9


def share_above(series: Series, ms: float) -> float:
    """Of all answers, those that took longer or failed; HDR's step in which `ms` is counts as longer. There must be samples."""
    longer = [column for column in range(series.counts.shape[1]) if series.edges(column)[1] > ms]
    return float(series.counts[:, longer].sum() / series.samples)


def _too_short(series: Series, share: float, column: int) -> str:
    """Why no interval can be trusted, for a person; "" when one can."""
    blocks = series.blocks
    if not enough(series, share):
        needed = math.ceil(RARE / min(share, 1 - share) - 1e-9)
        return f"{series.samples:,} samples; at least {needed:,} are needed"
    if series.units < BLOCKS * blocks.length:
        return (
            f"answers hang together over up to {blocks.length * series.unit} s; "
            f"at least {BLOCKS * blocks.length * series.unit} s are needed, and there are {series.units * series.unit} s"
        )
    beyond = series.counts[:, column + 1 :].sum(axis=1)
    if blocks.stalls < STALLS and beyond @ blocks.stalled > _OF_STALLS * beyond.sum():
        return f"much of what is slow comes of {blocks.stalls} stalls; at least {STALLS} are needed"
    return ""


def _binomial(count: int, k: int, share: float) -> float:
    ways = math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
    return math.exp(ways + k * math.log(share) + (count - k) * math.log1p(-share))


def _times(series: Series) -> Floats:
    """Milliseconds of each column; of the failed ones, as much as makes them the slowest."""
    import numpy

    known = [series.edges(column)[1] for column in range(len(series.indices))]
    return numpy.array([*known, max(known, default=1.0) * _FAILED])


def _columns(counts: Floats, share: float, *, cumulated: bool = False) -> NDArray[Any]:
    """For each row, the column in which the percentile is."""
    import numpy

    sums = counts if cumulated else counts.cumsum(axis=1)
    wanted = numpy.maximum(1.0, numpy.ceil(share * sums[:, -1:].astype(float) - 1e-9)).astype(sums.dtype)
    found: NDArray[Any] = numpy.minimum((sums < wanted).sum(axis=1), counts.shape[1] - 1)
    return found


def _tails(ordered: NDArray[Any], series: Series, confidence: float) -> tuple[Any, Any]:
    """The lowest and highest of the drawn values to be believed; `ordered` are sorted."""
    tail = tail_share(series.units / series.blocks.length, _strata(series.units, series.blocks.length), confidence)
    least = max(0, math.floor(tail * len(ordered)) - 1)
    return ordered[least], ordered[len(ordered) - 1 - least]


def tail_share(blocks: float, strata: int, confidence: float) -> float:
    """The share of draws to be left out at each end, so that the interval is as wide as Student's t says."""
    freedom = max(3.0, blocks - strata)
    expanded = student((1 + confidence) / 2, freedom) * math.sqrt(blocks / freedom)
    return NormalDist().cdf(-expanded)


def student(share: float, freedom: float) -> float:
    """Quantile of Student's t by its expansion about the normal one, good to 0.5 % from 3 degrees of freedom on (95 % interval)."""
    z = NormalDist().inv_cdf(share)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return sum(term / freedom**power for power, term in enumerate(terms))


def _strata(units: int, length: int) -> int:
    return max(1, int(units / (length * _PER_STRATUM)))


def _weights(units: int, length: int, seed: int) -> Floats:
    """How often each unit (second axis) is in each draw (first axis): blocks of `length`, around the circle of their stratum."""
    import numpy

    random = numpy.random.default_rng([seed, units, length])
    bounds = numpy.linspace(0, units, _strata(units, length) + 1).round().astype(int)
    row = numpy.arange(DRAWS)[:, None]
    parts = []
    for size in numpy.diff(bounds).tolist():
        short = min(length, size)
        starts = random.integers(0, size, size=(DRAWS, math.ceil(size / short)))
        drawn = (starts[:, :, None] + numpy.arange(short)).reshape(DRAWS, -1)[:, :size] % size
        parts.append(numpy.bincount((drawn + row * size).ravel(), minlength=DRAWS * size).reshape(DRAWS, size))
    return numpy.concatenate(parts, axis=1).astype(float)


def _blocks(series: Series) -> Blocks:
    import numpy

    level, known = _levels(series)
    if known.sum() < 2:
        return Blocks(_SHORTEST, 0, 0, numpy.zeros(series.units))
    load = _load(series)
    local = _local_median(level, load)
    above = level - local
    spread = float(numpy.median(numpy.abs(above[known]))) * 1.4826
    stalled = known & (above > max(math.log(_STALL), _STALL_DEVIATIONS * spread))
    lengths = _runs(stalled)
    longest = max(lengths, default=0)
    calm = numpy.where(stalled, local, level)
    time = _autocorrelation_time((calm - _of_load(calm, load))[known])
    length = max(math.ceil(_SHORTEST / series.unit), 2 * longest)
    if time > _INDEPENDENT:
        length = max(length, math.ceil(_TIMES_AUTOCORRELATION * time))
    if lengths:  # two cycles of stalls in each block, where there are enough: an interval no wider than it need be
        length = max(length, min(2 * series.units // len(lengths), series.units // (BLOCKS + 2)))
    return Blocks(length, len(lengths), longest, stalled.astype(float))


def _levels(series: Series) -> tuple[Floats, NDArray[Any]]:
    """Mean logarithm of the times of each unit, and which units have any; the others take over what was before them."""
    import numpy

    middles = [math.log(max(0.001, sum(series.edges(column)) / 2)) for column in range(len(series.indices))]
    middles.append((middles[-1] if middles else 0.0) + math.log(_FAILED))
    totals = series.counts.sum(axis=1)
    known = totals > 0
    level = (series.counts @ numpy.array(middles)) / numpy.maximum(totals, 1.0)
    last = numpy.maximum.accumulate(numpy.where(known, numpy.arange(len(known)), 0))
    return level[last], known


def _load(series: Series) -> NDArray[Any]:
    """A class for each unit by the requests about it, each class of twice as many as the one before: a spike is another load."""
    import numpy

    about = numpy.convolve(numpy.pad(series.counts.sum(axis=1), 2, mode="edge"), numpy.full(5, 0.2), mode="valid")
    usual = max(float(numpy.median(about)), 0.2)
    found: NDArray[Any] = numpy.rint(numpy.log2(numpy.maximum(about, 0.2) / usual)).astype(int)
    return found


def _local_median(level: Floats, load: NDArray[Any]) -> Floats:
    """Of the fifth of the run around each unit, as far as it is under about the same load."""
    import numpy

    half, found = max(15, len(level) // 10), []
    for unit in range(len(level)):
        about = slice(max(0, unit - half), unit + half + 1)
        found.append(float(numpy.median(level[about][numpy.abs(load[about] - load[unit]) <= 1])))
    return numpy.array(found)


def _of_load(level: Floats, load: NDArray[Any]) -> Floats:
    """What is usual under the load of each unit."""
    import numpy

    usual = {each: float(numpy.median(level[load == each])) for each in numpy.unique(load).tolist()}
    return numpy.array([usual[each] for each in load.tolist()])


def _runs(flags: NDArray[Any]) -> list[int]:
    """Lengths of the runs of true ones; one false between two does not part them."""
    lengths: list[int] = []
    begin, last = None, -2
    for at in flags.nonzero()[0].tolist():
        if begin is None or at - last > 2:
            if begin is not None:
                lengths.append(last - begin + 1)
            begin = at
        last = at
    if begin is not None:
        lengths.append(last - begin + 1)
    return lengths


def _autocorrelation_time(values: Floats) -> float:
    """How many units are worth one that is independent; at least 1. A steady trend is taken out before.

    Where there is some correlation, it is that time and its standard error.
    """
    import numpy

    count = len(values)
    if count < 8:
        return 1.0
    where = numpy.linspace(-1, 1, count)
    rest = values - numpy.polyval(numpy.polyfit(where, values, 1), where)
    variance = float(rest @ rest)
    if variance <= 1e-12 * count:
        return 1.0
    time = 1.0
    for lag in range(1, count // 2):
        time += 2 * float(rest[:-lag] @ rest[lag:]) / variance
        if lag >= _TIMES_AUTOCORRELATION * time:
            break
    if time <= _INDEPENDENT:
        return max(1.0, time)
    return time * (1 + math.sqrt((4 * lag + 2) / count))
