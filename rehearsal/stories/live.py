"""Watch stories being told: one calm view on a terminal, plain lines elsewhere (CI, a pipe)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType

import httpx
from rich.console import Console
from rich.live import Live
from rich.text import Text

from rehearsal.stories.diary import Entry
from rehearsal.stories.place import Place
from rehearsal.stories.screen import Chapter, Screen, step

EVERY = 0.5


class LiveView:
    """On a terminal it draws the screen over and over, and leaves the stories' outcomes; elsewhere it prints what ended."""

    def __init__(self, titles: Sequence[str], *, on_stderr: bool = False, console: Console | None = None) -> None:
        self.screen = Screen(chapters=[Chapter(title=title) for title in titles])
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
        self._thread: threading.Thread | None = None
        self._problems: list[tuple[str, str]] = []

    def __enter__(self) -> LiveView:
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        if self._live is not None:
            self._live.__exit__(kind, error, trace)
            self._console.print(self.screen.summary())
            for title, problem in self._problems:
                self._told(f"\n{title}", problem)

    def follow(self, place: Place) -> None:
        """Show the jobs of this world's runs from now on."""
        if self._live is not None:
            self._thread = threading.Thread(target=self._watch, args=(place,), daemon=True)
            self._thread.start()

    def begins(self, title: str) -> None:
        self.screen.begins(title)
        if self._live is None:
            self._console.print(Text(f"\n{title}", style="bold"))

    def entry(self, entry: Entry) -> None:
        """A diary's entry has begun or ended."""
        self.screen.entry(entry)
        if self._live is None and entry.ended and entry.kind != "users":
            self._console.print(step(entry))

    def ends(self, title: str, problem: str, seconds: float) -> None:
        """A story is over; `problem` is empty when it passed."""
        self.screen.ends(title, seconds, passed=not problem)
        self.screen.phase = "taking pictures"
        if problem and self._live is not None:
            self._problems.append((title, problem))
        elif problem:
            self._told(f"  ✗ failed after {seconds:.1f} s", problem)
        elif self._live is None:
            self._console.print(Text(f"  passed in {seconds:.1f} s", style="green"))

    def keeping(self) -> None:
        """The world is being kept."""
        self.screen.phase = "keeping the world for single stories"

    def remark(self, text: str) -> None:
        """Something that fails nothing, but is to be known."""
        self._console.print(Text(_harmless(text), style="yellow"))

    def finishing(self) -> None:
        """All stories are told."""
        self.screen.phase = "taking the world down"

    def _told(self, heading: str, problem: str) -> None:
        self._console.print(Text(heading, style="bold red"))
        self._console.print(Text(_harmless(problem), style="red"))

    def _watch(self, place: Place) -> None:
        while not self._over.wait(EVERY):
            try:
                self.screen.runs = place.inspect("runs")
            except (httpx.HTTPError, OSError):
                continue  # the world is busy, or ending: the next look will tell


def _harmless(text: str) -> str:
    """Lines from outside without what moves a terminal's cursor."""
    return "".join(char for char in text if char.isprintable() or char in "\n\t")
