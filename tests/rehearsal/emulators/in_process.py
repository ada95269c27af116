"""A client for ASGI apps without a socket."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
from starlette.types import ASGIApp

from rehearsal.serving import Server


class InProcess:
    """Sends each request into `app` in an event loop of its own; for apps that keep nothing on the loop."""

    def __init__(self, app: ASGIApp, base: str = "http://world.test") -> None:
        self._app = app
        self._base = base

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url=self._base) as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> httpx.Response:
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self.request("DELETE", path, **options)


@contextlib.contextmanager
def served(app: ASGIApp, stop: Callable[[], Awaitable[None]] | None = None) -> Iterator[str]:
    """`app` on a loopback port, in a loop on a thread of its own; yields the base address. `stop` runs at the end."""
    started: queue.Queue[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def run() -> None:
        server, done = Server(app, "test"), asyncio.Event()
        await server.start()
        started.put((server.url, asyncio.get_running_loop(), done))
        await done.wait()
        await server.stop()
        if stop is not None:
            await stop()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    url, loop, done = started.get(timeout=10)
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(timeout=10)
