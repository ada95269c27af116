"""Progress of running stories: a live view on a terminal, plain lines elsewhere (CI, a pipe)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType

import httpx
from rich.console import Console
from rich.live import Live
from rich.text import Text

from rehearsal.execution.progress import Progress, StoryProgress, step
from rehearsal.scenario.event_log import LoggedEvent
from rehearsal.scenario.world_client import WorldClient

INTERVAL = 0.5
"""Seconds between two looks at the runs of a world."""


class LiveView:
    """On a terminal it redraws the progress, and leaves the stories' outcomes; elsewhere it prints what ended, each line with the name
    of its story."""

    def __init__(
        self, stories: Sequence[StoryProgress], *, on_stderr: bool = False, console: Console | None = None
    ) -> None:
        self.progress = Progress(stories=list(stories))
        self._width = max((len(story.name) for story in stories), default=0) + 2
        self._console = console or Console(stderr=on_stderr, highlight=False, soft_wrap=True)
        self._live: Live | None = None
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=lambda: self.progress.render(self._console.height - 1),
                console=self._console,
                refresh_per_second=4,
                transient=True,
                redirect_stdout=False,
            )
        self._stopped = threading.Event()
        self._worlds: dict[str, WorldClient] = {}
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._problems: list[tuple[str, str]] = []

    def __enter__(self) -> LiveView:
        if self._live is not None:
            self._live.__enter__()
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        if self._live is not None:
            self._thread.join()
        if self._live is not None:
            self._live.__exit__(kind, error, trace)
            self._console.print(self.progress.summary())
            for title, problem in self._problems:
                self._print_problem(f"\n{title}", problem)

    def follow(self, story: str, world: WorldClient) -> None:
        """Show the jobs of this world's runs until the story ends."""
        self._worlds = {**self._worlds, story: world}

    def phase(self, story: str, text: str) -> None:
        """What goes on before or after a story runs."""
        self.progress.story(story).phase = text

    def story_started(self, story: str) -> None:
        self.progress.story_started(story)
        if self._live is None:
            self._print(story, Text(self.progress.story(story).title, style="bold"))

    def event(self, story: str, event: LoggedEvent) -> None:
        """An event of the story's log has started or ended."""
        self.progress.story(story).event(event)
        if self._live is None and event.ended and event.kind != "traffic":
            self._print(story, step(event, before=""))

    def story_ended(self, story: str, problem: str, seconds: float) -> None:
        """A story has ended; `problem` is empty when it passed."""
        self._worlds = {name: world for name, world in self._worlds.items() if name != story}
        self.progress.story_ended(story, seconds, passed=not problem)
        if problem and self._live is not None:
            self._problems.append((self.progress.story(story).title, problem))
        elif problem:
            self._print_problem(f"{story:{self._width}}✗ failed after {seconds:.1f} s", problem)
        elif self._live is None:
            self._print(story, Text(f"passed in {seconds:.1f} s", style="green"))

    def warn(self, text: str) -> None:
        """A problem that fails no story."""
        self._console.print(Text(_harmless(text), style="yellow"))

    def writing_report(self) -> None:
        """All stories have ended."""
        self.progress.phase = "writing the report"

    def _print(self, story: str, line: Text) -> None:
        self._console.print(Text(f"{story:{self._width}}", style="dim").append_text(line))

    def _print_problem(self, heading: str, problem: str) -> None:
        self._console.print(Text(f"{heading}\n", style="bold red").append_text(Text(_harmless(problem), style="red")))

    def _watch(self) -> None:
        while not self._stopped.wait(INTERVAL):
            for story, world in self._worlds.items():
                try:
                    self.progress.story(story).runs = world.inspect("runs")
                except (httpx.HTTPError, OSError):
                    continue  # the world is busy, or ending: the next look will show it


def _harmless(text: str) -> str:
    """Lines from outside without what moves a terminal's cursor."""
    return "".join(char for char in text if char.isprintable() or char in "\n\t")
