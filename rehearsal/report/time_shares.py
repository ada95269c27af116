"""Where the time went: each moment of the rehearsal is divided among what was at work in it; what is left is waiting.

Jobs run side by side, so their durations add up to more than the clock; this does not. A step of our own is at work
while its processes compute; the rest of it is waiting: for a provider, for an application to start, for a while to pass
in which traffic is watched.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rehearsal.report.model import Job, Run, Share, Step

APPS = "the apps' own checks and builds"
BROWSER = "the browser"
ACT = "act"
ACTIONS = "our actions"
WAITING = "waiting"
KINDS = (APPS, BROWSER, ACT, ACTIONS)
"""What can be at work; a colour each, in this order."""
ORDER = (*KINDS, WAITING)


class Span(NamedTuple):
    """A while in which one thing was at work, `part` of it; and `guests` of it act's stand-ins."""

    started: float
    ended: float
    what: str
    part: float = 1.0
    guests: float = 0.0


APPS_STEPS = frozenset({"Check", "Build"})
"""Steps whose time is the apps' own commands: their tests, their builds."""
BROWSER_STEPS = frozenset({"Run the browser tests"})
ACT_STEPS = frozenset({"Set up job", "Complete job", "Check out"})


def shares(runs: Iterable[Run], started: float, ended: float) -> list[Share]:
    """The parts of [started, ended], in a fixed order, summing to 1."""
    spent = _divide(sorted(_spans(runs)), started, ended)
    whole = max(ended - started, 1e-9)
    spent[WAITING] = max(whole - sum(spent.values()), 0.0)
    return [Share(what=what, seconds=round(spent[what], 3), part=round(spent[what] / whole, 4)) for what in ORDER]


def _spans(runs: Iterable[Run]) -> Iterator[Span]:
    for run in runs:
        for job in run.jobs:
            yield from spans_of(job)


def spans_of(job: Job) -> Iterator[Span]:
    """A job's steps by kind, and what lies between them: act starting, ending, passing on."""
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
    """What others do in their steps is theirs from beginning to end; of ours, what was computed."""
    kind = kind_of(step.name)
    if kind != ACTIONS:
        return Span(step.started, step.ended, kind)
    whole = max(step.ended - step.started, step.busy + step.guests)
    return Span(step.started, step.ended, kind, step.busy / whole, step.guests / whole)


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
    """Sweep over all beginnings and ends; between two of them the same things are at work."""
    changes = sorted({started, ended, *(t for span in spans for t in span[:2] if started < t < ended)})
    spent: dict[str, float] = defaultdict(float)
    for left, right in itertools.pairwise(changes):
        active = [span for span in spans if span.started < right and span.ended > left]
        for span in active:
            share = (right - left) / len(active)
            spent[span.what] += share * span.part
            spent[ACT] += share * span.guests
    return spent
