"""A streaming reverse proxy in front of Cloud Run's instances."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator

import h11
from starlette.types import Message, Receive, Scope, Send

from rehearsal.emulators.cloud_run.fleet import NoInstance, Stopped
from rehearsal.emulators.cloud_run.front import Destination, Front
from rehearsal.emulators.cloud_run.instance import Instance
from rehearsal.emulators.edge.answers import unavailable
from rehearsal.emulators.edge.upstream import Connection, Pool, UpstreamFailed
from rehearsal.serving import cut

_PAUSE, _LONGEST_PAUSE = 0.01, 0.25  # seconds before the second try, doubled each time up to the longest
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_NOT_PASSED = _HOP_BY_HOP | {b"date", b"server"}
_OURS = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"forwarded", b"x-cloud-trace-context"})


class Proxy:
    """Sends requests to the instances `front` chooses.

    A request is sent again, for as long as `front` holds one, only where no instance can have seen it: its revision was
    stopped while it waited, or the connection was refused or already closed (an instance that just died is replaced
    meanwhile). What breaks later is answered 503, or cut when part of the answer is out.
    """

    def __init__(self, front: Front) -> None:
        self._front = front
        self._pool = Pool()

    async def __call__(self, destination: Destination, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        body = RequestBody(receive)
        reply = Reply(send)
        await body.begin()
        deadline = time.monotonic() + self._front.wait
        pause = _PAUSE
        while True:
            last = time.monotonic() >= deadline
            try:
                async with self._front.lease(destination) as instance:
                    await self._exchange(instance, scope, body, reply)
                return
            except Stopped as error:
                if last:
                    await unavailable(str(error))(scope, receive, send)
                    return
            except NoInstance as error:
                await unavailable(str(error))(scope, receive, send)
                return
            except UpstreamFailed as error:
                if reply.started:
                    await cut(scope, receive)
                    return
                if last or not error.untouched or body.consumed:
                    await unavailable(str(error))(scope, receive, send)
                    return
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def close(self) -> None:
        """Close idle connections."""
        self._pool.close()

    async def _exchange(self, instance: Instance, scope: Scope, body: RequestBody, reply: Reply) -> None:
        try:
            await self._converse(instance.port, scope, body, reply)
        except UpstreamFailed as error:
            if not error.untouched:
                await instance.broke_off()
            raise

    async def _converse(self, port: int, scope: Scope, body: RequestBody, reply: Reply) -> None:
        connection = await self._pool.take(port)
        tasks: list[asyncio.Task[None]] = []
        try:
            head = _request(scope, body)
            if body.whole is None:
                await connection.send(head)
                # The instance may answer before it has read everything, so both directions run at once.
                tasks.append(asyncio.create_task(_upload(connection, body)))
            else:
                await connection.send(head, h11.Data(data=body.whole), h11.EndOfMessage())
            answering = asyncio.create_task(_answer(connection, reply))
            leaving = asyncio.create_task(body.left())
            tasks += [answering, leaving]
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                await answering
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._pool.give_back(port, connection)


class ClientLeft(Exception):
    """The client went away in the middle of its body."""


class RequestBody:
    """The client's body. Its first piece is kept, so that a request of one piece can be sent again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._first: Message = {"type": "http.request"}
        self._ended = asyncio.Event()
        self._gone = False
        self.consumed = False
        """More than the first piece was read: the request cannot be repeated."""

    async def begin(self) -> None:
        """Read the first piece."""
        self._first = await self._receive()

    @property
    def whole(self) -> bytes | None:
        """The body when the first piece is all of it."""
        return None if self._first.get("more_body", False) else self._first.get("body", b"")

    async def chunks(self) -> AsyncIterator[bytes]:
        """All pieces. Raises ClientLeft when the end never comes."""
        message = self._first
        yield message.get("body", b"")
        while message.get("more_body", False):
            self.consumed = True
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._gone = True
                self._ended.set()
                raise ClientLeft
            yield message.get("body", b"")
        self._ended.set()

    async def left(self) -> None:
        """Returns when the client has gone away."""
        if self.whole is None:
            await self._ended.wait()
        while not self._gone:
            self._gone = (await self._receive())["type"] == "http.disconnect"


class Reply:
    """What goes back to the client."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def start(self, response: h11.Response) -> None:
        """Status and headers."""
        self.started = True
        # raw_items keeps the case; our own server writes the date.
        headers = [(name, value) for name, value in response.headers.raw_items() if name.lower() not in _NOT_PASSED]
        headers.append((b"server", b"Google Frontend"))
        await self._send({"type": "http.response.start", "status": response.status_code, "headers": headers})

    async def body(self, data: bytes, *, more: bool) -> None:
        """A piece of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": more})


async def _answer(connection: Connection, reply: Reply) -> None:
    async for event in connection.events():
        if isinstance(event, h11.Response):
            await reply.start(event)
        else:
            await reply.body(bytes(event.data), more=True)
    await reply.body(b"", more=False)


async def _upload(connection: Connection, body: RequestBody) -> None:
    async for chunk in body.chunks():
        if chunk:
            await connection.send(h11.Data(data=chunk))
    await connection.send(h11.EndOfMessage())


def _request(scope: Scope, body: RequestBody) -> h11.Request:
    query = scope["query_string"]
    target = scope.get("raw_path", scope["path"].encode()) + (b"?" + query if query else b"")
    return h11.Request(method=scope["method"], target=target, headers=_headers(scope, body))


def _headers(scope: Scope, body: RequestBody) -> list[tuple[bytes, bytes]]:
    sent = dict(scope["headers"])
    headers = [(name, value) for name, value in scope["headers"] if name not in _HOP_BY_HOP | _OURS]
    if b"content-length" not in sent and body.whole != b"":
        headers.append((b"transfer-encoding", b"chunked"))
    address = (scope["client"] or ("127.0.0.1", 0))[0].encode()
    through = sent.get(b"x-forwarded-for")
    trace = sent.get(b"x-cloud-trace-context", f"{secrets.token_hex(16)}/{secrets.randbits(63)}".encode())
    return [
        *headers,
        (b"x-forwarded-for", through + b"," + address if through else address),
        (b"x-forwarded-proto", b"https"),
        (b"forwarded", b'for="' + address + b'";proto=https'),
        (b"x-cloud-trace-context", trace),
    ]
