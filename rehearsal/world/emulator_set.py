"""The emulators of one world, by their declarations alone: built in the order of what they need of each other, served, seeded, saved."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path
from typing import Any

from starlette.routing import Route

from rehearsal.control import emulator_route
from rehearsal.definition import Definition
from rehearsal.emulator import Notification, ProviderEmulator, TrafficChange
from rehearsal.emulators.declaration import Capability, Declaration, NotOffered, WorldContext
from rehearsal.journal import Journal
from rehearsal.world.credentials import Credentials
from rehearsal.world.servers import Servers

FILES = "files"
"""Folder of a snapshot with those of the emulators that keep some."""


class NeedsInACircle(ValueError):
    """No order of building gives every emulator what it needs."""


@dataclass(frozen=True)
class _Member:
    declaration: Declaration[Any]
    emulator: ProviderEmulator
    context: WorldContext


@dataclass(frozen=True, kw_only=True)
class WorldParts:
    """What a world gives to its emulators together."""

    root: Path
    definition: Definition
    servers: Servers
    capabilities: Mapping[Capability[Any], Any] = field(default_factory=dict)
    """What services of the world, and GitHub, offer."""
    time_scale: float = 1.0
    process_environment: Mapping[str, str] = field(default_factory=dict)


class EmulatorSet:
    """Every emulator whose credentials there are.

    Raises NotOffered for a need that nobody meets, ValueError for a capability or a name that is offered twice, and NeedsInACircle.
    """

    def __init__(self, credentials: Credentials, parts: WorldParts) -> None:
        self._servers = parts.servers
        self._definition = parts.definition
        self._members: dict[str, _Member] = {}
        offered = dict(parts.capabilities)
        for declaration in in_order(credentials.declarations, offered):
            context = WorldContext(
                name=declaration.name,
                root=parts.root / declaration.name,
                definition=parts.definition,
                secrets=credentials.of(declaration.name),
                capabilities={need: offered[need] for need in declaration.needs},
                addresses=parts.servers.addresses,
                time_scale=parts.time_scale,
                process_environment=parts.process_environment,
            )
            emulator = declaration.build(context)
            offered.update({what: make(emulator, context) for what, make in declaration.offers.items()})
            self._members[declaration.name] = _Member(declaration, emulator, context)

    def __getitem__(self, name: str) -> ProviderEmulator:
        return self._members[name].emulator

    def __iter__(self) -> Iterator[ProviderEmulator]:
        return (member.emulator for member in self._members.values())

    async def start(self) -> None:
        """Start and serve each. Raises OSError and ContractUnavailable."""
        for emulator in self:
            await emulator.start()
            if emulator.url is None:
                await self._servers.serve_emulator(emulator)
            else:
                self._servers.publish(emulator, emulator.url, emulator.app)

    def seed(self) -> None:
        """Set up at each provider what a platform team would once; everything listens, and GitHub has the repository."""
        for member in self._members.values():
            member.declaration.seed(member.emulator, member.context)

    async def stop(self) -> None:
        """End what each started, in the other order. Idempotent."""
        for emulator in reversed(list(self)):
            await emulator.stop()

    def overlay(self) -> dict[str, Any]:
        """What they add to the overlay, beside the addresses of their hosts."""
        added = (each.declaration.overlay(each.emulator, each.context) for each in self._members.values())
        return dict(chain.from_iterable(one.items() for one in added))

    def facts(self) -> dict[str, Any]:
        """What they add to world.json."""
        added = (each.declaration.facts(each.emulator, each.context) for each in self._members.values())
        return dict(chain.from_iterable(one.items() for one in added))

    def terminal(self) -> dict[str, str]:
        """Environment variables of a person who is logged in everywhere."""
        added = (each.declaration.terminal(each.emulator, each.context) for each in self._members.values())
        return dict(chain.from_iterable(one.items() for one in added))

    def programs(self) -> tuple[str, ...]:
        """Names of the programs that a terminal has in place of the machine's."""
        return tuple(name for each in self._members.values() for name in each.declaration.programs)

    def control_routes(self) -> list[Route]:
        """`/_control/<emulator>/<action>` of those that have a control."""
        return [emulator_route(each.name, each.control) for each in self if each.control is not None]

    def notifications(self) -> list[dict[str, str]]:
        """What people were sent, oldest first: {"via", "at", "text"}."""
        return [{"via": via, "at": f"{one.at:.3f}", "text": one.text} for via, one in self.received()]

    def received(self) -> list[tuple[str, Notification]]:
        """What people were sent, oldest first, with the name of the emulator that it came through."""
        found = ((each.name, one) for each in self for one in each.notifications())
        return sorted(found, key=lambda pair: pair[1].at)

    def deployments_of(self, release: str) -> dict[str, int]:
        """How many deployments of a release each holds, over all environments."""
        return {each.name: each.deployments_of(release) for each in self}

    def traffic_changes(self, journal: Journal) -> list[TrafficChange]:
        """When providers were asked to send users elsewhere, oldest first."""
        asked = (each.traffic_changes(journal.entries(emulator=each.name), self._definition) for each in self)
        return sorted(chain.from_iterable(asked), key=lambda change: change.at)

    async def save(self) -> dict[str, Any]:
        """The state of each that a snapshot keeps, JSON-ready, with no change under way."""
        kept = [member.emulator for member in self._members.values() if member.declaration.in_snapshot]
        for emulator in kept:
            await emulator.quiesce()
        return {emulator.name: emulator.save() for emulator in kept}

    def load(self, saved: Mapping[str, Any]) -> None:
        """Replace the state of each by what `save` gave. Raises KeyError."""
        for member in self._members.values():
            if member.declaration.in_snapshot:
                member.emulator.load(saved[member.declaration.name])

    def save_files(self, folder: Path) -> None:
        """Copy the files that a snapshot keeps into a folder of it. Raises OSError."""
        for member in self._members.values():
            if member.declaration.files_in_snapshot:
                shutil.copytree(member.context.root, folder / FILES / member.declaration.name)


def in_order(
    declarations: Iterable[Declaration[Any]], offered: Iterable[Capability[Any]] = ()
) -> list[Declaration[Any]]:
    """Each after those whose offers it needs. `offered`: capabilities that are there already. Raises as `EmulatorSet` does."""
    named: dict[str, Declaration[Any]] = {}
    offers: dict[Capability[Any], str | None] = dict.fromkeys(offered)
    for declaration in declarations:
        if declaration.name in named:
            raise ValueError(f"two emulators are called {declaration.name}; see rehearsal/emulators/table.py")
        named[declaration.name] = declaration
        for capability in declaration.offers:
            if capability in offers:
                other = offers[capability] or "the world itself"
                raise ValueError(f"{capability} is offered by {other} and by {declaration.name}; one has to offer it")
            offers[capability] = declaration.name
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for declaration in named.values():
        sorter.add(
            declaration.name, *filter(None, (_offering(declaration, need, offers) for need in declaration.needs))
        )
    try:
        return [named[name] for name in sorter.static_order()]
    except CycleError as error:
        raise NeedsInACircle(f"each of these needs the next: {' -> '.join(error.args[1])}") from error


def _offering(
    declaration: Declaration[Any], need: Capability[Any], offers: Mapping[Capability[Any], str | None]
) -> str | None:
    if need not in offers:
        raise NotOffered(
            f"{declaration.name} needs {need}, which neither an emulator of the table nor the world offers"
        )
    return offers[need]
