"""What a reader looks for first, drawn from a report: verdict, failures, slowest steps. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rehearsal.report.model import Event, Job, Report, Rollback, Run, Story, WentLive
from rehearsal.report.time_shares import kind_of

FAILED = ("failure", "timed_out")
FAULTS = {
    "delay": "answered late",
    "status": "failed",
    "cut": "cut the connection",
    "throttle": "refused for too many requests (429)",
    "lose_answer": "did it, and lost the answer",
}
"""Kinds of faults in words."""


@dataclass(frozen=True, kw_only=True)
class Slow:
    """A step by name, over all jobs that have it."""

    name: str
    kind: str
    times: int
    seconds: float
    """Added up; jobs run in parallel, so this is more than the clock's time."""
    longest: float


def verdict(report: Report) -> str:
    """The whole in one sentence."""
    failed = [story for story in report.stories if not story.passed]
    counted = f"{len(report.stories)} {'story' if len(report.stories) == 1 else 'stories'}"
    if failed:
        not_run = f", {len(report.not_run)} not run" if report.not_run else ""
        return f"{len(failed)} of {counted} failed{not_run}"
    if report.contracts.violations:
        return f"{counted} passed, but the providers' contracts were breached {len(report.contracts.violations)} times"
    return f"{counted}, all passed" if len(report.stories) > 1 else f"{counted}, passed"


def headline(story: Story) -> str:
    """What went wrong, in a line: the first one, or the last of a trace."""
    lines = [line.strip() for line in story.problem.splitlines() if line.strip()]
    if not lines:
        return ""
    return lines[-1] if lines[0].startswith("Traceback") else lines[0]


def rest(story: Story) -> str:
    """The problem without its headline, and without the logs that are shown as the failing jobs'."""
    text = story.problem.strip()
    if text.startswith("Traceback"):
        return text
    below = text.partition("\n")[2]
    return below.partition("--- ")[0].strip() if failing(story) else below.strip()


def failing(story: Story) -> list[tuple[Run, Job]]:
    """The failed jobs of the run that a failed story names."""
    if story.passed:
        return []
    blamed = [run for run in story.runs if run.conclusion in FAILED and _named_in(run, story.problem)]
    return failed_jobs(blamed[-1:])


def failed_jobs(runs: Sequence[Run]) -> list[tuple[Run, Job]]:
    """Jobs with the last lines of their logs, whether failure was expected or not."""
    return [(run, job) for run in runs for job in run.jobs if job.log]


def anchor(story: str, job: Job) -> str:
    """Where in the page a job's log is. Each story has a world of its own, so ids repeat."""
    return f"job-{story}-{job.id}"


def _named_in(run: Run, problem: str) -> bool:
    return run.workflow in problem or f"run {run.id}" in problem


def failed_event(story: Story) -> Event | None:
    """The event in which the story ended."""
    return next((event for event in reversed(story.events) if event.kind == "failure"), None)


def assertions(story: Story) -> int:
    """How many assertions held."""
    return sum(event.kind == "assertion" for event in story.events)


def live(report: Report) -> list[tuple[Story, WentLive]]:
    """What went live and when, over all stories."""
    return sorted(((story, one) for story in report.stories for one in story.live), key=lambda pair: pair[1].at)


def rollbacks(report: Report) -> list[tuple[Story, Rollback]]:
    """What was rolled back, over all stories."""
    return [(story, one) for story in report.stories for one in story.rollbacks]


def user_requests(report: Report) -> tuple[int, int]:
    """Users' requests, and how many failed."""
    requests = [
        s for story in report.stories for traffic in story.traffic for of in traffic.requests.values() for s in of
    ]
    return len(requests), sum(not request.ok for request in requests)


def slowest(report: Report, most: int = 10) -> list[Slow]:
    """The steps that took the most time in all, by name."""
    spans: dict[str, list[float]] = defaultdict(list)
    for run in (run for story in report.stories for run in story.runs):
        for job in run.jobs:
            for step in job.steps:
                spans[step.name].append(max(step.ended - step.started, 0.0))
    found = [
        Slow(name=name, kind=kind_of(name), times=len(took), seconds=sum(took), longest=max(took))
        for name, took in spans.items()
    ]
    return sorted(found, key=lambda slow: -slow.seconds)[:most]


def subject(text: str) -> str:
    """The first line of a message."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "(empty)")
    return first if len(first) <= 120 else first[:119] + "…"
