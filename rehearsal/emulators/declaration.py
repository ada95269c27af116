"""What an emulator says of itself. By this alone the world builds it, serves it, stores its credentials at GitHub, and keeps its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rehearsal.emulator import Emulator, Snapshotting

if TYPE_CHECKING:
    from rehearsal.emulators.google.access import Authorise


class Played(Emulator, Snapshotting, Protocol):
    """An emulator whose state is kept with its world."""

    @property
    def control(self) -> object | None:
        """What others do there while a pipeline is at work, a method for each thing that happens; None where nobody does anything. It is
        reached at the world's own port, never by clients."""

    def told(self) -> list[tuple[float, str]]:
        """What people were sent through it: (seconds since 1970, text), oldest first."""

    def inventory(self, release: str) -> int:
        """How many deployments of a release it holds."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a world has for an emulator."""

    root: Path
    """A folder for its files, which may not be there yet."""
    manifest: Mapping[str, Any]
    """The platform's, as YAML reads it: what a platform team would set up once at the provider is seeded by it."""
    secrets: Mapping[str, str]
    """What `Declaration.secrets` and `Declaration.personal` made."""
    time_scale: float = 1.0
    """Of the provider's own waits: queues, processing, reviews."""
    authorise: Authorise | None = None
    """Whose Google access token a request carries; for providers that are Google's."""
    operator: str = ""
    """The account at Google of the person at a terminal, who may do by hand what a pipeline does; empty where there is none."""


def _none() -> dict[str, str]:
    return {}


def _deploying(manifest: Mapping[str, Any]) -> tuple[str, ...] | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """One emulator. Its folder has `app` (what the world holds), `routes`, `state`, `views`, `errors`, and this."""

    name: str
    """As in `shipmate up` and in faults."""
    build: Callable[[Surroundings], Played]
    secrets: Callable[[], dict[str, str]] = field(default=_none)
    """Credentials of the provider, new for each world: name of the secret at GitHub -> value."""
    personal: Callable[[], dict[str, str]] = field(default=_none)
    """Credentials that GitHub does not hold, new for each world: a person has them at a terminal."""
    used: Callable[[Mapping[str, Any]], bool] = field(default=lambda manifest: True)
    """Whether a platform with this manifest has an account there, and so its secrets."""
    environments: Callable[[Mapping[str, Any]], tuple[str, ...] | None] = field(default=_deploying)
    """GitHub environments that hold its secrets, by the manifest; None: all that deploy."""
    alerts: bool = False
    """Whether people are told through it: then also the environments that ask for approvals, and those of the stores, have its secrets."""
