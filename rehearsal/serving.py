"""Many ASGI apps in one event loop, each on its own loopback port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

_Protocol: Any
try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _Protocol
except ImportError:  # httptools is compiled; without it the pure parser does the same, slower
    from uvicorn.protocols.http.h11_impl import H11Protocol as _Protocol

_TRANSPORT = "rehearsal.transport"
_GRACE_SECONDS = 1
_TURNS_TO_CONNECT = 3
"""Turns of the event loop between a connection's acceptance and uvicorn's knowing of it."""


class Server:
    """One ASGI app on one loopback port, served by uvicorn inside the running event loop.

    No signal handler is installed and no access log written: the world decides when to stop, and the journal keeps
    what was asked. `certificate` and `key` are PEM files; with them the server speaks TLS.
    """

    def __init__(
        self, app: ASGIApp, name: str, *, port: int = 0, certificate: Path | None = None, key: Path | None = None
    ) -> None:
        self.name = name
        self.port = port
        self._scheme = "http" if certificate is None else "https"
        self._ticking: asyncio.Task[None] | None = None
        self._app = app
        self._uvicorn = _QuietServer(
            uvicorn.Config(
                self._answer,
                http=CuttableProtocol,
                interface="asgi3",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=_GRACE_SECONDS,
                ssl_certfile=None if certificate is None else str(certificate),
                ssl_keyfile=None if key is None else str(key),
            )
        )

    @property
    def url(self) -> str:
        """Base address without a trailing slash; `start` must have returned."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    async def start(self) -> int:
        """Listen, and return the port. Requests are answered from here on.

        Raises OSError, naming this server and the port, when a wanted port is taken.
        """
        listener = _bind(self.name, self.port)
        self.port = int(listener.getsockname()[1])
        self._uvicorn.prepare()
        await self._uvicorn.startup(sockets=[listener])
        self._ticking = asyncio.create_task(self._uvicorn.main_loop(), name=f"serve {self.name}")
        return self.port

    async def stop(self) -> None:
        """Take no more connections, give requests under way one second, then break what is left. Idempotent."""
        if self._ticking is None:
            return
        self._uvicorn.should_exit = True
        self._ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._ticking
        self._ticking = None
        await self._uvicorn.end()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            # Only `stop` cancels requests; uvicorn would print a trace for each.
            if not self._uvicorn.should_exit:
                raise


@contextlib.contextmanager
def running(app: ASGIApp, name: str = "app", **options: Any) -> Generator[Server, None, None]:
    """Serve one app from a thread with a loop of its own while the block runs (`options` as for `Server`).

    For synchronous callers with a blocking client; the world itself runs every `Server` in one loop.
    """
    server = Server(app, name, **options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=f"loop of {name}", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result()
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def cut(scope: Scope, receive: Receive) -> None:
    """Break the TCP connection of this request with a reset; the client gets no byte (more) of an answer.

    Works for apps run by `Server`. Return from the app afterwards without sending anything.
    """
    transport: asyncio.Transport = scope["state"][_TRANSPORT]
    connection = transport.get_extra_info("socket")
    if connection is not None:
        # Zero linger makes close(2) send RST, as a crashed proxy does; a plain close would look like a polite end.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    # uvicorn answers 500 for an app that returns silently on a connection it believes open.
    while (await receive())["type"] != "http.disconnect":
        continue


class CuttableProtocol(_Protocol):  # type: ignore[misc]
    """uvicorn's HTTP protocol, with the connection's transport put where `cut` finds it (ASGI's `state`)."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.app_state: dict[str, Any] = {**self.app_state, _TRANSPORT: transport}
        super().connection_made(transport)


class _QuietServer(uvicorn.Server):
    """uvicorn's server without its signal handlers and its own run loop."""

    def prepare(self) -> None:
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)

    async def end(self) -> None:
        """Wait up to the grace period for open requests, then break their connections.

        In place of uvicorn's `shutdown`, which sleeps for a tenth of a second whether or not anything is open.
        """
        # asyncio forgets to close what it accepted when its server is closed before the connection is attached to it.
        for server in self.servers:
            for listener in server.sockets:
                asyncio.get_running_loop().remove_reader(listener)
        for _ in range(_TURNS_TO_CONNECT):
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        tasks = list(self.server_state.tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # connection_lost runs, so that apps waiting for a disconnect end by themselves
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(server.wait_closed() for server in self.servers)), _GRACE_SECONDS)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _bind(name: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise OSError(
            error.errno,
            f"{name}: 127.0.0.1:{port} cannot be used ({error.strerror}). "
            f"See who holds it with `ss -ltnp 'sport = :{port}'`, or ask for port 0 to get a free one.",
        ) from error
    listener.setblocking(False)
    return listener
