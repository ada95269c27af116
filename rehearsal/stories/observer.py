"""A client that never stops asking: what users saw while a release went out."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rehearsal.stories.place import Place


@dataclass(frozen=True, kw_only=True)
class Sight:
    """One request as a user saw it."""

    at: float
    """Seconds since the epoch."""
    ms: float
    ok: bool
    seen: str
    """Which release answered; the error when none did."""


@dataclass(kw_only=True)
class Observer:
    """Asks the public addresses of an environment, every `every` seconds each, from threads of its own, until stopped."""

    place: Place
    environment: str
    every: float = 0.05
    sights: dict[str, list[Sight]] = field(default_factory=dict)
    """Of each component that says which release it is."""
    _users: Iterator[int] = field(default_factory=itertools.count)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Observer:
        for component in self.place.releases[self.environment]:
            self.sights[component] = []
            thread = threading.Thread(target=self._ask, args=(component,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=10)

    def failures(self) -> list[Sight]:
        return [sight for sights in self.sights.values() for sight in sights if not sight.ok]

    def releases(self, component: str) -> list[str]:
        """Which releases answered, in the order they were first seen."""
        return list(dict.fromkeys(sight.seen for sight in self.sights[component] if sight.ok))

    def _ask(self, component: str) -> None:
        with self.place.browser_like() as client:
            while not self._over.wait(self.every):
                started, clock = time.time(), time.monotonic()
                ok, seen = self._once(client, component)
                ms = (time.monotonic() - clock) * 1000
                self.sights[component].append(Sight(at=started, ms=ms, ok=ok, seen=seen))

    def _once(self, client: object, component: str) -> tuple[bool, str]:
        import httpx

        try:
            # Many users, not one: a single one is limited to 100 requests a minute.
            user = {"X-User": f"user-{next(self._users)}"}
            answer = self.place.ask_release(client, self.environment, component, headers=user)
        except httpx.HTTPError as error:
            return False, type(error).__name__
        if answer.status_code != 200:
            return False, f"HTTP {answer.status_code}"
        try:
            return True, self.place.release_in(answer, self.environment, component)
        except ValueError:
            return False, "no JSON"
