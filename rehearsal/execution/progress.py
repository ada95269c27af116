"""The live view as a picture: which story, its latest steps, the jobs under way, and whom they wait for. Holds state, draws, no more."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from rehearsal.scenario.event_log import Entry
from rehearsal.scenario.steps import UNDER_WAY

MARKS = {"act": "▸", "wait": "…", "proof": "✓", "live": "●", "message": "✉", "failure": "✗", "faults": "⚡"}
STYLES = {"proof": "green", "live": "bold cyan", "failure": "bold red", "wait": "dim", "message": "magenta"}
STEPS = 8
"""Steps of the story that stay in sight."""


@dataclass(kw_only=True)
class Chapter:
    """One story of those to be told."""

    name: str
    title: str
    state: str = "to come"
    """to come, told, passed, failed"""
    phase: str = ""
    """What goes on before and after it is told."""
    started: float = 0.0
    seconds: float = 0.0
    steps: list[Entry] = field(default_factory=list)
    open: list[Entry] = field(default_factory=list)
    runs: Sequence[dict[str, Any]] = ()

    def entry(self, entry: Entry) -> None:
        """A diary's entry has begun or ended. What users saw is for the report."""
        if not entry.ended:
            self.open = [*self.open, entry]
            return
        self.open = [one for one in self.open if one is not entry]
        if entry.kind != "users":
            self.steps = [*self.steps, entry][-STEPS:]

    def lines(self, room: int, now: float) -> list[Text]:
        """At most `room` lines of its steps, what is being done, and the jobs under way."""
        doing = self._doing(now)
        jobs = [line for run in self.runs for line in _run(run, now)][: max(room - 3, 0)]
        left = max(room - len(jobs) - len(doing), 0)
        return [*(step(entry) for entry in self.steps[-left:] if left), *doing, *jobs]

    def _doing(self, now: float) -> list[Text]:
        """The innermost of what goes on."""
        if not self.open:
            return []
        entry = self.open[-1]
        line = Text("    ⟳ ", style="yellow")
        line.append(f"{entry.who}: " if entry.who else "", style="bold")
        line.append(("waits for " if entry.kind == "wait" else "") + one_line(entry.text))
        return [_timed(line, now - entry.started)]


@dataclass(kw_only=True)
class Screen:
    """What is known now. The tellers' threads write, the drawing thread reads."""

    chapters: list[Chapter]
    phase: str = ""
    """What goes on when all stories are told."""
    began: float = field(default_factory=time.time)
    clock: Callable[[], float] = time.time

    def chapter(self, name: str) -> Chapter:
        return next(chapter for chapter in self.chapters if chapter.name == name)

    def begins(self, name: str) -> None:
        chapter = self.chapter(name)
        chapter.state, chapter.started, chapter.phase = "told", self.clock(), ""

    def ends(self, name: str, seconds: float, *, passed: bool) -> None:
        chapter = self.chapter(name)
        chapter.state, chapter.seconds, chapter.phase = ("passed" if passed else "failed"), seconds, ""

    def picture(self, height: int = 40) -> RenderableType:
        """At most `height` lines: the stories always, then as much of the jobs and of the steps as there is room for."""
        now = self.clock()
        stories = self._stories(now)
        room = max(height - len(stories) - 2, 3)
        told = [chapter for chapter in self.chapters if chapter.state == "told"][: max(room // 4, 1)]
        shown: list[Text] = []
        for chapter in told:
            name = [Text(f"  {chapter.name}", style="dim")] if len(told) > 1 else []
            shown += [*name, *chapter.lines(room // len(told) - len(name), now)]
        return Group(*stories, Text(""), *shown)

    def summary(self) -> RenderableType:
        """The stories alone, as they ended."""
        return Group(*self._stories(self.clock(), heading=False))

    def _stories(self, now: float, *, heading: bool = True) -> list[Text]:
        done = sum(chapter.state in ("passed", "failed") for chapter in self.chapters)
        head = Text(f"{done} of {len(self.chapters)} stories told", style="bold")
        head.append(f"  {duration(now - self.began)}", style="dim")
        if self.phase:
            head.append(f"  {self.phase}", style="dim")
        return [*([head] if heading else []), *(_chapter(chapter, now) for chapter in self.chapters)]


def step(entry: Entry, before: str = "    ") -> Text:
    """One line for a step that is over."""
    style = STYLES.get(entry.kind, "")
    line = Text(before)
    line.append(f"{MARKS.get(entry.kind, '·')} ", style=style)
    line.append(f"{entry.who}: " if entry.who else "", style="bold")
    line.append(one_line(entry.text), style=style)
    return _timed(line, entry.ended - entry.started)


def one_line(text: str) -> str:
    """Text from outside, without what moves a terminal's cursor or colours it."""
    flat = "".join(char if char.isprintable() else " " for char in text)
    return flat if len(flat) <= 160 else flat[:159] + "…"


def duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _chapter(chapter: Chapter, now: float) -> Text:
    mark, style, seconds = {
        "passed": ("✓", "green", chapter.seconds),
        "failed": ("✗", "bold red", chapter.seconds),
        "told": ("▸", "bold", now - chapter.started),
    }.get(chapter.state, ("·", "dim", 0.0))
    line = Text(f"  {mark} {chapter.title}", style=style)
    if seconds:
        line.append(f"  {duration(seconds)}", style="dim")
    if chapter.phase:
        line.append(f"  {chapter.phase}", style="dim")
    return line


def _run(run: dict[str, Any], now: float) -> list[Text]:
    """A run that is under way: its name, the jobs at work, and whom it waits for."""
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
