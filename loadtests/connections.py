"""Connections of a load test's users: HTTP over gevent, one connection at a time, without redirects, and what can go wrong on the way.

Imported by the generator after Locust, which patches what this builds upon.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gevent.ssl import SSLContext, SSLError, create_default_context
from gevent.timeout import Timeout
from geventhttpclient.connectionpool import ConnectionPool, SSLConnectionPool
from geventhttpclient.header import Headers
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError, HTTPSocketPoolResponse

from loadtests.plan import PORTS, Address
from pipelines.manifest.model import JourneyRequest

_HEADERS = {"User-Agent": "shipmate-loadtest", "Accept": "*/*", "Accept-Encoding": "gzip, deflate, br"}
_WITH_BODY = ("POST", "PUT", "PATCH")
_BLOCK = 16 * 1024
_FAILURES: tuple[tuple[type[BaseException], str], ...] = (
    (Timeout, "timed out"),
    (HTTPConnectionClosed, "connection closed"),
    (HTTPParseError, "not HTTP"),
    (SSLError, "no secure connection"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionError, "connection closed"),
    (OSError, "no connection"),
    (ValueError, "unreadable answer"),
)
FAILED = tuple(kind for kind, _ in _FAILURES)
OWN = (errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS)
"""What this machine, not the platform, has too little of."""


class Fields(Mapping[str, str]):
    """Headers of an answer: names in any case, lines of the same name joined (RFC 9110 §5.3)."""

    __slots__ = ("_headers",)

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def __getitem__(self, name: str) -> str:
        value = self._headers[name]
        return value if isinstance(value, str) else ", ".join(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)


NO_FIELDS = Fields(Headers())


class _Found:
    """A pool of connections to addresses that were looked up before the run, not again by every visit."""

    found: list[Any]

    def _resolve(self) -> list[Any]:
        return self.found


class _Plain(_Found, ConnectionPool):
    pass


class _Secure(_Found, SSLConnectionPool):
    pass


class Line:
    """To one component: one connection at a time, each request sent once, no redirect followed."""

    def __init__(
        self, address: Address, headers: Mapping[str, str], tls: Callable[..., SSLContext], found: list[Any]
    ) -> None:
        host, port, secure = connected(address)
        # The time of a whole answer is limited by who asks; a limit for each read would cost a timer each.
        never: Any = None
        pool: _Plain | _Secure
        if secure:
            pool = _Secure(host, port, address.host, address.port, ssl_context_factory=tls, size=1)
        else:
            pool = _Plain(host, port, address.host, address.port, size=1)
        pool.connection_timeout = pool.network_timeout = never
        pool.found = found
        self._pool = pool
        self._path = address.path
        default = address.port == PORTS[address.scheme]
        named = f"[{address.host}]" if ":" in address.host else address.host
        self._headers = {"Host": named if default else f"{named}:{address.port}", **_HEADERS, **headers}

    def ask(self, request: JourneyRequest, more: Mapping[str, str]) -> HTTPSocketPoolResponse:
        """The answer with its headers read. Raises one of FAILED; then this line is of no use any more."""
        headers = {**self._headers, **request.headers, **more}
        body = request.body.encode()
        if body or request.method in _WITH_BODY:
            headers["Content-Length"] = str(len(body))
        lines = [f"{request.method} {self._path}{request.path} HTTP/1.1", *map(": ".join, headers.items())]
        head = "\r\n".join(lines)
        # What an answer said may be in it, and must not become a header of its own.
        if len(head.splitlines()) != len(lines) or " " in request.path:
            raise ValueError("what was filled in breaks the request")
        connection = self._pool.get_socket()
        connection.sendall(head.encode("latin-1") + b"\r\n\r\n" + body)
        return HTTPSocketPoolResponse(connection, self._pool, block_size=_BLOCK, method=request.method)

    def hang_up(self) -> None:
        """The next request connects anew."""
        waiting: Any = self._pool._socket_queue
        while not waiting.empty():
            waiting.get_nowait().close()

    def close(self) -> None:
        self._pool.close()


def failure(error: BaseException) -> str:
    """What to call one of FAILED in the recording."""
    return next(name for kind, name in _FAILURES if isinstance(error, kind))


def connected(address: Address) -> tuple[str, int, bool]:
    """Host, port and whether by TLS: where an address is really reached."""
    return address.connect or (address.host, address.port, address.scheme == "https")


def trusting(ca: str | None) -> Callable[..., SSLContext]:
    """One context for all connections: to read the authorities takes as long as many requests."""
    context = create_default_context(cafile=ca)

    def factory(**_: Any) -> SSLContext:
        return context

    return factory
