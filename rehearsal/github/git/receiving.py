"""git's pre-receive hook, answered by this process.

The hook is a few lines of shell. It gets two pipes that the push's own processes inherit: it writes the commands and
where the new objects wait, and reads the decision. No socket, no port, and nobody but this push can answer or ask.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

HOOK = """#!/bin/sh
{
  echo "$GIT_OBJECT_DIRECTORY"
  echo "$GIT_ALTERNATE_OBJECT_DIRECTORIES"
  cat
  echo end
} > "/proc/self/fd/$PUSH_COMMANDS" || exit 1
{
  read -r decision
  cat >&2
} < "/proc/self/fd/$PUSH_DECISION"
[ "$decision" = accept ]
"""


@dataclass(frozen=True, kw_only=True)
class RefChange:
    ref: str
    old: str
    """ZERO for a new ref."""
    new: str
    """ZERO for a deletion."""


@dataclass(frozen=True, kw_only=True)
class PushDecision:
    accepted: bool
    messages: tuple[str, ...] = ()
    """Shown to the user who pushes, each line behind `remote:`."""


DecidePush = Callable[[list[RefChange], dict[str, str]], Awaitable[PushDecision]]
"""Decides on the changes; the second argument is the environment in which git sees the waiting objects."""


class PreReceiveHook:
    """The two pipes of one push."""

    def __init__(self, decide: DecidePush) -> None:
        self._decide = decide
        self._incoming, self.commands = os.pipe()
        self.decision, self._answer = os.pipe()
        self.changes: list[RefChange] = []

    @property
    def descriptors(self) -> tuple[int, int]:
        """What the push's process has to inherit."""
        return self.commands, self.decision

    def environment(self) -> dict[str, str]:
        return {"PUSH_COMMANDS": str(self.commands), "PUSH_DECISION": str(self.decision)}

    def hand_over(self) -> None:
        """Close our copies of the push's ends, so that its end is seen here."""
        os.close(self.commands)
        os.close(self.decision)

    async def answer(self) -> None:
        """Wait for the commands and answer them; returns too when the push ends without any."""
        stream = asyncio.StreamReader()
        pipe = os.fdopen(self._incoming, "rb", buffering=0)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), pipe
        )
        try:
            lines = await _until_end(stream)
            if lines is not None:
                decision = await self._decided(lines)
                head = "accept" if decision.accepted else "refuse"
                await asyncio.to_thread(_write_all, self._answer, "\n".join([head, *decision.messages, ""]).encode())
        finally:
            transport.close()
            os.close(self._answer)

    async def _decided(self, lines: list[str]) -> PushDecision:
        objects, alternates, *commands = lines
        for command in commands:
            old, new, ref = command.split(" ", 2)
            self.changes.append(RefChange(ref=ref, old=old, new=new))
        env = {"GIT_OBJECT_DIRECTORY": objects, "GIT_ALTERNATE_OBJECT_DIRECTORIES": alternates}
        return await self._decide(self.changes, {name: value for name, value in env.items() if value})


def install(folder: Path) -> Path:
    """Write the hook; returns the folder for `core.hooksPath`."""
    folder.mkdir(parents=True, exist_ok=True)
    hook = folder / "pre-receive"
    hook.write_text(HOOK)
    hook.chmod(0o755)
    return folder


async def _until_end(stream: asyncio.StreamReader) -> list[str] | None:
    lines: list[str] = []
    while True:
        line = await stream.readline()
        if not line:
            return None
        text = line.decode("utf-8", "replace").rstrip("\n")
        if text == "end":
            return lines
        lines.append(text)


def _write_all(descriptor: int, data: bytes) -> None:
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except BrokenPipeError:
        return  # the client hung up meanwhile
