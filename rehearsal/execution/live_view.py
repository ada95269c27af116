"""Watch stories being told: one calm view on a terminal, plain lines elsewhere (CI, a pipe)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType

import httpx
from rich.console import Console
from rich.live import Live
from rich.text import Text

from rehearsal.execution.progress import Chapter, Screen, step
from rehearsal.scenario.event_log import Entry
from rehearsal.scenario.world_client import Place

EVERY = 0.5


class LiveView:
    """On a terminal it draws the screen over and over, and leaves the stories' outcomes; elsewhere it prints what ended, each line
    with the story it belongs to."""

    def __init__(self, chapters: Sequence[Chapter], *, on_stderr: bool = False, console: Console | None = None) -> None:
        self.screen = Screen(chapters=list(chapters))
        self._width = max((len(chapter.name) for chapter in chapters), default=0) + 2
        self._console = console or Console(stderr=on_stderr, highlight=False, soft_wrap=True)
        self._live: Live | None = None
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=lambda: self.screen.picture(self._console.height - 1),
                console=self._console,
                refresh_per_second=4,
                transient=True,
                redirect_stdout=False,
            )
        self._over = threading.Event()
        self._places: dict[str, Place] = {}
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
        self._over.set()
        if self._live is not None:
            self._thread.join()
        if self._live is not None:
            self._live.__exit__(kind, error, trace)
            self._console.print(self.screen.summary())
            for title, problem in self._problems:
                self._told(f"\n{title}", problem)

    def follow(self, story: str, place: Place) -> None:
        """Show the jobs of this world's runs until the story ends."""
        self._places = {**self._places, story: place}

    def phase(self, story: str, text: str) -> None:
        """What goes on before or after a story is told."""
        self.screen.chapter(story).phase = text

    def begins(self, story: str) -> None:
        self.screen.begins(story)
        if self._live is None:
            self._say(story, Text(self.screen.chapter(story).title, style="bold"))

    def entry(self, story: str, entry: Entry) -> None:
        """A diary's entry has begun or ended."""
        self.screen.chapter(story).entry(entry)
        if self._live is None and entry.ended and entry.kind != "users":
            self._say(story, step(entry, before=""))

    def ends(self, story: str, problem: str, seconds: float) -> None:
        """A story is over; `problem` is empty when it passed."""
        self._places = {name: place for name, place in self._places.items() if name != story}
        self.screen.ends(story, seconds, passed=not problem)
        if problem and self._live is not None:
            self._problems.append((self.screen.chapter(story).title, problem))
        elif problem:
            self._told(f"{story:{self._width}}✗ failed after {seconds:.1f} s", problem)
        elif self._live is None:
            self._say(story, Text(f"passed in {seconds:.1f} s", style="green"))

    def remark(self, text: str) -> None:
        """Something that fails nothing, but is to be known."""
        self._console.print(Text(_harmless(text), style="yellow"))

    def finishing(self) -> None:
        """All stories are told."""
        self.screen.phase = "writing the report"

    def _say(self, story: str, line: Text) -> None:
        self._console.print(Text(f"{story:{self._width}}", style="dim").append_text(line))

    def _told(self, heading: str, problem: str) -> None:
        self._console.print(Text(f"{heading}\n", style="bold red").append_text(Text(_harmless(problem), style="red")))

    def _watch(self) -> None:
        while not self._over.wait(EVERY):
            for story, place in self._places.items():
                try:
                    self.screen.chapter(story).runs = place.inspect("runs")
                except (httpx.HTTPError, OSError):
                    continue  # the world is busy, or ending: the next look will tell


def _harmless(text: str) -> str:
    """Lines from outside without what moves a terminal's cursor."""
    return "".join(char for char in text if char.isprintable() or char in "\n\t")
