"""Where the time of a run went: waiting, act's own start, the steps. Pure; times are seconds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rehearsal.runner.model import Job, Run, Step

SETUP, COMPLETE = "Set up job", "Complete job"


@dataclass(frozen=True, kw_only=True)
class StepSpan:
    number: int
    name: str
    conclusion: str | None
    start: datetime
    seconds: float


@dataclass(frozen=True, kw_only=True)
class JobSpan:
    """One job that began. `queued + waiting + setup + working + leaving` is its whole time."""

    name: str
    attempt: int
    conclusion: str | None
    environment: str | None
    start: datetime
    """When it was created: all it needed was finished."""
    queued: float
    """For a concurrency group or a free act."""
    waiting: float
    """For reviewers and wait timers."""
    setup: float
    """The runner and act, before the first step."""
    working: float
    """First step's start to last step's end."""
    leaving: float
    """After the last step: outputs, clean-up."""
    steps: tuple[StepSpan, ...]

    @property
    def overhead(self) -> float:
        """What the runner and act added to the steps."""
        return self.setup + self.leaving

    @property
    def total(self) -> float:
        return self.queued + self.waiting + self.setup + self.working + self.leaving


def jobs(run: Run) -> list[JobSpan]:
    """Jobs that began, in the order in which they were created; of every attempt."""
    return [_job_span(job) for job in run.jobs if job.steps and job.started_at is not None]


def _job_span(job: Job) -> JobSpan:
    started = job.started_at or job.created_at
    ended = job.completed_at or started
    waiting = _between(job.waiting_since, job.released_at)
    spans = tuple(_step_span(step) for step in job.steps if step.name not in (SETUP, COMPLETE) and _ran(step))
    first = spans[0].start if spans else ended
    last = max((step.completed_at for step in job.steps if _own(step) and step.completed_at), default=ended)
    return JobSpan(
        name=job.name,
        attempt=job.attempt,
        conclusion=job.conclusion,
        environment=job.environment,
        start=job.created_at,
        queued=_between(job.created_at, started) - waiting,
        waiting=waiting,
        setup=_between(started, first),
        working=_between(first, last) if spans else 0.0,
        leaving=_between(last, ended) if spans else 0.0,
        steps=spans,
    )


def _own(step: Step) -> bool:
    return step.name not in (SETUP, COMPLETE) and _ran(step)


def _ran(step: Step) -> bool:
    return step.started_at is not None and step.conclusion != "skipped"


def _step_span(step: Step) -> StepSpan:
    start = step.started_at
    if start is None:
        raise ValueError(f"step {step.name!r} did not begin")
    seconds = _between(start, step.completed_at)
    return StepSpan(number=step.number, name=step.name, conclusion=step.conclusion, start=start, seconds=seconds)


def _between(start: datetime | None, end: datetime | None) -> float:
    return (end - start).total_seconds() if start is not None and end is not None else 0.0


def totals(runs: Iterable[Run]) -> dict[str, float]:
    """Seconds over all jobs of some runs, by kind: queued, waiting, setup, working, leaving."""
    spans = [span for run in runs for span in jobs(run)]
    kinds = ("queued", "waiting", "setup", "working", "leaving")
    return {kind: sum(getattr(span, kind) for span in spans) for kind in kinds}


def seconds(run: Run) -> float:
    """From the event to the end of the run, as far as it has come."""
    return _between(run.created_at, run.updated_at)


def critical_path(run: Run) -> list[Job]:
    """The chain of needs that decided when the run ended: from its first job to the one that ended last."""
    finished = [job for job in run.latest_jobs() if job.completed_at is not None and job.conclusion != "skipped"]
    path: list[Job] = []
    candidates = finished
    while candidates:
        latest = max(candidates, key=lambda job: job.completed_at or job.created_at)
        path.insert(0, latest)
        candidates = [job for job in finished if job.key in latest.needs and job not in path]
    return path
