"""Synthetic users: requests to the public addresses without a pause, and what came of them while a release went out."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from rehearsal.scenario.world_client import WorldClient


NOTES = "notes"
"""The key of requests about notes."""
CROWD = 32
"""Users of one thread. The API lets an address ask 100 times a minute, and they ask 600 times together."""
_threads_so_far = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class UserRequest:
    """One request of a user."""

    at: float
    """Seconds since the epoch."""
    ms: float
    ok: bool
    answer: str
    """Which release answered; the error when none did."""


@dataclass(kw_only=True)
class NoteRequests:
    """What a user does with one note. Each returns whether the answer was as wanted, and what was done or went wrong."""

    world: WorldClient
    environment: str
    client: httpx.Client
    user: str
    id: str = ""

    def write(self) -> tuple[bool, str]:
        return self._request("writes", "POST", "/notes", 201, json={"text": f"what user {self.user} wants to remember"})

    def list(self) -> tuple[bool, str]:
        return self._request("reads", "GET", "/notes", 200)

    def find(self) -> tuple[bool, str]:
        return self._request("searches", "GET", "/notes/search?q=what+to+remember", 200)

    def read(self) -> tuple[bool, str]:
        return self._request("reads", "GET", f"/notes/{self.id}", 200)

    def delete(self) -> tuple[bool, str]:
        return self._request("deletes", "DELETE", f"/notes/{self.id}", 204)

    def _request(self, what: str, method: str, path: str, wanted: int, **request: Any) -> tuple[bool, str]:
        import httpx

        try:
            answer = self.world.request(
                self.client,
                self.world.hosts[self.environment]["backend"],
                path,
                method=method,
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


@contextmanager
def _crowd(world: WorldClient) -> Iterator[Iterator[tuple[str, httpx.Client]]]:
    """Users who take turns, each by its address: all of 127.0.0.0/8 is this machine's (RFC 6890)."""
    number = next(_threads_so_far) % 0x10000
    addresses = [f"127.{64 + (number >> 8) % 128}.{number & 0xFF}.{user}" for user in range(1, CROWD + 1)]
    clients: dict[str, httpx.Client] = {}

    def users() -> Iterator[tuple[str, httpx.Client]]:
        for address in itertools.cycle(addresses):
            if address not in clients:
                clients[address] = open_clients.enter_context(world.https_client(address))
            yield address, clients[address]

    with ExitStack() as open_clients:
        yield users()


@dataclass(kw_only=True)
class SyntheticUsers:
    """Users of the public addresses of an environment: a request every `every` seconds to each, in threads, until the block ends."""

    world: WorldClient
    environment: str
    every: float = 0.1
    notes: bool = False
    """Whether a user also writes notes, reads, finds and deletes them, on the platform that this suite comes with."""
    requests: dict[str, list[UserRequest]] = field(default_factory=dict)
    """By component, of those that say which release they are; under NOTES those about notes, `answer` being what was done."""
    _stopped: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> SyntheticUsers:
        for component in self.world.releases[self.environment]:
            self._start(component, partial(self._poll, component))
        if self.notes:
            self._start(NOTES, self._use_notes)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=10)

    def between(self, began: float, ended: float) -> list[UserRequest]:
        """Requests that were sent in a span of time, of all components."""
        return [each for requests in self.requests.values() for each in requests if began <= each.at <= ended]

    def failures(self) -> list[UserRequest]:
        return [each for requests in self.requests.values() for each in requests if not each.ok]

    def releases(self, component: str) -> list[str]:
        """Which releases answered, in the order they were first seen."""
        return list(dict.fromkeys(each.answer for each in self.requests[component] if each.ok))

    def _start(self, name: str, work: Callable[[], None]) -> None:
        self.requests[name] = []
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _poll(self, component: str) -> None:
        with _crowd(self.world) as users:
            while not self._stopped.wait(self.every):
                _, client = next(users)
                self._send(component, partial(self._request_release, client, component))

    def _send(self, name: str, ask: Callable[[], tuple[bool, str]]) -> bool:
        """Send one request and keep what came of it."""
        started, clock = time.time(), time.monotonic()
        ok, answer = ask()
        ms = (time.monotonic() - clock) * 1000
        self.requests[name].append(UserRequest(at=started, ms=ms, ok=ok, answer=answer))
        return ok

    def _use_notes(self) -> None:
        """Visits of one user after the other, each all that a user does with a note."""
        with _crowd(self.world) as users:
            while not self._stopped.is_set():
                user, client = next(users)
                note = NoteRequests(world=self.world, environment=self.environment, client=client, user=user)
                for ask in (note.write, note.list, note.find, note.read, note.delete):
                    if self._stopped.wait(self.every) or not self._send(NOTES, ask):
                        break

    def _request_release(self, client: object, component: str) -> tuple[bool, str]:
        import httpx

        try:
            answer = self.world.request_release(client, self.environment, component)
        except httpx.HTTPError as error:
            return False, type(error).__name__
        if answer.status_code != 200:
            return False, f"HTTP {answer.status_code}"
        try:
            return True, self.world.read_release(answer, self.environment, component)
        except ValueError:
            return False, "no JSON"
