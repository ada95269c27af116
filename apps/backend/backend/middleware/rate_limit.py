"""Holds each user to 100 requests in any minute, and the probes of a delivery to a limit of their own."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.answers import problem
from backend.middleware.server_timing import IS_LOAD
from backend.middleware.tokens import takes_token
from backend.moving_window import Verdict

Admit = Callable[[str], Awaitable[Verdict]]
PROBE_HEADER = "X-Shipmate-Probe"
USER_HEADER = "X-User"


def user_of(scope: Scope, trusted_hops: int) -> str:
    """Who is asking: the caller's address, or the name that a user of a load test gives itself (`X-User`, with its token).

    Behind `trusted_hops` proxies of ours the address is the one that the outermost of them appended to
    X-Forwarded-For. Whatever else a caller writes is not believed: another name each time would be no limit at all.
    """
    headers = Headers(scope=scope)
    user = headers.get(USER_HEADER, "").strip()
    if user and scope.get(IS_LOAD):
        return f"user:{user}"
    hops = [hop.strip() for line in headers.getlist("x-forwarded-for") for hop in line.split(",")]
    if trusted_hops and len(hops) >= trusted_hops:
        return f"address:{_network(hops[-trusted_hops])}"
    client = scope.get("client")
    return f"address:{_network(client[0]) if client else 'unknown'}"


def _network(address: str) -> str:
    """An IPv6 address as its /64, in which a single caller has every address (RFC 6177 §2)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found.packed, 64), strict=False).network_address) + "/64"


class RateLimit:
    """ASGI middleware: 429 with Retry-After beyond the limit; the probes under /health are exempt.

    `admit_probe` decides on those who send `probe_token` (`X-Shipmate-Probe`).
    """

    def __init__(
        self, app: ASGIApp, *, admit: Admit, trusted_hops: int, admit_probe: Admit, probe_token: str | None
    ) -> None:
        self._app, self._admit, self._trusted_hops = app, admit, trusted_hops
        self._admit_probe, self._probe_token = admit_probe, probe_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] != "http" or scope["path"] == "/health" or scope["path"].startswith("/health/"):
            await self._app(scope, receive, send)
            return
        verdict = await self._verdict(scope)

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-RateLimit-Limit"] = str(verdict.limit)
                headers["X-RateLimit-Remaining"] = str(verdict.remaining)
            await send(message)

        if verdict.admitted:
            await self._app(scope, receive, counted)
            return
        text = f"More than {verdict.limit} requests in a minute. Try again in {verdict.retry_after} s."
        refusal = problem(429, "rate_limited", text, headers={"Retry-After": str(verdict.retry_after)})
        await refusal(scope, receive, counted)

    async def _verdict(self, scope: Scope) -> Verdict:
        if takes_token(scope, PROBE_HEADER, self._probe_token):
            # A name that is no user's: theirs begin with user: or address:.
            return await self._admit_probe("probe")
        return await self._admit(user_of(scope, self._trusted_hops))
