"""EAS in a world: the platform's project, and one robot that may build and publish."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from rehearsal.definition import Definition
from rehearsal.emulators.declaration import Declaration, WorldContext
from rehearsal.emulators.eas.app import Eas
from rehearsal.emulators.eas.state import Pace, Project

_SECRET = "EXPO_TOKEN"
_EAS: Mapping[str, Any] = {
    "account": "techmate",
    "slug": "techmate",
    "project": "00000000-0000-0000-0000-000000000000",
}
"""Of a platform without mobile apps, which nobody asks for."""


def _build(context: WorldContext) -> Eas:
    eas = context.manifest.get("mobile", {}).get("eas") or _EAS
    return Eas(
        context.root,
        project=Project(id=str(eas["project"]), account=str(eas["account"]), slug=str(eas["slug"])),
        tokens=[context.secrets[_SECRET]],
        pace=Pace().scaled(context.time_scale),
    )


def _secrets() -> dict[str, str]:
    """A robot's access token: 40 characters, as expo.dev shows it once."""
    return {_SECRET: secrets.token_urlsafe(30)}


def _used(definition: Definition) -> bool:
    return "eas" in definition.manifest.get("mobile", {})


def _environments(definition: Definition) -> tuple[str, ...]:
    """Builds are started in one, and looked at in those that deliver them."""
    return definition.apps.environments if definition.apps else ()


EMULATOR = Declaration(
    name=Eas.name, build=_build, secrets=_secrets, used=_used, environments=_environments, programs=("eas",)
)
