"""The highest rate of visits that still meets the targets, found step by step; each step is a load test of its own.

The rate is doubled until a step misses a target or the most that the environment takes is reached; then the bracket between the highest
rate that was met and the lowest that was not is halved (geometrically) until it is narrower than the tolerance; then both of its edges
are measured a second time. Where two answers of one rate differ, a third decides, and the difference is reported.

`decide` is the whole of the search as a function of the steps that were made; `Search` makes them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from loadtests.arrivals import Profile
from loadtests.intervals import RARE
from loadtests.recording import Recording, RecordingRefused
from loadtests.verdicts import SHARE, Answer, Judgement, Verdict, component_of, judge
from pipelines.manifest.performance import PerformanceTarget

TOLERANCE = 0.1
"""How much higher the lowest missed rate may be than the highest met one."""
STEP_SECONDS = 60.0
LONGER = 2
"""A step that is too short to tell is made again, so many times as long; then its best estimate has to do."""
_ENOUGH = 1.3 * RARE / (1 - SHARE)
"""Requests that a step is to have, and a little more: without warm-up there must be enough for a percentile."""
LEAST = 16
"""The search ends when not even this part of its first rate meets the targets."""
MOST_STEPS = 60
CALM_RATE, CALM_SECONDS = 2.0, 5.0
"""Of the few visits that tell whether a queue has drained."""
DRAIN_SECONDS = 120.0
"""How long the platform has, after a step that it did not pass, to be as quick again as before the first."""
_AS_QUICK, _AS_QUICK_MS = 2.0, 20.0
"""Median of the few visits: at most so many times as long as before, and so many milliseconds."""

Ended = Literal[
    "found", "most reached", "never met", "generator", "no data", "time is over", "did not recover", "interrupted"
]


@dataclass(frozen=True, kw_only=True)
class Next:
    """The step to be made."""

    rate: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Between what is searched, and for how long."""

    start: float
    """Visits a second of the first step."""
    most: float
    """Visits a second that no step goes beyond."""
    total_seconds: float
    """No step begins that would end later than this after the first."""
    step_seconds: float = STEP_SECONDS
    """Of a step; more where the rate is so low that there would be too few requests."""
    requests: float = 1.0
    """Requests in a visit, on average, of the component that is asked for least and has a target."""
    tolerance: float = TOLERANCE

    @property
    def least(self) -> float:
        return self.start / LEAST

    def step(self, rate: float) -> Next:
        """The first step of a rate."""
        return Next(rate=rate, seconds=max(self.step_seconds, math.ceil(_ENOUGH / (rate * self.requests))))


@dataclass(frozen=True, kw_only=True)
class Step:
    """One load test at one rate."""

    rate: float
    """Visits a second."""
    seconds: float
    verdict: Verdict
    best: bool = False
    """Whether the best estimate of every target is at or under its limit, surely or not."""
    took: float = 0.0
    """Seconds since the end of the step before, until all of its visits had ended."""
    answers: tuple[Answer, ...] = ()
    says: str = ""
    """Why it did not pass."""
    where: Mapping[str, str] | None = None
    """Target -> the endpoint with the highest percentile, for those that it did not meet."""


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """What a search found."""

    ended: Ended
    bounds: Bounds
    steps: tuple[Step, ...]
    low: float | None
    """The highest rate at which every target was met; None where none was."""
    high: float | None
    """The lowest rate at which one was not (surely) met; None where every one was."""
    why: str = ""
    """Of an end that is no answer."""

    @property
    def answered(self) -> bool:
        return self.ended in ("found", "most reached")

    @property
    def sure(self) -> bool:
        """Whether both edges are more than best estimates."""
        known = {(step.rate, step.verdict) for step in self.steps}
        return (self.low is None or (self.low, "passed") in known) and (
            self.high is None or (self.high, "missed") in known
        )

    @property
    def broke(self) -> Step | None:
        """The step that says which target is the first to break."""
        at = [step for step in self.steps if step.rate == self.high and step.verdict != "passed"]
        return next((step for step in at if step.verdict == "missed"), at[0] if at else None)

    @property
    def contradictions(self) -> tuple[str, ...]:
        return tuple(contradictions(self.steps))


def decide(steps: Sequence[Step], bounds: Bounds) -> Next | Ended:
    """What comes after these steps."""
    wanted = _wanted(steps, bounds)
    if not isinstance(wanted, Next):
        return wanted
    if sum(step.took for step in steps) + wanted.seconds > bounds.total_seconds or len(steps) >= MOST_STEPS:
        return "time is over"
    return wanted


