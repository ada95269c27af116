"""Slack as an emulator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp

from rehearsal.emulator import Notification, ProviderEmulator
from rehearsal.emulators import saving
from rehearsal.emulators.slack.blocks import texts
from rehearsal.emulators.slack.rendering import rendered
from rehearsal.emulators.slack.routes import app
from rehearsal.emulators.slack.state import Channel, Message, Workspace


@dataclass(kw_only=True)
class Saved:
    """As in `Workspace`."""

    channels: dict[str, Channel]
    messages: list[Message]


class Slack(ProviderEmulator):
    """One workspace. `webhooks` maps the path of an incoming webhook behind /services/ to its channel."""

    name = "slack"
    hosts: tuple[str, ...] = ("hooks.slack.com",)
    contract: str | None = None
    """Slack's own description is of 2021 and knows only forms; messages are held against the limits of its block types."""

    def __init__(
        self,
        *,
        channels: Iterable[str] = ("deployments",),
        webhooks: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._channels = tuple(channels)
        self.workspace = Workspace(clock=clock)
        self.workspace.add_channels(self._channels)
        self.app: ASGIApp = app(self.workspace, webhooks=dict(webhooks or {}))

    @property
    def messages(self) -> list[Message]:
        """Everything posted, oldest first."""
        return self.workspace.messages

    def reset(self) -> None:
        """Forget all messages; the channels are as at first."""
        self.workspace.messages.clear()
        self.workspace.channels.clear()
        self.workspace.add_channels(self._channels)

    def save(self) -> dict[str, Any]:
        """Channels and messages."""
        return saving.to_json(Saved(channels=self.workspace.channels, messages=self.workspace.messages))

    def notifications(self) -> list[Notification]:
        """Text and blocks of every message."""
        return [
            Notification(
                float(m.ts), "\n".join([m.text, *texts(m.blocks)]), to=f"#{m.channel}", body=rendered(m.text, m.blocks)
            )
            for m in self.messages
        ]

    def load(self, saved: dict[str, Any]) -> None:
        """Replace them."""
        loaded = saving.from_json(Saved, saved)
        self.workspace.channels, self.workspace.messages = loaded.channels, loaded.messages
