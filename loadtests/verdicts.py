"""What a run says of the targets: value, interval, samples, verdict; and whether it is slower than the last good run.

A target is met when the whole 95 % interval is at or under its limit, missed when the whole of it is above, and else the run is
too short to tell; but a run in which more failed than the percentile leaves out has missed it, however short, and one with samples
enough has met it when hardly any came near the limit, even where no interval can be given. No data and an
invalid run are verdicts of their own, and neither is a pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from loadtests import intervals, validity
from loadtests.comparison import Change, Comparison, Failures, compare
from loadtests.intervals import Estimate, Metric, Series
from loadtests.recording import Recording
from loadtests.window import Window
from pipelines.manifest.performance import PerformanceTarget

Verdict = Literal["passed", "missed", "too short to tell", "no data", "invalid"]

SHARE = 0.95
"""The percentile that targets are about."""
SHOWN = (0.5, 0.95, 0.99)
_HURT_SECONDS = 10
_FAR, _HARDLY_ANY = 2, 0.01
"""Where no more than this share of answers took longer than the limit divided by this, how they hang together is of no account: times that
go up and down between 6 and 7 ms say no more against a limit of 500 ms than times that are always 6 ms."""
_METRICS: Mapping[str, Metric] = {"response": "times", "database": "database"}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is known of one target."""

    target: str
    of: str
    component: str
    limit_ms: float
    verdict: Verdict
    estimate: Estimate
    says: str
    """The measured value beside the limit, and why where the verdict is not `passed`, in one line."""


@dataclass(frozen=True, kw_only=True)
class EndpointSummary:
    """One endpoint over the measured part of the run."""

    endpoint: str
    samples: int
    failed: int
    percentiles: Mapping[float, Estimate]
    database: Estimate | None
    """95th percentile of the time in the database; None where no answer carried any."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """All of it. `verdict` is the worst of the answers', in the order invalid, missed, no data, too short to tell."""

    verdict: Verdict
    answers: tuple[Answer, ...]
    endpoints: tuple[EndpointSummary, ...]
    changes: tuple[Change, ...]
    """Against the last good run; empty where there is none to compare with."""
    failures: tuple[Failures, ...]
    """The same of the shares of failed requests."""
    invalid: tuple[str, ...]
    notes: tuple[str, ...]
    first: int
    """Second of the run from which answers count: what is before it is warm-up."""
    end: int

    @property
    def slower(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.regression)

    @property
    def failing(self) -> tuple[Failures, ...]:
        """Of what more fails than did."""
        return tuple(each for each in self.failures if each.regression)

    @property
    def regressions(self) -> tuple[Change | Failures, ...]:
        return (*self.slower, *self.failing)


def judge(
    recording: Recording,
    targets: Mapping[str, PerformanceTarget],
    *,
    before: Recording | None = None,
    samples: Mapping[str, Sequence[float]] | None = None,
) -> Judgement:
    """Answer the targets.

    `before` is the last good run of this environment. `samples` are milliseconds that were measured elsewhere, independent of
    each other, by the name of their target (page loads, starts of apps). Targets of which nothing is measured here, neither in
    the recording nor in `samples`, are left out. Equal recordings give equal judgements.
    """
    window = Window(recording)
    invalid = tuple(validity.problems(recording))
    judging = _Judging(window, invalid)
    given = samples or {}
    answers = [
        judging.answer(name, target) if target.of in _METRICS else _of_samples(name, target, given[name])
        for name, target in targets.items()
        if target.of in _METRICS or name in given
    ]
    compared = compare(window, Window(before)) if before and not invalid else Comparison()
    return Judgement(
        verdict="invalid" if invalid else _worst([answer.verdict for answer in answers]),
        answers=tuple(answers),
        endpoints=tuple(judging.endpoints()),
        changes=compared.changes,
        failures=compared.failures,
        invalid=invalid,
        notes=(*_stopped(recording), *validity.notes(recording), *([compared.why] if compared.why else [])),
        first=window.first,
        end=window.end,
    )


