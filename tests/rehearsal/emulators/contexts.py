"""What a world gives to its emulators, without a world."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rehearsal import definition
from rehearsal.definition import Definition
from rehearsal.emulators.capabilities import CACHE_URL, DATABASE_SERVER, DATABASE_URL, IDENTITY_PROVIDER
from rehearsal.emulators.declaration import Capability, Declaration, WorldContext
from rehearsal.emulators.table import EMULATORS
from rehearsal.world.credentials import Credentials
from rehearsal.world.emulator_set import EmulatorSet, WorldParts
from rehearsal.world.servers import Servers
from tests.rehearsal.example_manifest import MANIFEST


class Issuer:
    """An identity provider that has signed nothing."""

    issuer = "https://issuer.test"
    repository_id = 101
    owner_id = 7

    async def keys(self) -> Mapping[str, Any]:
        return {"keys": []}


SERVICES: Mapping[Capability[Any], Any] = {
    IDENTITY_PROVIDER: Issuer(),
    DATABASE_URL: "postgresql://{}".format,
    DATABASE_SERVER: lambda: ("127.0.0.1", 5432),
    CACHE_URL: "redis://{}".format,
}
"""What a world offers of its own."""


def platform(manifest: Mapping[str, Any]) -> Definition:
    """The example platform, with this of its manifest where an emulator reads that itself."""
    return dataclasses.replace(definition.of(MANIFEST), manifest=manifest)


def context(
    declared: Declaration[Any], root: Path, manifest: Mapping[str, Any], *, secrets: Mapping[str, str], **more: Any
) -> WorldContext:
    return WorldContext(name=declared.name, root=root, definition=platform(manifest), secrets=secrets, **more)


def composed(
    root: Path, declarations: Iterable[Declaration[Any]] = EMULATORS, servers: Servers | None = None, **more: Any
) -> EmulatorSet:
    """As a world composes them."""
    parts: dict[str, Any] = {"definition": definition.of(MANIFEST), "capabilities": SERVICES} | more
    return EmulatorSet(Credentials.new(declarations), WorldParts(root=root, servers=servers or Servers(), **parts))
