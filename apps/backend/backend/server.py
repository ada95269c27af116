"""Runs the application under uvicorn: says where it listens, and drains when asked to stop."""

from __future__ import annotations

import signal
import socket

import uvicorn
from starlette.types import ASGIApp

from backend.logs import Log
from backend.settings import Settings

# Cloud Run sends SIGKILL ten seconds after SIGTERM; what follows the draining needs some of them.
_DRAIN_SECONDS = 6
_log = Log("backend.server")


def serve(app: ASGIApp, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; returns when requests in flight are answered. Raises OSError for a port in use."""
    listener = _listen(settings.host, settings.port)
    # uvicorn raises the signal once more after it has drained. A stop that went well must not look like a crash.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    host, port = listener.getsockname()[:2]
    _log.info("listening", host=host, port=port, release=settings.release, workers=settings.workers)
    try:
        uvicorn.Server(_configuration(app)).run(sockets=[listener])
    finally:
        listener.close()
    _log.info("stopped")


def _configuration(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only where it sees TCP: 40 ms an answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from error
    # From here on callers wait instead of being refused, although uvicorn has yet to start.
    listener.listen(2048)
    return listener
