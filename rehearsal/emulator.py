"""What every emulator is to the world that runs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from markupsafe import Markup
from starlette.types import ASGIApp

from rehearsal.definition import Definition
from rehearsal.journal import Entry


class Emulator(Protocol):
    """One provider on one loopback port."""

    name: str
    """Short name, as in `shipmate up`: "cloud-run", "vercel"."""
    hosts: tuple[str, ...]
    """The public host names it answers for; a leading `*.` stands for one label."""
    app: ASGIApp

    @property
    def contract(self) -> str | tuple[str, ...] | None:
        """Key of the provider's own description in rehearsal.contracts; several where one provider has an interface at each
        of its hosts; None where none exists."""

    async def start(self) -> None:
        """Start what the emulator runs beside HTTP (processes, listeners)."""

    async def stop(self) -> None:
        """End everything `start` and the requests began."""

    def reset(self) -> None:
        """Forget all state; processes are ended by `stop`."""


class Notification(NamedTuple):
    """A message that people were sent through a provider. `at`: seconds since 1970; `text`: all that it says, plain."""

    at: float
    text: str
    title: str = ""
    """What stands above it: the subject of a mail."""
    sender: str = ""
    to: str = ""
    """Whom it reached: addresses, a channel."""
    body: str | Markup = ""
    """What it says below the title: plain text, or HTML in which everything from outside is escaped."""


@dataclass(frozen=True, kw_only=True)
class TrafficChange:
    """A provider was asked to send users elsewhere. `at`: seconds since 1970; `text`: "v1 90 %, v2 10 %"."""

    at: float
    environment: str
    component: str
    text: str


class ProviderEmulator(ABC):
    """An emulator as rehearsal/emulators holds them: an `Emulator` that can be saved, with answers to what a world asks of each.

    A subclass sets `name`, `hosts`, `contract` and `app`, and overrides what its provider has.
    """

    name: str
    hosts: tuple[str, ...] = ()
    contract: str | tuple[str, ...] | None = None
    app: ASGIApp
    control: object | None = None
    """What people and the provider do there while a pipeline is at work, a method for each; reached at the world's own port, never by
    clients. None where nobody does anything."""

    @property
    def url(self) -> str | None:
        """Where it listens by itself, once started; None: the world serves `app`."""
        return None

    async def start(self) -> None:  # noqa: B027 - most run nothing beside HTTP
        """Start what the emulator runs beside HTTP (processes, listeners)."""

    async def stop(self) -> None:  # noqa: B027 - as above
        """End everything `start` and the requests began. Idempotent."""

    async def quiesce(self) -> None:  # noqa: B027 - as above
        """End or cancel the work that requests started, so that `save` gives a state without changes under way."""

    @abstractmethod
    def reset(self) -> None:
        """Forget all state; processes are ended by `stop`."""

    def save(self) -> dict[str, Any]:
        """The whole state, JSON-ready; empty for an emulator that keeps none."""
        return {}

    def load(self, saved: dict[str, Any]) -> None:  # noqa: B027 - as above
        """Replace the state by one that `save` gave."""

    def notifications(self) -> list[Notification]:
        """What people were sent through it, oldest first."""
        return []

    def deployments_of(self, release: str) -> int:
        """How many deployments of a release it holds, over all environments."""
        return 0

    def traffic_changes(self, requests: Iterable[Entry], definition: Definition) -> Iterator[TrafficChange]:
        """Those that its own requests (`requests`, oldest first) asked for."""
        return iter(())


def release_in(marks: Mapping[str, Any]) -> str | None:
    """The release in what a delivery wrote on a deployment: the value whose name ends in "release"."""
    return next((str(value) for name, value in marks.items() if name.endswith("release")), None)
