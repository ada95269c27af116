"""A server whose latencies are known: what load generators are held against.

`python -m benchmarks._latency_server [--seed 1]` listens on a free loopback port and prints it; it ends when its input does. It is
one asyncio loop without a framework, so that a generator's cost is not the server's. Every answer is due at a moment that depends on
the behaviour asked for, the seed and the time since the start alone, not on how many ask at once.

    /constant?ms=5                  each answer after 5 ms
    /lognormal?ms=20&sigma=0.6      log-normal about the median
    /bimodal?ms=5&slow=200&share=0.1
    /stall?every=10&for=1&ms=3      nothing is answered in the first second of every ten
    /leak?ms=5&grow=1               one more millisecond for every second since the start
    /bursts?every=10&for=1          500 in the first second of every ten
    /slots?slots=4&ms=50            so many at a time take so long, the others wait in the order in which they came
    /failing?after=50               500 to every request but the first 50 of this path
    /limited?rest=1                 429 with Retry-After: 1
    /redirect                       302 to /constant
    /drop                           the connection is closed without an answer
    /hang                           nothing, ever
    /trickle                        an answer that comes one byte at a time and does not end
    /binary                         500 with a body that is no text
    /gzip                           a compressed answer
    /cookies                        sets a cookie, and says which one came
    /items                          POST makes one (201), GET /items lists them, DELETE /items/{id} removes one (204)
    /seen                           what was asked: requests by path, connections, users, open items (not counted itself)
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import heapq
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Asked:
    """One request, read."""

    method: str
    path: str
    query: dict[str, float]
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """One answer; `status` 0 closes the connection instead, and -1 never answers."""

    status: int = 200
    body: bytes = b'{"ok": true}'
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    after: float = 0.0
    """Seconds."""
    trickled: bool = False


@dataclass
class Behaviours:
    """What the paths do."""

    seed: int = 1
    started: float = field(default_factory=time.monotonic)
    requests: Counter[str] = field(default_factory=Counter)
    users: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    items: dict[str, str] = field(default_factory=dict)
    made: int = 0
    _free: list[float] = field(default_factory=list)
    """When each slot of /slots is free again."""

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - latencies, not secrets
        self._ways: dict[str, Callable[[Asked], Reply]] = {
            "constant": lambda asked: Reply(after=asked.query.get("ms", 5) / 1000),
            "lognormal": self._lognormal,
            "bimodal": self._bimodal,
            "stall": self._stall,
            "leak": self._leak,
            "bursts": self._bursts,
            "slots": self._slots,
            "failing": self._failing,
            "limited": lambda asked: Reply(429, headers=(("Retry-After", f"{asked.query.get('rest', 1):g}"),)),
            "redirect": lambda _: Reply(302, b"", (("Location", "/constant"),)),
            "drop": lambda _: Reply(0),
            "hang": lambda _: Reply(-1),
            "trickle": lambda _: Reply(trickled=True),
            "binary": lambda _: Reply(500, bytes(range(128, 256)), ()),
            "gzip": self._gzip,
            "cookies": self._cookies,
            "items": self._items,
        }

    def reply(self, asked: Asked) -> Reply:
        name = asked.path.split("/")[1]
        if name == "seen":
            seen = {
                "requests": self.requests,
                "connections": self.connections,
                "users": self.users,
                "items": len(self.items),
                "made": self.made,
            }
            return Reply(body=json.dumps(seen).encode())
        self.requests[f"{asked.method} {'/' + name}"] += 1
        self.users[asked.headers.get("x-user", "")] += 1
        way = self._ways.get(name)
        return way(asked) if way else Reply(404)

    def _now(self) -> float:
        return time.monotonic() - self.started

    def _lognormal(self, asked: Asked) -> Reply:
        after = asked.query.get("ms", 20) * self._chance.lognormvariate(0, asked.query.get("sigma", 0.6))
        return Reply(after=after / 1000)

    def _bimodal(self, asked: Asked) -> Reply:
        slow = self._chance.random() < asked.query.get("share", 0.1)
        return Reply(after=asked.query.get("slow" if slow else "ms", 200 if slow else 5) / 1000)

    def _into(self, asked: Asked) -> float:
        """Seconds into the present period."""
        return self._now() % asked.query.get("every", 10)

    def _stall(self, asked: Asked) -> Reply:
        left = asked.query.get("for", 1) - self._into(asked)
        return Reply(after=max(0.0, left) + asked.query.get("ms", 3) / 1000)

    def _leak(self, asked: Asked) -> Reply:
        return Reply(after=(asked.query.get("ms", 5) + self._now() * asked.query.get("grow", 1)) / 1000)

    def _bursts(self, asked: Asked) -> Reply:
        return Reply(500 if self._into(asked) < asked.query.get("for", 1) else 200, after=0.003)

    def _slots(self, asked: Asked) -> Reply:
        """A client that gives up is served nevertheless."""
        free = self._free or [0.0] * int(asked.query.get("slots", 4))
        begins, service = max(self._now(), free[0]), asked.query.get("ms", 50) / 1000
        heapq.heapreplace(free, begins + service)
        self._free = free
        return Reply(after=begins + service - self._now())

    def _failing(self, asked: Asked) -> Reply:
        return Reply(500 if self.requests[f"{asked.method} /failing"] > asked.query.get("after", 50) else 200)

    def _gzip(self, asked: Asked) -> Reply:
        if "gzip" not in asked.headers.get("accept-encoding", ""):
            return Reply(406)
        return Reply(body=gzip.compress(b'{"packed": true}'), headers=(("Content-Encoding", "gzip"),))

    def _cookies(self, asked: Asked) -> Reply:
        came = json.dumps({"cookie": asked.headers.get("cookie", "")}).encode()
        return Reply(body=came, headers=(("Set-Cookie", "session=one; Path=/"),))

    def _items(self, asked: Asked) -> Reply:
        timing = (("Content-Type", "application/json"), ("Server-Timing", 'db;dur=1.5;desc="one, two"'))
        if asked.method == "POST":
            self.made += 1
            made = f"item-{self.made}"
            self.items[made] = asked.body.decode()
            return Reply(201, json.dumps({"id": made}).encode(), timing, 0.003)
        if asked.method == "DELETE":
            gone = self.items.pop(asked.path.rsplit("/", 1)[-1], None)
            return Reply(404 if gone is None else 204, b"", (), 0.003)
        return Reply(body=json.dumps({"items": list(self.items)}).encode(), headers=timing, after=0.003)


class Connection(asyncio.Protocol):
    """HTTP/1.1 as far as load generators speak it: bodies with a length, one request after the other."""

    def __init__(self, behaviours: Behaviours) -> None:
        self._behaviours = behaviours
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._behaviours.connections += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            lines = self._buffer[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            length = int(headers.get("content-length", 0))
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            method, target, _ = lines[0].split(" ", 2)
            self._answer(method, target, headers, body)

    def _answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        parts = urlsplit(target)
        query = {name: float(value) for name, value in parse_qsl(parts.query)}
        reply = self._behaviours.reply(Asked(method, parts.path, query, headers, body))
        if reply.status < 0:
            return
        if reply.after > 0:
            asyncio.get_running_loop().call_later(reply.after, self._send, reply)
        else:
            self._send(reply)

    def _send(self, reply: Reply) -> None:
        assert self._transport is not None
        if self._transport.is_closing():
            return
        if not reply.status:
            self._transport.abort()
            return
        length = 10_000 if reply.trickled else len(reply.body)
        lines = [f"HTTP/1.1 {reply.status} -", f"Content-Length: {length}"]
        if reply.status == 204:
            lines.pop()
        lines += [f"{name}: {value}" for name, value in reply.headers]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        if reply.trickled:
            self._transport.write(head)
            self._trickle()
        else:
            self._transport.write(head + reply.body)

    def _trickle(self) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.write(b" ")
            asyncio.get_running_loop().call_later(0.05, self._trickle)


async def serve(seed: int) -> None:
    loop = asyncio.get_running_loop()
    behaviours = Behaviours(seed=seed)
    server = await loop.create_server(lambda: Connection(behaviours), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(ended), sys.stdin)
    await ended.read()
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(serve(parser.parse_args().seed))
