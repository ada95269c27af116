"""What the processes of a revision print, newest lines kept."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass

_LONGEST_LINE = 16 * 1024
_CHUNK = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """`stream` is stdout, stderr or varlog/system (Cloud Run's own remarks). Epoch seconds."""

    time: float
    instance: str
    stream: str
    text: str


class LogBook:
    """A ring of lines."""

    def __init__(self, *, limit: int = 2000) -> None:
        self._lines: deque[LogLine] = deque(maxlen=limit)

    def add(self, instance: str, stream: str, text: str) -> None:
        """Keep one line, cut when it is very long."""
        self._lines.append(LogLine(time=time.time(), instance=instance, stream=stream, text=text[:_LONGEST_LINE]))

    def lines(self) -> list[LogLine]:
        """Oldest first."""
        return list(self._lines)

    def tail(self, instance: str, count: int) -> list[str]:
        """The last lines an instance printed itself."""
        own = [line.text for line in self._lines if line.instance == instance and line.stream != "varlog/system"]
        return own[-count:]

    async def follow(self, instance: str, stream: str, reader: asyncio.StreamReader) -> None:
        """Keep what comes until the stream ends; a line of any length is read."""
        rest = ""
        while chunk := await reader.read(_CHUNK):
            *whole, rest = (rest + chunk.decode("utf-8", "replace")).split("\n")
            for line in whole:
                self.add(instance, stream, line.rstrip("\r"))
            if len(rest) > _LONGEST_LINE:
                self.add(instance, stream, rest)
                rest = ""
        if rest:
            self.add(instance, stream, rest)
