"""The real Sentry SDK in a real process, with a listener in the place of Sentry."""

from __future__ import annotations

import gzip
import json
import queue
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
import redis
from backend.jobs import Job
from development.services import ServiceUrls


class Listener(BaseHTTPRequestHandler):
    """Keeps the JSON items of every envelope it is sent."""

    events: queue.Queue[dict[str, Any]]

    def do_POST(self) -> None:
        body = unpacked(self.rfile.read(int(self.headers["Content-Length"])), self.headers["Content-Encoding"])
        for line in body.splitlines():
            item = json.loads(line)
            if "exception" in item:
                self.events.put(item)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def unpacked(body: bytes, encoding: str | None) -> bytes:
    """The SDK packs with Brotli where that is installed, else with gzip."""
    if encoding == "br":
        import brotli

        return bytes(brotli.decompress(body))
    return gzip.decompress(body) if encoding == "gzip" else body


@pytest.fixture
def sentry() -> Iterator[tuple[str, queue.Queue[dict[str, Any]]]]:
    events: queue.Queue[dict[str, Any]] = queue.Queue()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Listener,), {"events": events}))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://key@127.0.0.1:{server.server_port}/1", events
    server.shutdown()
    server.server_close()


def test_an_unexpected_error_reaches_sentry_with_its_release(
    start_backend: Callable[..., Any], service_urls: ServiceUrls, sentry: tuple[str, queue.Queue[dict[str, Any]]]
) -> None:
    dsn, events = sentry
    with start_backend(WORKERS="on", SENTRY_DSN=dsn, RELEASE="v1.2.0", ENVIRONMENT="staging") as running:
        with redis.Redis.from_url(service_urls.redis, decode_responses=True) as client:
            client.lpush(f"{running.namespace}:{{jobs}}:pending", Job(kind="unheard-of", note=uuid4()).encode())
        event = events.get(timeout=5)
    assert (event["release"], event["environment"]) == ("v1.2.0", "staging")
    assert event["exception"]["values"][-1]["type"] == "LookupError"
    assert "unheard-of" in event["exception"]["values"][-1]["value"]
