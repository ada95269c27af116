"""The credentials of one world, new every time, and who holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.definition import Definition
from rehearsal.emulators.declaration import Declaration
from rehearsal.emulators.table import EMULATORS


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Of every emulator that is declared."""

    declarations: tuple[Declaration[Any], ...]
    secrets: Mapping[str, Mapping[str, str]]
    """Emulator -> name of the secret at GitHub -> value."""

    @classmethod
    def new(cls, declarations: Iterable[Declaration[Any]] = EMULATORS) -> Credentials:
        """Made now."""
        declared = tuple(declarations)
        return cls(declarations=declared, secrets={each.name: each.secrets() for each in declared})

    def of(self, emulator: str) -> dict[str, str]:
        """Everything that one emulator takes."""
        return dict(self.secrets[emulator])

    def all_secrets(self) -> dict[str, str]:
        """Every secret that an environment at GitHub could have."""
        return {name: value for each in self.declarations for name, value in self.secrets[each.name].items()}

    def in_environment(self, definition: Definition, environment: str) -> dict[str, str]:
        """Those that this platform has a use for in one GitHub environment, as a team would set them."""
        return {
            name: value
            for each in self.declarations
            if each.used(definition)
            for name, value in self.secrets[each.name].items()
            if environment in each.holding(definition, name)
        }

    def at_terminal(self, definition: Definition) -> dict[str, str]:
        """What a person on call has: everything that any environment could have."""
        used = (each for each in self.declarations if each.used(definition))
        return {name: value for each in used for name, value in self.of(each.name).items()}
