"""EAS in a world: the platform's project, and one robot that may build and publish."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from rehearsal.emulators.declaration import Declaration, Surroundings
from rehearsal.emulators.eas.app import Eas
from rehearsal.emulators.eas.state import Pace, Project
from rehearsal.mobile_apps import read

_SECRET = "EXPO_TOKEN"
_EAS: Mapping[str, Any] = {
    "account": "techmate",
    "slug": "techmate",
    "project": "00000000-0000-0000-0000-000000000000",
}
"""Of a platform without mobile apps, which nobody asks for."""


def _build(around: Surroundings) -> Eas:
    eas = around.manifest.get("mobile", {}).get("eas") or _EAS
    return Eas(
        around.root,
        project=Project(id=str(eas["project"]), account=str(eas["account"]), slug=str(eas["slug"])),
        tokens=[around.secrets[_SECRET]],
        pace=Pace().scaled(around.time_scale),
    )


def _secrets() -> dict[str, str]:
    """A robot's access token: 40 characters, as expo.dev shows it once."""
    return {_SECRET: secrets.token_urlsafe(30)}


def _used(manifest: Mapping[str, Any]) -> bool:
    return "eas" in manifest.get("mobile", {})


def _environments(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Builds are begun in one, and looked at in those that deliver them."""
    apps = read(manifest)
    return apps.environments if apps else ()


EMULATOR = Declaration(name=Eas.name, build=_build, secrets=_secrets, used=_used, environments=_environments)
