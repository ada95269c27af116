"""A client that never stops asking while traffic moves: what users would have seen.

One request after the other, each on a connection of its own, as a new user makes it. An answer below 500 counts as well, whatever
it says: whether it says the right thing is what smoke checks look at.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipelines.errors import CheckFailed
from pipelines.http import Http

INTERVAL = 0.1
TOLERATED = 1
"""One request can be lost between here and there without anybody being at fault; two are a sign."""
_TIMEOUT = (2.0, 5.0)
_LOOK = 0.05
_FIRST = sum(_TIMEOUT)
"""How much longer than asked a watch goes on for its first answer: a short one on a busy machine would else see nothing."""


@dataclass(kw_only=True)
class Watch:
    """Counts of one watch; read them after `hold`."""

    url: str
    enabled: bool = True
    asked: int = 0
    errors: list[str] = field(default_factory=list)
    slowest_ms: float = 0.0
    was_failing: bool = False
    """The address failed before anything was changed: then its errors say nothing about the change."""
    _over: threading.Event = field(default_factory=threading.Event)

    def hold(self, seconds: float) -> None:
        """Go on for some seconds. Raises CheckFailed as soon as there are two errors, or at the end when nothing was asked."""
        if not self.enabled or seconds <= 0:
            self._judge()
            return
        before, deadline = self.asked, time.monotonic() + seconds
        while (now := time.monotonic()) < deadline or (self.asked == before and now < deadline + _FIRST):
            self._judge()
            self._over.wait(_LOOK)
        self._judge()
        if self.asked == before:
            raise CheckFailed(
                f"not one request was answered or refused in {seconds:g} s",
                where=self.url,
                why="no data is not success",
                next_step="look whether this machine reaches the address at all",
            )

    def says(self) -> str:
        """For the log: how much was asked and how it went; empty when nothing was."""
        if not self.asked:
            return ""
        bad = f"{len(self.errors)} failed" if self.errors else "none failed"
        before = " (it failed before the change already)" if self.was_failing and self.errors else ""
        return f"; {self.asked} requests watched, {bad}, slowest {self.slowest_ms:.0f} ms{before}"

    def _judge(self) -> None:
        if len(self.errors) > TOLERATED and not self.was_failing:
            raise CheckFailed(
                f"{len(self.errors)} of {self.asked} requests failed while traffic moved, the last: {self.errors[-1]}",
                where=self.url,
                why="the revision that now has traffic answers badly, or not at all",
                next_step="traffic goes back to the release before; read the logs of the new revision",
            )

    def _ask(self, http: Http) -> None:
        import requests

        started = time.perf_counter()
        problem = ""
        try:
            answer = http.session.get(
                self.url, headers={"Connection": "close"}, timeout=_TIMEOUT, allow_redirects=False
            )
            if answer.status_code >= 500:
                problem = f"HTTP {answer.status_code}"
        except requests.RequestException as error:
            from pipelines.faults import of_connection

            problem = of_connection("GET", error, sent=True).text
        self.slowest_ms = max(self.slowest_ms, (time.perf_counter() - started) * 1000)
        self.asked += 1
        if problem:
            self.errors.append(problem)

    def _keep_asking(self, http: Http, interval: float) -> None:
        while not self._over.wait(interval):
            self._ask(http)


@contextmanager
def watching(http: Http, url: str, *, enabled: bool = True, interval: float = INTERVAL) -> Iterator[Watch]:
    """Ask `url` every `interval` seconds while the block runs. The block calls `hold` to judge.

    `enabled=False` when nothing is live yet: then there is nobody to serve badly, and nothing is asked.
    """
    watch = Watch(url=url, enabled=enabled)
    if not enabled:
        yield watch
        return
    watch._ask(http)
    watch.was_failing = bool(watch.errors)
    thread = threading.Thread(target=watch._keep_asking, args=(http, interval), name=f"watch {url}", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch._over.set()
        thread.join(timeout=sum(_TIMEOUT) + 1)
