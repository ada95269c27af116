"""The measured part of a run: after the warm-up, until visits ceased to arrive."""

from __future__ import annotations

from collections.abc import Sequence

from loadtests import validity, warmup
from loadtests.intervals import Metric, Series
from loadtests.recording import Recording


class Window:
    """Series of one run, each made once. `first` and `end` are seconds of the run, the end not included."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.end = validity.ended(recording)
        self.first = warmup.measured_from(recording.slices(), self.end)
        self._made: dict[tuple[tuple[str, ...], Metric], Series] = {}

    def series(self, endpoints: Sequence[str], metric: Metric) -> Series:
        """Of these endpoints together."""
        key = (tuple(endpoints), metric)
        if key not in self._made:
            self._made[key] = Series(self.recording.slices(endpoints), self.first, self.end, metric)
        return self._made[key]
