"""What a load test leaves behind: every response time, error and arrival, in a form that merges exactly.

Response times are kept in HDR histograms of three significant digits (values of one microsecond to one hour, each kept to
0.1 %), one per endpoint and second of the run, by the second in which the request was due. Everything in a recording is a
count, a set or a maximum, so that merging is exact in any order and grouping, and what is merged equals one recording of the
same samples. A histogram is written as HdrHistogram's own V2 encoding, which other tools read.

An answer that failed has no response time: it is counted by its error, and percentiles count it as an
answer that never came (`loadtests.intervals`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from loadtests.histogram import Histogram

VERSION = 1
SLICE_SECONDS = 1
NOBODY_FREE = "no user was free before the end"
"""The error of a visit that never began, all users still waiting for the platform when the run was over."""
_LATEST_MS = 1_000
"""A shard that began this much after the shared instant did not load the platform together with the others."""


class RecordingRefused(ValueError):
    """A recording that cannot be read, or recordings that are not the shards of one run. The run is invalid."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One request and what came of it."""

    due: float
    """Seconds from the start of the run to the moment it was due."""
    endpoint: str
    """As people read it, the same for every user: `GET /notes/{id}`."""
    ms: float
    """From the moment it was due to the last byte of the answer, or to the moment it was given up."""
    status: int | None = None
    error: str = ""
    """Its kind, in few words that do not differ from one request to the next (`status 503`, `timed out`); "" = well."""
    database_ms: float | None = None
    """Time in the database, from `Server-Timing`; None where the answer does not tell."""


@dataclass(slots=True)
class Slice:
    """One second of one endpoint."""

    times: Histogram = field(default_factory=Histogram)
    """Of answers without error."""
    database: Histogram = field(default_factory=Histogram)
    errors: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def failed(self) -> int:
        return sum(self.errors.values())

    @property
    def count(self) -> int:
        return self.times.total + self.failed

    def add(self, other: Slice) -> None:
        self.times.add(other.times)
        self.database.add(other.database)
        self.errors.update(other.errors)
        self.statuses.update(other.statuses)


