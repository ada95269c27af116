"""How an emulator is declared. By that alone a world builds it, serves it, stores its credentials at GitHub, and keeps its state.

The next provider is a folder here and a line in table.py; README.md beside this file says what goes into the folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from rehearsal.definition import Definition
from rehearsal.emulator import ProviderEmulator

T = TypeVar("T")
E = TypeVar("E", bound=ProviderEmulator)


class Capability(Generic[T]):
    """Something of type T that one emulator, or a service of the world, offers to the others (capabilities.py lists them)."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


class NotOffered(LookupError):
    """A capability that was asked for is not there."""


@dataclass(frozen=True, kw_only=True)
class WorldContext:
    """What a world gives to one emulator."""

    name: str
    root: Path
    """A folder for its files, which may not be there yet."""
    definition: Definition
    """Of the platform: what its team would set up once at the provider is seeded by it."""
    secrets: Mapping[str, str]
    """What `Declaration.secrets` made."""
    capabilities: Mapping[Capability[Any], Any] = field(default_factory=dict)
    """Those it needs."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Base address of every emulator that listens, by its name; grows while the world starts."""
    time_scale: float = 1.0
    """Of the provider's own waits: queues, processing, reviews."""
    process_environment: Mapping[str, str] = field(default_factory=dict)
    """For every process that an emulator starts: what the world finds its processes by."""

    def need(self, capability: Capability[T]) -> T:
        """What another part of the world offers. Raises NotOffered for one that the declaration does not name in `needs`."""
        if capability not in self.capabilities:
            raise NotOffered(f"{self.name} asks for {capability}, which its declaration does not name in `needs`")
        found: T = self.capabilities[capability]
        return found

    @property
    def address(self) -> str:
        """Its own base address, without a trailing slash. Raises KeyError before it listens."""
        return self.addresses[self.name]

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The platform's, as YAML reads it."""
        return self.definition.manifest


def _no_secrets() -> dict[str, str]:
    return {}


def _always(_definition: Definition) -> bool:
    return True


def deploying(definition: Definition) -> tuple[str, ...]:
    """GitHub environments of the jobs that deploy the platform."""
    return tuple(dict.fromkeys(definition.github_environments.values()))


def alerting(definition: Definition) -> tuple[str, ...]:
    """GitHub environments of every job that may send a message: those that deploy, ask for approval, deliver or promote apps."""
    apps = definition.apps
    approvals = (approval.environment for approval in definition.approvals)
    return (*deploying(definition), *approvals, *((*apps.stores, apps.promote) if apps else ()))


@dataclass(frozen=True, kw_only=True)
class Declaration(Generic[E]):
    """One emulator: what it needs and offers, what it seeds, whose credentials it has, and what it adds to the world's files.

    Its public hosts, its contract and its control are attributes of what `build` returns (`ProviderEmulator`).
    """

    name: str
    """As in `shipmate up`, in faults and in the journal."""
    build: Callable[[WorldContext], E]
    """Makes it; nothing runs yet, and no address is known."""
    needs: tuple[Capability[Any], ...] = ()
    """What it asks of others; they are built and started before it."""
    offers: Mapping[Capability[Any], Callable[[E, WorldContext], Any]] = field(default_factory=dict)
    """What it does for others; each capability has one that offers it."""
    seed: Callable[[E, WorldContext], None] = lambda emulator, context: None
    """Sets up at the provider what a platform team would once. Everything listens by then, and GitHub has the repository."""

    secrets: Callable[[], dict[str, str]] = _no_secrets
    """Credentials of the provider, new for each world: name of the secret at GitHub -> value. A person has them all at a terminal."""
    used: Callable[[Definition], bool] = _always
    """Whether a platform has an account there, and so its secrets."""
    environments: Callable[[Definition], tuple[str, ...] | Mapping[str, tuple[str, ...]]] = deploying
    """GitHub environments that hold its secrets, or those of each by its name; those that are not made are left out."""

    overlay: Callable[[E, WorldContext], Mapping[str, Any]] = lambda emulator, context: {}
    """What it adds to the overlay, beside the addresses of its hosts. Asked after `seed`."""
    facts: Callable[[E, WorldContext], Mapping[str, Any]] = lambda emulator, context: {}
    """What it adds to the world's own file, world.json. Asked after `seed`."""
    terminal: Callable[[E, WorldContext], Mapping[str, str]] = lambda emulator, context: {}
    """Environment variables of a person who is logged in there, beside the secrets. Asked after `seed`."""
    programs: tuple[str, ...] = ()
    """Programs that a terminal has in place of the machine's, of those that jobs have (rehearsal/runner/stand_ins/programs)."""

    in_snapshot: bool = True
    """Whether a snapshot keeps its state."""
    files_in_snapshot: bool = False
    """Whether a snapshot keeps the folder `WorldContext.root` too."""

    def holding(self, definition: Definition, secret: str) -> tuple[str, ...]:
        """GitHub environments that hold one of its secrets."""
        found = self.environments(definition)
        return found[secret] if isinstance(found, Mapping) else found
