"""Startup, liveness and readiness probes over HTTP and TCP (https://cloud.google.com/run/docs/configuring/healthchecks).

A probe of a world under time pressure need not wait as long as a real one: `scale` shortens every delay and period.
While a container starts it is asked more often than its period says, up to the same deadline, so that what is ready
after 0.3 s is not first asked after 10.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_QUICK = 0.05  # seconds between questions to a container that starts
_ASYNC_ERRORS = (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError)


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Seconds, already scaled. `path` is None for a TCP probe. It asks the port the container serves on."""

    path: str | None
    headers: tuple[tuple[str, str], ...]
    delay: float
    period: float
    timeout: float
    failures: int

    @classmethod
    def parse(cls, probe: Mapping[str, Any], *, scale: float = 1.0) -> Probe:
        """From the API's Probe, checked before (template.py)."""
        http = probe.get("httpGet")
        return cls(
            path=None if http is None else http["path"],
            headers=tuple((h["name"], h.get("value", "")) for h in (http or {}).get("httpHeaders", [])),
            delay=probe["initialDelaySeconds"] * scale,
            period=probe["periodSeconds"] * scale,
            # The answer itself does not come faster in a hurried world.
            timeout=float(probe["timeoutSeconds"]),
            failures=probe["failureThreshold"],
        )

    @property
    def deadline(self) -> float:
        """Seconds a container has to pass for the first time."""
        return self.delay + self.period * self.failures

    async def passes(self, port: int) -> bool:
        """Ask once at 127.0.0.1:`port`."""
        try:
            async with asyncio.timeout(self.timeout):
                return await _connects(port) if self.path is None else await self._answers(port, self.path)
        except _ASYNC_ERRORS:
            return False

    async def passes_in_time(self, port: int) -> bool:
        """Ask until it passes or the deadline is over."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self.deadline
        await asyncio.sleep(self.delay)
        while loop.time() < end:
            if await self.passes(port):
                return True
            await asyncio.sleep(min(_QUICK, self.period))
        return False

    async def _answers(self, port: int, path: str) -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            headers = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
            request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: GoogleHC/1.0\r\n{headers}"
            writer.write(f"{request}Connection: close\r\n\r\n".encode())
            await writer.drain()
            line = await reader.readuntil(b"\r\n")
            return 200 <= int(line.split()[1]) < 400
        finally:
            writer.close()


async def _connects(port: int) -> bool:
    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    return True
