"""What is going on, in the terminal: the story's lines as they come, and below them the jobs at work now."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import httpx
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from rehearsal.stories.diary import Entry
from rehearsal.stories.place import Place

EVERY = 0.5
MARKS = {"act": "▸", "wait": "…", "proof": "✓", "live": "●", "message": "✉", "failure": "✗", "faults": "⚡"}
STYLES = {"proof": "green", "live": "bold cyan", "failure": "bold red", "wait": "dim", "message": "magenta"}


class LiveView:
    """On a terminal it redraws; elsewhere (CI, a pipe) it prints a line for each thing that ended."""

    def __init__(self, *, on_stderr: bool = False) -> None:
        self._console = Console(stderr=on_stderr, highlight=False, soft_wrap=True)
        self._live = (
            Live(console=self._console, refresh_per_second=4, transient=True) if self._console.is_terminal else None
        )
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._current = ""

    def __enter__(self) -> LiveView:
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        if self._live is not None:
            self._live.__exit__(None, None, None)
        sys.stdout.flush()

    def follow(self, place: Place) -> None:
        """Show the jobs of this world's runs from now on."""
        if self._live is not None:
            self._thread = threading.Thread(target=self._watch, args=(place,), daemon=True)
            self._thread.start()

    def story(self, title: str) -> None:
        self._console.print(Text(f"\n{title}", style="bold"))

    def entry(self, entry: Entry) -> None:
        """A diary's entry has begun or ended."""
        if not entry.ended:
            self._current = f"{entry.who} {entry.text}".strip()
        elif entry.kind != "users":
            line = Text(f"  {MARKS.get(entry.kind, ' ')} ", style=STYLES.get(entry.kind, ""))
            line.append(f"{entry.who}: " if entry.who else "", style="bold")
            line.append(entry.text, style=STYLES.get(entry.kind, ""))
            if entry.ended - entry.started > 0.5:
                line.append(f"  {entry.ended - entry.started:.1f} s", style="dim")
            self._console.print(line)

    def verdict(self, title: str, problem: str, seconds: float) -> None:
        if problem:
            self._console.print(Text(f"  ✗ failed after {seconds:.1f} s", style="bold red"))
            self._console.print(Text(problem, style="red"))
        else:
            self._console.print(Text(f"  passed in {seconds:.1f} s", style="green"))

    def _watch(self, place: Place) -> None:
        while not self._over.wait(EVERY):
            try:
                runs = place.inspect("runs")
            except (httpx.HTTPError, OSError):
                continue  # the world is busy, or ending: the next look will tell
            if self._live is not None:
                self._live.update(self._picture(runs))

    def _picture(self, runs: list[dict[str, Any]]) -> RenderableType:
        """The runs that are under way, each with its jobs that are."""
        lines = [Text(f"  … {self._current}", style="dim")]
        now = time.time()
        for run in runs:
            busy = [job for job in run["jobs"] if job["conclusion"] in ("in_progress", "waiting", "pending")]
            if run["conclusion"] in ("in_progress", "queued", "waiting", "pending") and busy:
                lines.append(Text(f"    {run['workflow']}: {run['title']}", style="cyan"))
                lines += [
                    Text(
                        f"      {job['conclusion']:12} {job['name']}  {now - (job['started'] or job['created']):.0f} s"
                    )
                    for job in busy
                ]
        return Group(*lines)
