"""Sentry in a world: the platform's organization, with a project for each service and the one that apps report their starts to."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from rehearsal.emulators.declaration import Declaration, Surroundings
from rehearsal.emulators.sentry.app import Sentry

_SECRET = "SENTRY_READ_TOKEN"


def _build(around: Surroundings) -> Sentry:
    starts = _starts(around.manifest)
    host = urlsplit(starts.get("url", "")).hostname
    return Sentry(
        organization=starts.get("organization") or _owner(around.manifest),
        projects=dict.fromkeys(_projects(around.manifest)),
        tokens={around.secrets[_SECRET]: ("org:read",)},
        hosts=(host,) if host else (),
    )


def _secrets() -> dict[str, str]:
    return {_SECRET: f"sentry-{secrets.token_hex(16)}"}


def _used(manifest: Mapping[str, Any]) -> bool:
    return bool(_starts(manifest))


def _starts(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (manifest.get("performance") or {}).get("app_starts") or {}
    return found


def _owner(manifest: Mapping[str, Any]) -> str:
    return str((manifest.get("platform") or {}).get("repository", "techmate")).partition("/")[0]


def _projects(manifest: Mapping[str, Any]) -> Iterator[str]:
    for settings in (manifest.get("environments") or {}).values():
        for component, target in settings.items():
            if isinstance(target, dict) and target.get("provider") == "cloud-run":
                yield component
    if starts := _starts(manifest):
        yield str(starts["project"])


EMULATOR = Declaration(name=Sentry.name, build=_build, secrets=_secrets, used=_used)
