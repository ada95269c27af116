"""What every emulator is to the world that runs it."""

from __future__ import annotations

from typing import Any, Protocol

from starlette.types import ASGIApp


class Emulator(Protocol):
    """One provider, played on one loopback port."""

    name: str
    """Short name, as in `shipmate up`: "cloud-run", "vercel"."""
    hosts: tuple[str, ...]
    """The public host names it plays; a leading `*.` stands for one label."""
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


class Snapshotting(Protocol):
    """An emulator whose state can be saved and loaded as JSON."""

    def save(self) -> dict[str, Any]:
        """The whole state, JSON-ready."""

    def load(self, saved: dict[str, Any]) -> None:
        """Replace the state by one that `save` gave."""
