"""Response times in HDR histograms, held sparsely: a run has one per endpoint and second."""

from __future__ import annotations

import math

_DIGITS = 3
_HALF = 10
"""Logarithm of half the sub-buckets that HDR has for three digits: 2 * 10^3 rounded up to 2048."""
_MOST_US = 3_600_000_000


class Histogram:
    """HDR histogram of milliseconds that keeps only what was recorded: thousands of them fit into memory.

    `counts` has the layout of HdrHistogram(1, 3 600 000 000, 3) in microseconds, by index.
    """

    __slots__ = ("counts",)

    def __init__(self, counts: dict[int, int] | None = None) -> None:
        self.counts: dict[int, int] = {} if counts is None else counts

    def record(self, ms: float) -> None:
        """Count one value. More than an hour counts as an hour. Raises ValueError when `ms` is negative or not a number."""
        if not ms >= 0:
            raise ValueError(f"a time must not be negative: {ms!r} ms")
        index = index_of(ms)
        self.counts[index] = self.counts.get(index, 0) + 1

    def add(self, other: Histogram) -> None:
        """Count everything that the other one counted."""
        for index, count in other.counts.items():
            self.counts[index] = self.counts.get(index, 0) + count

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def quantile(self, share: float) -> float | None:
        """Milliseconds that a share (0 to 1) of the values do not exceed, to the upper edge of HDR's step; None when empty."""
        wanted, seen = max(1, math.ceil(share * self.total - 1e-9)), 0
        for index in sorted(self.counts):
            seen += self.counts[index]
            if seen >= wanted:
                return upper_ms(index)
        return None

    @property
    def max(self) -> float | None:
        return upper_ms(max(self.counts)) if self.counts else None

    @property
    def mean(self) -> float | None:
        """Of the middles of HDR's steps."""
        total = self.total
        return sum(count * _middle_ms(index) for index, count in self.counts.items()) / total if total else None

    def above(self, ms: float) -> int:
        """How many values are in steps above that of `ms`."""
        limit = index_of(ms)
        return sum(count for index, count in self.counts.items() if index > limit)

    def encode(self) -> str:
        """HdrHistogram's V2 encoding, compressed, in base64."""
        from hdrh.histogram import HdrHistogram

        histogram = HdrHistogram(1, _MOST_US, _DIGITS)
        for index, count in self.counts.items():
            histogram.record_value(_lower_us(index), count)
        return str(histogram.encode().decode("ascii"))

    @classmethod
    def decode(cls, text: str) -> Histogram:
        """Raises ValueError for what is no histogram of ours."""
        import zlib

        from hdrh.codec import HdrCookieException, HdrLengthException
        from hdrh.histogram import HdrHistogram

        try:
            histogram = HdrHistogram.decode(text)
        except (HdrCookieException, HdrLengthException, zlib.error, TypeError, AttributeError) as error:
            raise ValueError(f"is no HDR histogram: {error}") from error
        if (histogram.lowest_trackable_value, histogram.highest_trackable_value, histogram.significant_figures) != (
            1,
            _MOST_US,
            _DIGITS,
        ):
            raise ValueError("is an HDR histogram of another range or precision")
        if not histogram.total_count:
            return cls()
        first = histogram.get_counts_array_index(histogram.min_value)
        last = histogram.get_counts_array_index(histogram.max_value)
        found = enumerate(histogram.counts[first : last + 1], first)
        return cls({index: count for index, count in found if count})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.counts == other.counts

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Histogram({self.total} values, up to {self.max} ms)"


def index_of(ms: float) -> int:
    """HDR's index of a time: linear below 2.048 ms, then 1024 steps for each doubling."""
    us = min(_MOST_US, round(ms * 1000)) if ms < math.inf else _MOST_US
    bucket = (us | ((2 << _HALF) - 1)).bit_length() - _HALF - 1
    return (bucket << _HALF) + (us >> bucket)


def upper_ms(index: int) -> float:
    """The longest time, in milliseconds, that is counted at an index."""
    return (_lower_us(index + 1) - 1) / 1000


def lower_ms(index: int) -> float:
    """The shortest."""
    return _lower_us(index) / 1000


def _lower_us(index: int) -> int:
    bucket = max(0, (index >> _HALF) - 1)
    return (index - (bucket << _HALF)) << bucket


def _middle_ms(index: int) -> float:
    return (_lower_us(index) + _lower_us(index + 1) - 1) / 2000
