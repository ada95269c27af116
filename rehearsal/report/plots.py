"""Pictures of a story as SVG: the jobs over time, and what users saw."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rehearsal.report.model import Run, Sight, Story

WIDTH = 1080
LABEL = 250
ROW = 20
COLOURS = {
    "success": "var(--good)",
    "failure": "var(--bad)",
    "timed_out": "var(--bad)",
    "cancelled": "var(--dim)",
    "skipped": "var(--faint)",
}
SERIES = ("var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)", "var(--series-5)")


class Scale:
    """Seconds of the clock to pixels."""

    def __init__(self, started: float, ended: float) -> None:
        self.started = started
        self.ended = max(ended, started + 1)

    def x(self, at: float) -> float:
        part = (min(max(at, self.started), self.ended) - self.started) / (self.ended - self.started)
        return LABEL + part * (WIDTH - LABEL - 48)

    def axis(self, height: int) -> str:
        """Grid lines at round seconds."""
        length = self.ended - self.started
        every = next((step for step in (1, 2, 5, 10, 20, 30, 60, 120, 300) if length / step <= 12), 600)
        lines = []
        for second in range(0, int(length) + 1, every):
            x = self.x(self.started + second)
            lines.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="14" y2="{height}" class="grid"/>')
            lines.append(f'<text x="{x:.1f}" y="10" class="tick" text-anchor="middle">{second} s</text>')
        return "".join(lines)


def timeline(story: Story) -> str:
    """Every job of every run as a bar, under the name of its run."""
    scale = Scale(story.started, story.ended)
    rows: list[str] = []
    y = 20
    for run in story.runs:
        rows.append(
            f'<text x="0" y="{y + 13}" class="run">{escape(_shown(f"{run.workflow} · {run.title}", 90))}</text>'
        )
        y += ROW
        for job in run.jobs:
            if job.conclusion != "skipped":
                rows.append(_bar(scale, y, job.name, job.conclusion, job.created, job.started, job.ended, job.attempt))
                y += ROW
    y += 4
    return _svg(y, scale.axis(y) + "".join(rows) + _live_marks(story, scale, y), f"Timeline of {story.title}")


def _bar(
    scale: Scale, y: int, name: str, conclusion: str, created: float, started: float, ended: float, attempt: int
) -> str:
    left, right = scale.x(started), max(scale.x(ended), scale.x(started) + 2)
    waited = scale.x(created)
    title = f"{name}: {conclusion}, {ended - started:.1f} s" + (
        f", waited {started - created:.1f} s" if started - created > 0.5 else ""
    )
    label = _shown(name, 34) + (f" (attempt {attempt})" if attempt > 1 else "")
    return (
        f'<g><title>{escape(title)}</title><text x="14" y="{y + 13}" class="job">{escape(label)}</text>'
        f'<rect x="{waited:.1f}" y="{y + 8}" width="{max(left - waited, 0):.1f}" height="2" fill="var(--faint)"/>'
        f'<rect x="{left:.1f}" y="{y + 3}" width="{right - left:.1f}" height="12" rx="2" fill="{COLOURS.get(conclusion, "var(--dim)")}"/>'
        f'<text x="{right + 4:.1f}" y="{y + 13}" class="tick">{ended - started:.1f} s</text></g>'
    )


def _live_marks(story: Story, scale: Scale, height: int) -> str:
    marks = []
    for entry in story.entries:
        if entry.kind == "live":
            x = scale.x(entry.started)
            marks.append(
                f'<g><title>{escape(entry.text)}</title><line x1="{x:.1f}" x2="{x:.1f}" y1="14" y2="{height}" class="live"/></g>'
            )
    return "".join(marks)


def users(story: Story, component: str) -> str:
    """Each request of the users' client as a dot: when, how slow, which release answered; failures stand out on top."""
    sights = story.users[component]
    scale = Scale(sights[0].at, sights[-1].at)
    height = 150
    top = max(50.0, max(s.ms for s in sights if s.ok) if any(s.ok for s in sights) else 50.0)
    colours = release_colours(sights)
    dots = []
    for sight in sights:
        y = height - 12 - (height - 40) * min(sight.ms / top, 1.0) if sight.ok else 20
        colour = colours[sight.release] if sight.ok else "var(--bad)"
        dots.append(f'<circle cx="{scale.x(sight.at):.1f}" cy="{y:.1f}" r="{2 if sight.ok else 4}" fill="{colour}"/>')
    labels = (
        f'<text x="0" y="28" class="tick">{top:.0f} ms</text><text x="0" y="{height - 10}" class="tick">0 ms</text>'
    )
    return _svg(height, scale.axis(height) + labels + "".join(dots), f"What users of the {component} saw")


def release_colours(sights: Sequence[Sight]) -> dict[str, str]:
    """A colour for each release, in the order they were seen."""
    seen = dict.fromkeys(s.release for s in sights if s.ok)
    return {release: SERIES[index % len(SERIES)] for index, release in enumerate(seen)}


def _svg(height: int, inside: str, title: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">{inside}</svg>'


def _shown(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def span(runs: Sequence[Run]) -> tuple[float, float]:
    """First beginning and last end."""
    return min(run.created for run in runs), max(run.ended for run in runs)
