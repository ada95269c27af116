"""Where the time went: each moment of the rehearsal is divided among what was at work in it; what is left is waiting.

Jobs run side by side, so their durations add up to more than the clock; this does not.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator

from rehearsal.report.model import Job, Run, Share

APPS = "the apps' own checks and builds"
BROWSER = "the browser"
ACT = "act"
ACTIONS = "our actions"
WAITING = "waiting"
KINDS = (APPS, BROWSER, ACT, ACTIONS)
"""What can be at work; a colour each, in this order."""
ORDER = (*KINDS, WAITING)

Span = tuple[float, float, str]

APPS_STEPS = frozenset({"Check", "Build and push the backend", "Build and push the web app"})
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
            yield (at, step.started, ACT)
        if step.ended > step.started:
            yield (step.started, step.ended, kind_of(step.name))
        at = max(at, step.ended)
    if job.ended > at:
        yield (at, job.ended, ACT)


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
        active = [what for begin, end, what in spans if begin < right and end > left]
        for what in active:
            spent[what] += (right - left) / len(active)
    return spent
