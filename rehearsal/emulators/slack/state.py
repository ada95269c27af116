"""Channels and the messages in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

_LONGEST_TEXT = 40_000


@dataclass(kw_only=True)
class Message:
    """A message."""

    channel: str
    """Name without `#`."""
    ts: str
    """Slack's time stamp, which is also the message's name in its channel."""
    text: str
    blocks: list[dict[str, Any]]


@dataclass(kw_only=True)
class Channel:
    """A channel; an archived one takes no messages."""

    id: str
    name: str
    archived: bool = False


@dataclass(kw_only=True)
class Workspace:
    """One team on Slack."""

    clock: Callable[[], float] = time.time
    channels: dict[str, Channel] = field(default_factory=dict)
    """By id."""
    messages: list[Message] = field(default_factory=list)
    """Oldest first."""
    last_tick: int = 0

    def add_channels(self, names: Iterable[str]) -> None:
        """Create channels."""
        for name in names:
            channel = Channel(id=f"C{len(self.channels) + 1:08}", name=name.removeprefix("#"))
            self.channels[channel.id] = channel

    def channel(self, id_or_name: str) -> Channel | None:
        """A channel by its id, or by its name with or without `#`."""
        name = id_or_name.removeprefix("#")
        return next((c for c in self.channels.values() if name in (c.id, c.name)), None)

    def post(self, channel: Channel, content: dict[str, Any]) -> Message:
        """Add a message. Text beyond 40,000 characters is cut, as Slack does."""
        message = Message(
            channel=channel.name,
            ts=self._stamp(),
            text=str(content.get("text") or "")[:_LONGEST_TEXT],
            blocks=content.get("blocks") or [],
        )
        self.messages.append(message)
        return message

    def _stamp(self) -> str:
        self.last_tick = max(self.last_tick + 1, int(self.clock() * 1_000_000))
        return f"{self.last_tick // 1_000_000}.{self.last_tick % 1_000_000:06}"
