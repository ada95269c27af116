"""The timeline of a story: users' actions, what went live, and every job of every run, coloured by activity."""

from __future__ import annotations

from rehearsal.report import svg
from rehearsal.report.findings import anchor
from rehearsal.report.model import Event, Job, Run, Story, WentLive
from rehearsal.report.time_shares import KINDS, spans_of

LABEL = 236
ROW = 19
COLOURS = {kind: f"var(--kind-{index + 1})" for index, kind in enumerate(KINDS)}
FAILED = ("failure", "timed_out")
QUIET = {"cancelled": "var(--dim)", "skipped": "var(--faint)"}
LIVE_LABEL = 130
"""Room for the name of what went live, before the next goes to another row."""


def timeline(story: Story) -> str:
    """Rows from top to bottom: users, what went live, and each run with its jobs."""
    scale = svg.Scale(story.started, story.ended, LABEL)
    y = 22.0
    rows = [_users(story.events, scale, y)]
    y += ROW + 4
    marks, used = _live(story.live, scale, y)
    y += used
    for run in story.runs:
        drawn, used = _run(run, story.name, scale, y)
        rows.append(drawn)
        y += used
    y += 4
    lines = "".join(f'<path d="M{scale.x(live.at):.1f} 15V{y:g}" class="went-live"/>' for live in story.live)
    return svg.drawing(y, scale.axis(y) + lines + "".join(rows) + marks, f"Timeline of {story.title}")


def _users(events: list[Event], scale: svg.Scale, y: float) -> str:
    """A mark for each action; one that took longer is a bar."""
    actions = [event for event in events if event.user]
    drawn = [svg.text(0, y + 12, "users", "run")]
    for action in actions:
        left, right = scale.x(action.started), scale.x(action.ended)
        mark = (
            svg.bar(left, y + 5, right - left, 8, "var(--action)")
            if right - left > 4
            else f'<circle cx="{left:.1f}" cy="{y + 9:.1f}" r="3.2" fill="var(--action)"/>'
        )
        drawn.append(svg.titled(f"{action.user}: {action.text}", mark))
    return "".join(drawn)


def _live(lives: list[WentLive], scale: svg.Scale, y: float) -> tuple[str, float]:
    """Names of what went live beside their lines, on as many rows as they need; and the height used."""
    if not lives:
        return "", 0
    ends: list[float] = []
    drawn = [svg.text(0, y + 12, "went live", "run")]
    for live in lives:
        x = scale.x(live.at)
        flipped = x + LIVE_LABEL > svg.WIDTH  # to the left of its line, where there is no room to the right
        row = svg.free_row(ends, x - LIVE_LABEL if flipped else x - 5, x + 5 if flipped else x + LIVE_LABEL)
        drawn.append(svg.titled(live.text, _live_name(live, x, y + row * ROW, flipped=flipped)))
    return "".join(drawn), len(ends) * ROW + 4


def _live_name(live: WentLive, x: float, y: float, *, flipped: bool) -> str:
    name = svg.shortened(f"{live.release} {live.environment}".strip() or live.text, 24)
    dot = f'<circle cx="{x:.1f}" cy="{y + 9:.1f}" r="4" fill="var(--accent)"/>'
    return dot + svg.text(x - 8 if flipped else x + 8, y + 13, name, "live", end=flipped)


def _run(run: Run, story: str, scale: svg.Scale, y: float) -> tuple[str, float]:
    """The run's name, and below it the jobs that started; and the height used."""
    jobs = [job for job in run.jobs if job.started > 0 and job.conclusion != "skipped"]
    failed = run.conclusion in FAILED
    name = svg.shortened(f"{run.workflow} · {run.title}", 110) + (" ✗" if failed else "")
    drawn = [svg.text(0, y + 14, name, "run failed" if failed else "run")]
    drawn += [_job(job, story, scale, y + ROW * (index + 1)) for index, job in enumerate(jobs)]
    return "".join(drawn), ROW * (len(jobs) + 1) + 5


def _job(job: Job, story: str, scale: svg.Scale, y: float) -> str:
    """A thin line while it waited, then a bar in the colours of its steps' kinds; red when it failed."""
    left, right = scale.x(job.started), max(scale.x(job.ended), scale.x(job.started) + 2)
    failed = job.conclusion in FAILED
    label = svg.shortened(job.name, 30) + (f" (attempt {job.attempt})" if job.attempt > 1 else "")
    waited = scale.x(job.created)
    return svg.titled(
        _summary(job),
        svg.text(14, y + 13, label, "job failed" if failed else "job"),
        svg.bar(waited, y + 8, left - waited, 2, "var(--dim)"),
        _filled(job, scale, y, left, right),
        svg.text(right + 5, y + 13, f"{job.ended - job.started:.1f} s{' ✗' if failed else ''}", "tick"),
        link=anchor(story, job) if job.log else "",
    )


def _filled(job: Job, scale: svg.Scale, y: float, left: float, right: float) -> str:
    if job.conclusion in FAILED:
        return svg.bar(left, y + 3, right - left, 12, "var(--bad)")
    if job.conclusion in QUIET:
        return svg.bar(left, y + 3, right - left, 12, QUIET[job.conclusion])
    parts = [
        svg.bar(scale.x(span.started), y + 3, scale.x(span.ended) - scale.x(span.started), 12, COLOURS[span.activity])
        for span in spans_of(job)
    ]
    return "".join(parts) or svg.bar(left, y + 3, right - left, 12, "var(--dim)")


def _summary(job: Job) -> str:
    waited = job.started - job.created
    steps = "; ".join(f"{step.name} {step.ended - step.started:.1f} s" for step in job.steps)
    return (
        f"{job.name}: {job.conclusion}, {job.ended - job.started:.1f} s"
        + (f", waited {waited:.1f} s" if waited > 0.5 else "")
        + (f" ({steps})" if steps else "")
    )