def _wanted(steps: Sequence[Step], bounds: Bounds) -> Next | Ended:
    if not steps:
        return bounds.step(bounds.start)
    last = steps[-1]
    if last.verdict == "no data":
        return "no data"
    if last.verdict == "invalid":
        again = Next(rate=last.rate, seconds=last.seconds)
        return "generator" if len(steps) > 1 and steps[-2].verdict == "invalid" else again
    if last.verdict == "too short to tell" and not _is_long(last, bounds):
        return Next(rate=last.rate, seconds=LONGER * last.seconds)
    return _by_votes(steps, bounds)


def _by_votes(steps: Sequence[Step], bounds: Bounds) -> Next | Ended:
    votes = _votes(steps, bounds)
    for rate, (met, not_met) in votes.items():
        if met == not_met:
            return _again(steps, rate)
    low, high = edges(steps, bounds)
    if high is None and low is not None and low < bounds.most:
        return bounds.step(min(2 * low, bounds.most))
    if low is None and high is not None and high > bounds.least:
        return bounds.step(max(high / 2, bounds.least))
    if low is not None and high is not None and high > low * (1 + bounds.tolerance):
        return bounds.step(_between(low, high))
    for edge in (low, high):
        if edge is not None and sum(votes[edge]) < 2:
            return _again(steps, edge)
    if low is None:
        return "never met"
    return "most reached" if high is None else "found"


def edges(steps: Sequence[Step], bounds: Bounds) -> tuple[float | None, float | None]:
    """The highest rate that was met below every rate that was not, and the lowest of those."""
    votes = _votes(steps, bounds)
    high = min((rate for rate, (met, not_met) in votes.items() if met <= not_met), default=None)
    below = [rate for rate, (met, not_met) in votes.items() if met > not_met and (high is None or rate < high)]
    return max(below, default=None), high


def _votes(steps: Sequence[Step], bounds: Bounds) -> dict[float, tuple[int, int]]:
    """Rate -> how many steps met every target, and how many did not. A step that is to be repeated has no vote."""
    votes: dict[float, tuple[int, int]] = {}
    for step in steps:
        counts = step.verdict in ("passed", "missed") or (
            step.verdict == "too short to tell" and _is_long(step, bounds)
        )
        if counts:
            met, not_met = votes.get(step.rate, (0, 0))
            votes[step.rate] = (met + 1, not_met) if step.best else (met, not_met + 1)
    return votes


def _is_long(step: Step, bounds: Bounds) -> bool:
    return step.seconds >= LONGER * bounds.step(step.rate).seconds


def _again(steps: Sequence[Step], rate: float) -> Next:
    return Next(rate=rate, seconds=max(step.seconds for step in steps if step.rate == rate))


def _between(low: float, high: float) -> float:
    """The geometric mean, to as many digits as people read, if those lie between."""
    exact = math.sqrt(low * high)
    rounded = float(f"{exact:.3g}")
    return rounded if low < rounded < high else exact


def contradictions(steps: Sequence[Step]) -> Iterator[str]:
    """Where more load was met and less was not, in words: then the platform, or what is beside it, is not always the same."""
    for rate in sorted({step.rate for step in steps}):
        met, missed = (
            [step for step in steps if step.rate == rate and step.verdict == each] for each in ("passed", "missed")
        )
        if met and missed:
            yield f"{rate:g} visits/s met every target {_times(len(met))}, and missed one {_times(len(missed))}"
    highest = max((step.rate for step in steps if step.verdict == "passed"), default=0.0)
    lowest = min((step.rate for step in steps if step.verdict == "missed"), default=math.inf)
    if highest > lowest:
        yield f"a step of {highest:g} visits/s met every target, although one of only {lowest:g} missed one"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def expected_steps(bounds: Bounds) -> int:
    """How many there are when each of them is answered at once."""
    doublings = max(0, math.ceil(math.log2(bounds.most / bounds.start) - 1e-9))
    halvings = max(0, math.ceil(math.log2(math.log(2) / math.log(1 + bounds.tolerance))))
    return 1 + doublings + halvings + 2