class _Judging:
    """One run and its window."""

    def __init__(self, window: Window, invalid: Sequence[str]) -> None:
        self.window, self.recording, self.invalid = window, window.recording, invalid

    def answer(self, name: str, target: PerformanceTarget) -> Answer:
        metric = _METRICS[target.of]
        names = [name for name in self.recording.endpoints if component_of(name) == target.component]
        series = self.window.series(names, metric)
        estimate = intervals.percentile(series, SHARE)
        verdict, why = self._verdict(target, names, metric, series, estimate)
        return _answered(name, target, estimate, verdict, why, "queries" if metric == "database" else "requests")

    def _verdict(
        self, target: PerformanceTarget, names: Sequence[str], metric: Metric, series: Series, estimate: Estimate
    ) -> tuple[Verdict, str]:
        if self.invalid:
            return "invalid", "; ".join(self.invalid)
        if metric == "times" and (hurt := self._hurt(names)):
            return "missed", hurt
        if self.recording.stopped and estimate.samples:
            return "invalid", f"the run ended before its time: {'; '.join(sorted(self.recording.stopped))}"
        verdict, why = _by_interval(estimate, target.p95_ms, series)
        if verdict == "missed":
            return verdict, why
        for name in names:  # an endpoint that surely breaks the promise must not hide among the others
            alone = self.window.series([name], metric)
            if _by_interval(intervals.percentile(alone, SHARE), target.p95_ms, alone)[0] == "missed":
                at = milliseconds(intervals.percentile(alone, SHARE).value)
                return "missed", f"{name} alone has p95 {at}"
        return verdict, why

    def _hurt(self, names: Sequence[str]) -> str:
        """Why a run that stopped itself did, when it is that the platform failed at last; else ""."""
        if not self.recording.stopped:
            return ""
        last = [
            found
            for name in names
            for second, found in self.recording.slices(name).items()
            if second >= self.window.end - _HURT_SECONDS
        ]
        count = sum(found.count for found in last)
        if sum(found.failed for found in last) <= (1 - SHARE) * count:
            return ""
        return f"the run stopped itself: {'; '.join(sorted(self.recording.stopped))}"

    def endpoints(self) -> Iterator[EndpointSummary]:
        for name in sorted(self.recording.endpoints):
            series, database = self.window.series([name], "times"), self.window.series([name], "database")
            yield EndpointSummary(
                endpoint=name,
                samples=series.samples,
                failed=series.failed,
                percentiles={share: intervals.percentile(series, share) for share in SHOWN},
                database=intervals.percentile(database, SHARE) if database.samples else None,
            )


def component_of(endpoint: str) -> str:
    """Endpoints are named by component, method and path."""
    return endpoint.partition(" ")[0]


def _by_interval(estimate: Estimate, limit_ms: float, series: Series) -> tuple[Verdict, str]:
    if estimate.value is None:
        return "no data", estimate.why
    if not estimate.why:
        if estimate.high <= limit_ms:
            return "passed", ""
        if estimate.low > limit_ms:
            return "missed", ""
        return "too short to tell", "the limit lies within the interval"
    if intervals.enough(series, SHARE) and intervals.share_above(series, limit_ms / _FAR) <= _HARDLY_ANY:
        return "passed", f"hardly any took longer than {milliseconds(limit_ms / _FAR)}, though {estimate.why}"
    if math.isinf(estimate.value) and series.failed >= intervals.RARE:
        return "missed", f"{100 * series.failed / series.samples:.1f} % failed"
    median = intervals.percentile(series, 0.5)
    if median.low > limit_ms and (not median.why or intervals.enough(series, SHARE)):
        return "missed", f"half of all took longer than {milliseconds(median.low)}"
    return "too short to tell", estimate.why


def _of_samples(name: str, target: PerformanceTarget, values: Sequence[float]) -> Answer:
    estimate = intervals.of_independent(values, SHARE)
    if estimate.value is None:
        verdict, why = "no data", estimate.why
    elif estimate.high <= target.p95_ms:
        verdict, why = "passed", ""
    elif estimate.low > target.p95_ms:
        verdict, why = "missed", ""
    else:
        verdict, why = "too short to tell", estimate.why or "the limit lies within the interval"
    return _answered(name, target, estimate, verdict, why, "samples")  # type: ignore[arg-type]


def _answered(
    name: str, target: PerformanceTarget, estimate: Estimate, verdict: Verdict, why: str, counted: str
) -> Answer:
    message = "nothing was measured"
    if estimate.value is not None:
        between = "" if estimate.why else f" ({milliseconds(estimate.low)} to {milliseconds(estimate.high)})"
        message = f"p95 {milliseconds(estimate.value)}{between}, at most {milliseconds(target.p95_ms)}, of {estimate.samples:,} {counted}"
    return Answer(
        target=name,
        of=target.of,
        component=target.component,
        limit_ms=target.p95_ms,
        verdict=verdict,
        estimate=estimate,
        says=f"{message}: {why}" if why and estimate.value is not None else message,
    )


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    order: tuple[Verdict, ...] = ("invalid", "missed", "no data", "too short to tell")
    return next((each for each in order if each in verdicts), "passed" if verdicts else "no data")


def _stopped(recording: Recording) -> Iterator[str]:
    if recording.stopped:
        yield f"the run ended before its time: {'; '.join(sorted(recording.stopped))}"


def milliseconds(value: float | None) -> str:
    """12.3 ms, 480 ms; infinity is an answer that never came, or failed."""
    if value is None:
        return "–"
    if math.isinf(value):
        return "no answer"
    return f"{value:,.0f} ms" if value >= 99.5 else f"{value:.3g} ms"
