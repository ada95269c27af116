"""A client that never stops asking: what users saw while a release went out."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from rehearsal.scenario.world_client import Place


NOTES = "notes"


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
class Note:
    """What a user does with one note. Each request tells whether the answer was the one a user wants, and what it was or went wrong."""

    place: Place
    environment: str
    client: httpx.Client
    user: int
    id: str = ""

    def write(self) -> tuple[bool, str]:
        return self._asked("writes", "POST", "/notes", 201, json={"text": f"what user {self.user} wants to remember"})

    def list(self) -> tuple[bool, str]:
        return self._asked("reads", "GET", "/notes", 200)

    def find(self) -> tuple[bool, str]:
        return self._asked("searches", "GET", "/notes/search?q=what+to+remember", 200)

    def read(self) -> tuple[bool, str]:
        return self._asked("reads", "GET", f"/notes/{self.id}", 200)

    def delete(self) -> tuple[bool, str]:
        return self._asked("deletes", "DELETE", f"/notes/{self.id}", 204)

    def _asked(self, what: str, method: str, path: str, wanted: int, **request: Any) -> tuple[bool, str]:
        import httpx

        try:
            answer = self.place.ask(
                self.client,
                self.place.hosts[self.environment]["backend"],
                path,
                method=method,
                headers={"X-User": f"user-{self.user}"},
                **request,
            )
        except httpx.HTTPError as error:
            return False, f"{what}: {type(error).__name__}"
        if answer.status_code != wanted:
            return False, f"{what}: HTTP {answer.status_code}"
        try:
            found = answer.json() if answer.content else {}
        except ValueError:
            return False, f"{what}: no JSON"
        if found.get("notes", found.get("results")) == []:
            return False, f"{what}: nothing is there"
        self.id = found.get("id", self.id)
        return True, what


@dataclass(kw_only=True)
class Observer:
    """Asks the public addresses of an environment, every `every` seconds each, from threads of its own, until stopped."""

    place: Place
    environment: str
    every: float = 0.05
    notes: bool = False
    """Whether a user writes notes, reads, finds and deletes them, too, on the platform that this suite comes with."""
    sights: dict[str, list[Sight]] = field(default_factory=dict)
    """Of each component that says which release it is; under NOTES what came of those requests, `seen` being which one it was."""
    _users: Iterator[int] = field(default_factory=itertools.count)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Observer:
        for component in self.place.releases[self.environment]:
            self._begin(component, partial(self._ask, component))
        if self.notes:
            self._begin(NOTES, self._visit)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=10)

    def between(self, began: float, ended: float) -> list[Sight]:
        """Requests that were sent in a span of time, of all components."""
        return [sight for sights in self.sights.values() for sight in sights if began <= sight.at <= ended]

    def failures(self) -> list[Sight]:
        return [sight for sights in self.sights.values() for sight in sights if not sight.ok]

    def releases(self, component: str) -> list[str]:
        """Which releases answered, in the order they were first seen."""
        return list(dict.fromkeys(sight.seen for sight in self.sights[component] if sight.ok))

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        self.sights[name] = []
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _ask(self, component: str) -> None:
        with self.place.browser_like() as client:
            while not self._over.wait(self.every):
                self._see(component, partial(self._once, client, component))

    def _see(self, name: str, ask: Callable[[], tuple[bool, str]]) -> bool:
        """Ask once and write it down."""
        started, clock = time.time(), time.monotonic()
        ok, seen = ask()
        ms = (time.monotonic() - clock) * 1000
        self.sights[name].append(Sight(at=started, ms=ms, ok=ok, seen=seen))
        return ok

    def _visit(self) -> None:
        """Visits of one user after the other, each all that a user does with a note."""
        with self.place.browser_like() as client:
            while not self._over.is_set():
                note = Note(place=self.place, environment=self.environment, client=client, user=next(self._users))
                for ask in (note.write, note.list, note.find, note.read, note.delete):
                    if self._over.wait(self.every) or not self._see(NOTES, ask):
                        break

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