@dataclass(kw_only=True)
class Recording:
    """One shard of a run, or several merged.

    The arrivals of a run are thinned over `shards` generators, which begin at the same instant; `shard` is this one's number.
    A run of one generator is shard 0 of 1.
    """

    profile: str
    environment: str
    release: str
    seed: int
    start: float
    """The instant at which second 0 begins, in seconds since 1970, shared by all shards."""
    seconds: float
    """For how long visits arrive, as asked."""
    shards: int = 1
    held: set[int] = field(default_factory=lambda: {0})
    """Numbers of the shards in this recording."""
    endpoints: dict[str, dict[int, Slice]] = field(default_factory=dict)
    asked: Counter[int] = field(default_factory=Counter)
    """Visits that were due, by the second in which they were."""
    started: Counter[int] = field(default_factory=Counter)
    """Visits that began, by the second in which they really did."""
    lag: Histogram = field(default_factory=Histogram)
    """How long after its due moment each visit began for the generator's own reasons; those in `waited` are not in it."""
    later_lag: Histogram = field(default_factory=Histogram)
    """How long after its due moment each later request of a visit was asked, for the generator's own reasons: no request of a visit but the
    first waits for a free user."""
    waited: Histogram = field(default_factory=Histogram)
    """The same of visits for which no user was free, all of them still waiting for the platform."""
    cpu: dict[int, int] = field(default_factory=dict)
    """By second: the most that one generator process used of its core, in thousandths."""
    began_late_ms: int = 0
    """How long after `start` the slowest shard began."""
    stopped: set[str] = field(default_factory=set)
    """Why it ended before its time; empty where it did not."""

    @classmethod
    def of_shard(
        cls,
        *,
        profile: str,
        environment: str,
        release: str,
        seed: int,
        start: float,
        seconds: float,
        shard: int = 0,
        shards: int = 1,
    ) -> Recording:
        """An empty recording of one shard. Raises ValueError when its number is not one of `shards`."""
        if not 0 <= shard < shards:
            raise ValueError(f"there is no shard {shard} of {shards}: they count from 0")
        return cls(
            profile=profile,
            environment=environment,
            release=release,
            seed=seed,
            start=start,
            seconds=seconds,
            shards=shards,
            held={shard},
        )

    def expect(self, due: Iterable[float]) -> None:
        """Note visits that are due, in seconds: before the run, all that this shard is to start."""
        self.asked.update(int(moment // SLICE_SECONDS) for moment in due)

    def arrived(self, due: float, lag_ms: float, late: bool = False) -> None:
        """Note that a visit began, `lag_ms` after it was due. `late`: no user was free at that moment."""
        (self.waited if late else self.lag).record(lag_ms)
        self.started[int((due + lag_ms / 1000) // SLICE_SECONDS)] += 1

    def went_on(self, lag_ms: float) -> None:
        """Note that a visit went on to a later request, `lag_ms` after that was due."""
        self.later_lag.record(lag_ms)

    def add(self, sample: Sample) -> None:
        """Count one request."""
        slices = self.endpoints.setdefault(sample.endpoint, {})
        second = int(sample.due // SLICE_SECONDS)
        found = slices.get(second)
        if found is None:
            found = slices[second] = Slice()
        if sample.error:
            found.errors[sample.error] += 1
        else:
            found.times.record(sample.ms)
        if sample.status is not None:
            found.statuses[sample.status] += 1
        if sample.database_ms is not None:
            found.database.record(sample.database_ms)

    def used_cpu(self, at: float, share: float) -> None:
        """Note the share of one core (1 is all of it) that the generator process used about `at`, in seconds."""
        second = int(at // SLICE_SECONDS)
        self.cpu[second] = max(self.cpu.get(second, 0), round(share * 1000))

    def slices(self, endpoints: str | Collection[str] | None = None) -> dict[int, Slice]:
        """By second: of one endpoint, of several together, or (None) of all."""
        if isinstance(endpoints, str):
            endpoints = (endpoints,)
        together: dict[int, Slice] = {}
        for name, slices in self.endpoints.items():
            if endpoints is None or name in endpoints:
                for second, found in slices.items():
                    together.setdefault(second, Slice()).add(found)
        return together

    def total(self, endpoint: str | None = None) -> Slice:
        """The whole run as one slice."""
        whole = Slice()
        for found in self.slices(endpoint).values():
            whole.add(found)
        return whole

    @property
    def lost(self) -> list[int]:
        """Numbers of the shards that are not in this recording."""
        return sorted(set(range(self.shards)) - self.held)

    def to_json(self) -> str:
        """Everything, on one line per endpoint and part; equal recordings give equal text."""
        parts: dict[str, Any] = {
            "version": VERSION,
            "profile": self.profile,
            "environment": self.environment,
            "release": self.release,
            "seed": self.seed,
            "start": self.start,
            "seconds": self.seconds,
            "shards": self.shards,
            "held": sorted(self.held),
            "asked": _pairs(self.asked),
            "started": _pairs(self.started),
            "lag": self.lag.encode(),
            "later_lag": self.later_lag.encode(),
            "waited": self.waited.encode(),
            "cpu": _pairs(self.cpu),
            "began_late_ms": self.began_late_ms,
            "stopped": sorted(self.stopped),
        }
        lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in parts.items()]
        endpoints = [
            f"{json.dumps(name)}: {json.dumps([_written(*pair) for pair in sorted(slices.items())])}"
            for name, slices in sorted(self.endpoints.items())
        ]
        lines.append('"endpoints": {' + ",\n".join(endpoints) + "}")
        return "{" + ",\n".join(lines) + "}\n"

    @classmethod
    def from_json(cls, text: str) -> Recording:
        """Raises RecordingRefused for what is not a whole recording of this version."""
        try:
            parts = json.loads(text)
            if parts.pop("version") != VERSION:
                raise RecordingRefused(
                    f"the recording is not of version {VERSION}: another release of the suite wrote it"
                )
            endpoints = parts.pop("endpoints")
            return cls(
                **{name: _READ.get(name, _same)(value) for name, value in parts.items()},
                endpoints={name: dict(_read(*each) for each in slices) for name, slices in endpoints.items()},
            )
        except RecordingRefused:
            raise
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RecordingRefused(f"the recording cannot be read, it may have been cut off: {error}") from error


def merge(recordings: Iterable[Recording], *, partial: bool = False) -> Recording:
    """The shards of one run as one recording; exact, in any order. The given ones stay as they are.

    `partial`: more shards follow (the processes of one of several machines). Raises RecordingRefused when nothing is given,
    they are of different runs, one is there twice or began late, or, unless `partial`, one is lost.
    """
    given = list(recordings)
    if not given:
        raise RecordingRefused("there is no recording: the load test did not run, or its shards were lost")
    whole = Recording(**_identity(given[0]), held=set())
    for each in given:
        _refuse(whole, each)
        _take_in(whole, each)
    if whole.lost and not partial:
        numbers = ", ".join(map(str, whole.lost))
        raise RecordingRefused(f"lost {_shards(len(whole.lost))} {numbers} of {whole.shards} (they count from 0)")
    return whole


_IDENTITY = ("profile", "environment", "release", "seed", "start", "seconds", "shards")


def _identity(recording: Recording) -> dict[str, Any]:
    return {name: getattr(recording, name) for name in _IDENTITY}


def _refuse(whole: Recording, other: Recording) -> None:
    ours, theirs = _identity(whole), _identity(other)
    apart = [f"{name} {ours[name]!r} and {theirs[name]!r}" for name in _IDENTITY if ours[name] != theirs[name]]
    if apart:
        raise RecordingRefused(f"the recordings are of different runs: {'; '.join(apart)}")
    if twice := sorted(whole.held & other.held):
        raise RecordingRefused(f"{_shards(len(twice))} {', '.join(map(str, twice))} of {whole.shards} there twice")
    if other.began_late_ms > _LATEST_MS:
        numbers = ", ".join(map(str, sorted(other.held)))
        raise RecordingRefused(
            f"{_shards(len(other.held))} {numbers} of {whole.shards} began {other.began_late_ms / 1000:.1f} s after the "
            "others were to begin: the platform never had the load that was asked for"
        )


def _shards(count: int) -> str:
    return "shard" if count == 1 else "shards"


def _take_in(whole: Recording, other: Recording) -> None:
    whole.held |= other.held
    for name, slices in other.endpoints.items():
        ours = whole.endpoints.setdefault(name, {})
        for second, found in slices.items():
            ours.setdefault(second, Slice()).add(found)
    whole.asked.update(other.asked)
    whole.started.update(other.started)
    whole.lag.add(other.lag)
    whole.later_lag.add(other.later_lag)
    whole.waited.add(other.waited)
    for second, share in other.cpu.items():
        whole.cpu[second] = max(whole.cpu.get(second, 0), share)
    whole.began_late_ms = max(whole.began_late_ms, other.began_late_ms)
    whole.stopped |= other.stopped


def _pairs(counts: dict[int, int]) -> list[tuple[int, int]]:
    return sorted(counts.items())


def _written(second: int, found: Slice) -> list[Any]:
    """[second, times, database, errors, statuses]; "" for a histogram of nothing."""
    return [
        second,
        found.times.encode() if found.times.counts else "",
        found.database.encode() if found.database.counts else "",
        dict(sorted(found.errors.items())),
        _pairs(found.statuses),
    ]


def _read(second: int, times: str, database: str, errors: dict[str, int], statuses: list[Any]) -> tuple[int, Slice]:
    return second, Slice(
        times=Histogram.decode(times) if times else Histogram(),
        database=Histogram.decode(database) if database else Histogram(),
        errors=Counter(errors),
        statuses=_counter(statuses),
    )


def _counter(pairs: Iterable[tuple[int, int]]) -> Counter[int]:
    return Counter(dict(pairs))


def _dict(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    return dict(pairs)


def _same(value: Any) -> Any:
    return value


_READ: dict[str, Callable[[Any], Any]] = {
    "held": set,
    "asked": _counter,
    "started": _counter,
    "lag": Histogram.decode,
    "later_lag": Histogram.decode,
    "waited": Histogram.decode,
    "cpu": _dict,
    "stopped": set,
}
