"""Where the time went: each moment of the rehearsal is divided among the activities in it; what is left is waiting.

Jobs run in parallel, so their durations add up to more than the clock; this does not. A step of our own is active
while its processes compute; the rest of it is waiting: for a provider, for an application to start, for the time
in which traffic is watched.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rehearsal.report.model import Job, Run, Step, TimeShare

APPS = "the apps' own checks and builds"
BROWSER = "the browser"
ACT = "act"
ACTIONS = "our actions"
WAITING = "waiting"
KINDS = (APPS, BROWSER, ACT, ACTIONS)
"""Activities; a colour each, in this order."""
ORDER = (*KINDS, WAITING)


class Span(NamedTuple):
    """A span of one activity: `part` of it, and `nested_busy` of it in act's stand-ins."""

    started: float
    ended: float
    activity: str
    part: float = 1.0
    nested_busy: float = 0.0


APPS_STEPS = frozenset({"Check", "Build"})
"""Steps whose time is the apps' own commands: their tests, their builds."""
BROWSER_STEPS = frozenset({"Run the browser tests"})
ACT_STEPS = frozenset({"Set up job", "Complete job", "Check out"})


def shares(runs: Iterable[Run], started: float, ended: float) -> list[TimeShare]:
    """The parts of [started, ended], in a fixed order, summing to 1."""
    spent = _divide(sorted(_spans(runs)), started, ended)
    whole = max(ended - started, 1e-9)
    spent[WAITING] = max(whole - sum(spent.values()), 0.0)
    return [
        TimeShare(activity=activity, seconds=round(spent[activity], 3), part=round(spent[activity] / whole, 4))
        for activity in ORDER
    ]


def _spans(runs: Iterable[Run]) -> Iterator[Span]:
    for run in runs:
        for job in run.jobs:
            yield from spans_of(job)


def spans_of(job: Job) -> Iterator[Span]:
    """A job's steps by kind, and what lies between them: act starting and ending them."""
    if job.started <= 0 or job.ended <= job.started:
        return
    at = job.started
    for step in job.steps:
        if step.started > at:
            yield Span(at, step.started, ACT)
        if step.ended > step.started:
            yield _span(step)
        at = max(at, step.ended)
    if job.ended > at:
        yield Span(at, job.ended, ACT)


def _span(step: Step) -> Span:
    """Steps of others count from start to end; of ours what was computed."""
    kind = kind_of(step.name)
    if kind != ACTIONS:
        return Span(step.started, step.ended, kind)
    whole = max(step.ended - step.started, step.busy + step.nested_busy)
    return Span(step.started, step.ended, kind, step.busy / whole, step.nested_busy / whole)


def kind_of(name: str) -> str:
    """What a step is, by its name."""
    if name in APPS_STEPS:
        return APPS
    if name in BROWSER_STEPS:
        return BROWSER
    if name in ACT_STEPS:
        return ACT
    return ACTIONS


def _divide(spans: list[Span], started: float, ended: float) -> dict[str, float]:
    """Sweep over all starts and ends; between two of them the same spans are active."""
    changes = sorted({started, ended, *(t for span in spans for t in span[:2] if started < t < ended)})
    spent: dict[str, float] = defaultdict(float)
    for left, right in itertools.pairwise(changes):
        active = [span for span in spans if span.started < right and span.ended > left]
        for span in active:
            share = (right - left) / len(active)
            spent[span.activity] += share * span.part
            spent[ACT] += share * span.nested_busy
    return spent
