"""A platform of notes whose releases misbehave each in its own way, at their own addresses and where users are, as the traffic is split."""

from __future__ import annotations

import itertools
import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from pipelines.http import Http
from pipelines.roles import Deployed
from tests.memory_hosts import Sites

JOURNEYS = """journeys:
  write a note and find it:
    component: backend
    requests:
      - {method: POST, path: /notes, body: "{visit}", status: 201, save: {note: id}}
      - {path: /notes, contains: ["{note}"]}
      - {path: "/notes/search?q={visit}", contains: ["{note}"]}
      - {method: DELETE, path: "/notes/{note}", status: 204, always: true}
  read the notes:
    component: backend
    requests:
      - {path: /notes, contains: [notes]}
"""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A request to one deployment: `number` counts those it had, `chance` is between 0 and 1, `traffic` its share in per cent."""

    method: str
    path: str
    number: int
    chance: float
    traffic: int


Behaviour = Callable[[Ask], int | None]
"""The status that a release answers a request with instead of answering it well; None for well."""


@dataclass
class NotesSite:
    """ASGI, in front of `Sites`: it answers /notes; the rest is theirs."""

    sites: Sites
    rest: Callable[[Any, Any, Any], Any]
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    """Release -> how it misbehaves."""
    notes: dict[str, str] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - the same faults each time
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _asked: dict[str, int] = field(default_factory=dict)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        found = self._deployed(dict(scope["headers"])[b"host"].decode())
        release = found.identity.release if found and found.identity else ""
        behaviour = self.behaviours.get(release)
        status = behaviour(self._ask(scope, found)) if behaviour and found else None
        if status is not None:
            await _answer(send, status, {"error": "it is broken"})
        elif scope["path"].startswith("/notes"):
            body = (await receive()).get("body", b"").decode()
            await _answer(send, *self._notes(scope, body))
        else:
            await self.rest(scope, receive, send)

    def _notes(self, scope: Any, body: str) -> tuple[int, Any]:
        method, path = scope["method"], scope["path"]
        if method == "POST":
            made = f"note-{next(self._ids)}"
            self.notes[made] = body
            return 201, {"id": made}
        if method == "DELETE":
            self.notes.pop(path.rpartition("/")[2], None)
            return 204, None
        asked = parse_qs(scope["query_string"].decode()).get("q", [""])[0]
        return 200, {"notes": [key for key, text in self.notes.items() if asked in text]}

    def _ask(self, scope: Any, found: Deployed) -> Ask:
        self._asked[found.key] = self._asked.get(found.key, 0) + 1
        return Ask(
            method=scope["method"],
            path=scope["path"],
            number=self._asked[found.key],
            chance=self.chance.random(),
            traffic=found.traffic,
        )

    def _deployed(self, name: str) -> Deployed | None:
        for host in self.sites.hosts.values():
            if host.url == f"https://{name}":
                serving = host.live().serving()
                return self.chance.choices(serving, [d.traffic for d in serving])[0] if serving else None
            for deployed in host.live().deployments:
                if deployed.url == f"https://{name}":
                    return deployed
        return None


async def _answer(send: Any, status: int, body: Any) -> None:
    content = b"" if body is None else json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@dataclass
class Users:
    """People who read their notes at the public address all the while."""

    asked: int = 0
    failed: int = 0


@contextmanager
def users(http: Http, address: str) -> Iterator[Users]:
    """Two of them, until the block ends."""
    found, over, lock = Users(), threading.Event(), threading.Lock()

    def read() -> None:
        with http.new_session() as session:
            while not over.wait(0.01):
                answer = session.get(f"{address}/notes", timeout=(2.0, 5.0))
                with lock:
                    found.asked += 1
                    found.failed += answer.status_code != 200

    threads = [threading.Thread(target=read, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        over.set()
        for thread in threads:
            thread.join(10)
