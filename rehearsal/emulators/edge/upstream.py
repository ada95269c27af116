"""Connections to instances: HTTP/1.1 over plain TCP, kept alive between requests.

By h11 and not by httpx: that takes six times the processor time for a request (1.4 ms for 0.2 ms), which every load test in a world would
pay, sends all of a body before it reads an answer, and does not say whether a connection that broke had been used before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import h11

_CHUNK = 64 * 1024
_IDLE = 2.0  # seconds; shorter than any server's keep-alive, so that it never closes what we are about to use


class UpstreamFailed(Exception):
    """The instance broke off. `untouched`: it cannot have seen the request, which may be sent again."""

    def __init__(self, message: str, *, untouched: bool) -> None:
        super().__init__(message)
        self.untouched = untouched


@dataclass(kw_only=True)
class Connection:
    """One connection and where its protocol is."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    state: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT, max_incomplete_event_size=_CHUNK))
    reused: bool = False
    idle_since: float = 0.0

    async def send(self, *events: h11.Request | h11.Data | h11.EndOfMessage) -> None:
        """Write events, in one piece. Raises UpstreamFailed."""
        self.writer.write(b"".join(self.state.send(event) or b"" for event in events))
        try:
            await self.writer.drain()
        except OSError as error:
            raise UpstreamFailed(f"the instance stopped reading: {error}", untouched=False) from error

    async def events(self) -> AsyncIterator[h11.Response | h11.Data]:
        """The answer to a request that was sent: one Response, then Data until its end. Raises UpstreamFailed."""
        started = False
        while True:
            event = await self._event(started=started)
            if isinstance(event, h11.Response):
                started = True
                yield event
            elif isinstance(event, h11.Data):
                yield event
            elif not isinstance(event, h11.InformationalResponse):
                return

    @property
    def usable(self) -> bool:
        """Whether another request can go over it."""
        return not self.reader.at_eof() and not self.writer.is_closing() and time.monotonic() - self.idle_since < _IDLE

    async def _event(self, *, started: bool) -> object:
        try:
            while (event := self.state.next_event()) is h11.NEED_DATA:
                data = await self.reader.read(_CHUNK)
                if not data and not started:
                    raise UpstreamFailed("the instance closed the connection without an answer", untouched=self.reused)
                self.state.receive_data(data)
        except OSError as error:
            raise UpstreamFailed(f"the connection broke: {error}", untouched=False) from error
        except h11.RemoteProtocolError as error:
            raise UpstreamFailed(f"malformed answer: {error}", untouched=False) from error
        return event


class Pool:
    """Idle connections by port."""

    def __init__(self) -> None:
        self._idle: dict[int, list[Connection]] = {}

    async def take(self, port: int) -> Connection:
        """A kept or a new connection to 127.0.0.1:`port`. Raises UpstreamFailed."""
        kept = self._idle.get(port, [])
        while kept:
            connection = kept.pop()
            if connection.usable:
                connection.reused = True
                return connection
            connection.writer.close()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_CHUNK)
        except OSError as error:
            raise UpstreamFailed(f"the instance refuses connections: {error}", untouched=True) from error
        return Connection(reader=reader, writer=writer)

    def give_back(self, port: int, connection: Connection) -> None:
        """Keep it when both sides are done with the exchange, close it otherwise."""
        if connection.state.our_state is not h11.DONE or connection.state.their_state is not h11.DONE:
            connection.writer.close()
            return
        connection.state.start_next_cycle()
        connection.idle_since = time.monotonic()
        self._idle.setdefault(port, []).append(connection)
        self._prune()

    def close(self) -> None:
        """Close all idle connections."""
        for kept in self._idle.values():
            for connection in kept:
                connection.writer.close()
        self._idle.clear()

    def _prune(self) -> None:
        for port, kept in list(self._idle.items()):
            stale = [connection for connection in kept if not connection.usable]
            for connection in stale:
                connection.writer.close()
                kept.remove(connection)
            if not kept:
                del self._idle[port]