class Search:
    """Makes the steps. Between them it waits for what queues of a step that was not passed have left behind."""

    def __init__(
        self,
        measure: Callable[[Profile, int], Recording],
        targets: Mapping[str, PerformanceTarget],
        bounds: Bounds,
        *,
        stop_errors: float = 0.2,
        about: Callable[[str], None] = lambda _: None,
        keep: Callable[[int, Judgement, Recording], None] = lambda *_: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`measure` makes the visits of a profile, the draws those of a number; it raises RecordingRefused for a run that is lost.

        `stop_errors`: share of failed requests at which a step stops itself. `about` gets the next step, `keep` the number
        (from 1), judgement and recording of each step.
        """
        self._measure, self._targets, self._bounds = measure, targets, bounds
        self._stop_errors, self._about, self._keep, self._clock = stop_errors, about, keep, clock
        self._steps: list[Step] = []
        self._measured = 0

    def run(self) -> Capacity:
        """Search until there is an answer, or none can be had."""
        self._since = self._clock()
        try:
            before = self._calm()
            while isinstance(following := decide(self._steps, self._bounds), Next):
                if self._steps and self._steps[-1].verdict != "passed" and not self._drained(before):
                    return self._capacity(
                        "did not recover",
                        f"{DRAIN_SECONDS:g} s after a step of {self._steps[-1].rate:g} visits/s the platform was still slower than before",
                    )
                if self._make(following) == "interrupted":
                    return self._capacity("interrupted")
        except KeyboardInterrupt:
            return self._capacity("interrupted")
        except RecordingRefused as error:  # of the few visits before a step
            return self._capacity("generator", str(error))
        return self._capacity(following, self._steps[-1].says if following in ("generator", "no data") else "")

    def _capacity(self, ended: Ended, why: str = "") -> Capacity:
        low, high = edges(self._steps, self._bounds)
        return Capacity(ended=ended, bounds=self._bounds, steps=tuple(self._steps), low=low, high=high, why=why)

    def _make(self, following: Next) -> str:
        """Returns why it was broken off; "" when it was not."""
        number = len(self._steps) + 1
        self._about(f"step {number}: {following.rate:g} visits/s for {following.seconds:g} s")
        profile = Profile(
            name="capacity", rate=following.rate, seconds=following.seconds, stop_errors=self._stop_errors
        )
        try:
            recording = self._draw(profile)
        except RecordingRefused as error:
            self._add(following, "invalid", says=str(error))
            return ""
        if "interrupted" in recording.stopped:
            return "interrupted"
        judgement = judge(recording, self._targets)
        open_answers = [each for each in judgement.answers if each.verdict != "passed"]
        message = list(judgement.invalid) or [f"{each.target}: {each.says}" for each in open_answers]
        self._keep(number, judgement, recording)
        self._add(
            following,
            judgement.verdict,
            best=judgement.verdict != "missed" and all(_at_most(each) for each in judgement.answers),
            answers=judgement.answers,
            says="; ".join(message),
            where={each.target: _worst(judgement, each) for each in open_answers},
        )
        return ""

    def _add(
        self,
        made: Next,
        verdict: Verdict,
        *,
        best: bool = False,
        answers: tuple[Answer, ...] = (),
        says: str = "",
        where: Mapping[str, str] | None = None,
    ) -> None:
        now = self._clock()
        self._steps.append(
            Step(
                rate=made.rate,
                seconds=made.seconds,
                verdict=verdict,
                best=best,
                took=now - self._since,
                answers=answers,
                says=says,
                where=where,
            )
        )
        self._since = now
        self._about(f"  {verdict}{f': {says}' if says else ''}")

    def _draw(self, profile: Profile) -> Recording:
        self._measured += 1
        return self._measure(profile, self._measured)

    def _drained(self, before: float) -> bool:
        until = self._clock() + DRAIN_SECONDS
        while True:
            if self._calm() <= max(_AS_QUICK * before, before + _AS_QUICK_MS):
                return True
            if self._clock() > until:
                return False

    def _calm(self) -> float:
        """The median of a few visits, in milliseconds; infinite when half of their requests failed, or none was made."""
        rate = min(CALM_RATE, self._bounds.start)
        whole = self._draw(
            Profile(name="calm", arrivals="constant", rate=rate, seconds=max(CALM_SECONDS, 2 / rate), stop_errors=1.0)
        ).total()
        if 2 * whole.failed >= whole.count:
            return math.inf
        return whole.times.quantile(0.5 * whole.count / whole.times.total) or 0.0


def _at_most(answer: Answer) -> bool:
    value = answer.estimate.value
    return value is not None and value <= answer.limit_ms


def _worst(judgement: Judgement, answer: Answer) -> str:
    """The endpoint of the target's component with the highest percentile."""

    def value(name: str) -> float:
        found = next(each for each in judgement.endpoints if each.endpoint == name)
        estimate = found.database if answer.of == "database" else found.percentiles[SHARE]
        return -1.0 if estimate is None or estimate.value is None else estimate.value

    names = [each.endpoint for each in judgement.endpoints if component_of(each.endpoint) == answer.component]
    return max(names, key=value, default="")
