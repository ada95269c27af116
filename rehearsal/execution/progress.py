"""The progress of stories, and how it is drawn: their latest steps, the jobs that run, and whom they wait for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from rehearsal.scenario.event_log import LoggedEvent
from rehearsal.scenario.steps import UNDER_WAY

MARKS = {"action": "▸", "wait": "…", "assertion": "✓", "live": "●", "notification": "✉", "failure": "✗", "faults": "⚡"}
STYLES = {"assertion": "green", "live": "bold cyan", "failure": "bold red", "wait": "dim", "notification": "magenta"}
STEPS = 8
"""Steps of the story that stay in sight."""


@dataclass(kw_only=True)
class StoryProgress:
    """One story of a rehearsal."""

    name: str
    title: str
    state: str = "pending"
    """pending, running, passed, failed"""
    phase: str = ""
    """What goes on before and after it runs."""
    started: float = 0.0
    seconds: float = 0.0
    steps: list[LoggedEvent] = field(default_factory=list)
    open: list[LoggedEvent] = field(default_factory=list)
    runs: Sequence[dict[str, Any]] = ()

    def event(self, event: LoggedEvent) -> None:
        """An event of its log has started or ended. Users' requests are for the report alone."""
        if not event.ended:
            self.open = [*self.open, event]
            return
        self.open = [one for one in self.open if one is not event]
        if event.kind != "traffic":
            self.steps = [*self.steps, event][-STEPS:]

    def lines(self, room: int, now: float) -> list[Text]:
        """At most `room` lines: its steps, the current one, and the jobs that run."""
        current = self._current(now)
        jobs = [line for run in self.runs for line in _run(run, now)][: max(room - 3, 0)]
        left = max(room - len(jobs) - len(current), 0)
        return [*(step(event) for event in self.steps[-left:] if left), *current, *jobs]

    def _current(self, now: float) -> list[Text]:
        """The innermost event that has not ended."""
        if not self.open:
            return []
        event = self.open[-1]
        line = Text("    ⟳ ", style="yellow")
        line.append(f"{event.user}: " if event.user else "", style="bold")
        line.append(("waits for " if event.kind == "wait" else "") + one_line(event.text))
        return [_timed(line, now - event.started)]


@dataclass(kw_only=True)
class Progress:
    """The progress of all stories. Their threads write, the drawing thread reads."""

    stories: list[StoryProgress]
    phase: str = ""
    """What goes on when all stories have ended."""
    started: float = field(default_factory=time.time)
    clock: Callable[[], float] = time.time

    def story(self, name: str) -> StoryProgress:
        return next(story for story in self.stories if story.name == name)

    def story_started(self, name: str) -> None:
        story = self.story(name)
        story.state, story.started, story.phase = "running", self.clock(), ""

    def story_ended(self, name: str, seconds: float, *, passed: bool) -> None:
        story = self.story(name)
        story.state, story.seconds, story.phase = ("passed" if passed else "failed"), seconds, ""

    def render(self, height: int = 40) -> RenderableType:
        """At most `height` lines: the stories always, then as much of the jobs and of the steps as there is room for."""
        now = self.clock()
        stories = self._stories(now)
        room = max(height - len(stories) - 2, 3)
        running = [story for story in self.stories if story.state == "running"][: max(room // 4, 1)]
        shown: list[Text] = []
        for story in running:
            name = [Text(f"  {story.name}", style="dim")] if len(running) > 1 else []
            shown += [*name, *story.lines(room // len(running) - len(name), now)]
        return Group(*stories, Text(""), *shown)

    def summary(self) -> RenderableType:
        """The stories alone, as they ended."""
        return Group(*self._stories(self.clock(), heading=False))

    def _stories(self, now: float, *, heading: bool = True) -> list[Text]:
        done = sum(story.state in ("passed", "failed") for story in self.stories)
        head = Text(f"{done} of {len(self.stories)} stories done", style="bold")
        head.append(f"  {duration(now - self.started)}", style="dim")
        if self.phase:
            head.append(f"  {self.phase}", style="dim")
        return [*([head] if heading else []), *(_story(story, now) for story in self.stories)]


def step(event: LoggedEvent, before: str = "    ") -> Text:
    """One line for a step that has ended."""
    style = STYLES.get(event.kind, "")
    line = Text(before)
    line.append(f"{MARKS.get(event.kind, '·')} ", style=style)
    line.append(f"{event.user}: " if event.user else "", style="bold")
    line.append(one_line(event.text), style=style)
    return _timed(line, event.ended - event.started)


def one_line(text: str) -> str:
    """Text from outside, without what moves a terminal's cursor or colours it."""
    flat = "".join(char if char.isprintable() else " " for char in text)
    return flat if len(flat) <= 160 else flat[:159] + "…"


def duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _story(story: StoryProgress, now: float) -> Text:
    mark, style, seconds = {
        "passed": ("✓", "green", story.seconds),
        "failed": ("✗", "bold red", story.seconds),
        "running": ("▸", "bold", now - story.started),
    }.get(story.state, ("·", "dim", 0.0))
    line = Text(f"  {mark} {story.title}", style=style)
    if seconds:
        line.append(f"  {duration(seconds)}", style="dim")
    if story.phase:
        line.append(f"  {story.phase}", style="dim")
    return line


def _run(run: dict[str, Any], now: float) -> list[Text]:
    """A run that has not ended: its name, the jobs that run, and whom it waits for."""
    if run["conclusion"] not in UNDER_WAY:
        return []
    head = Text(f"      {one_line(run['workflow'])}", style="cyan")
    head.append(f"  {one_line(run['title'])}", style="dim")
    lines = [head]
    for wait in run["waits_for"]:
        people = " or ".join(wait["reviewers"]) or "its timer"
        lines.append(Text(f"        ◌ {wait['environment']} waits for {people}", style="yellow"))
    for job in run["jobs"]:
        if job["conclusion"] == "in_progress":
            lines.append(_timed(Text(f"        ● {one_line(job['name'])}"), now - job["started"]))
        elif job["conclusion"] == "pending":
            lines.append(Text(f"        ◌ {one_line(job['name'])} waits for another run", style="yellow"))
    return lines if len(lines) > 1 else []


def _timed(line: Text, seconds: float) -> Text:
    if seconds > 0.5:
        line.append(f"  {seconds:.1f} s" if seconds < 10 else f"  {duration(seconds)}", style="dim")
    line.no_wrap, line.overflow = True, "ellipsis"
    return line
