"""Sentry in a world: the platform's organization, with a project for each service and the one that apps report their starts to."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from rehearsal.emulators.declaration import Declaration, Surroundings
from rehearsal.emulators.sentry.app import Sentry
from rehearsal.mobile_apps import promoting

_SECRET, _PERSONAL = "SENTRY_READ_TOKEN", "SENTRY_AUTH_TOKEN"


def _build(around: Surroundings) -> Sentry:
    reports = _reports(around.manifest)
    hosts = [urlsplit(each.get("url", "")).hostname for each in (reports, _sessions(around.manifest))]
    return Sentry(
        organization=reports.get("organization") or _owner(around.manifest),
        projects=dict.fromkeys(_projects(around.manifest)),
        tokens={around.secrets[_SECRET]: ("org:read",), around.secrets[_PERSONAL]: ("org:ci",)},
        hosts=[host for host in hosts if host],
    )


def _secrets() -> dict[str, str]:
    return {_SECRET: f"sentry-{secrets.token_hex(16)}"}


def _personal() -> dict[str, str]:
    """A token of the organization: it announces releases, and reads nothing."""
    return {_PERSONAL: f"sentry-{secrets.token_hex(16)}"}


def _used(manifest: Mapping[str, Any]) -> bool:
    return bool(_reports(manifest))


def _environments(manifest: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Starts are measured where the platform is deployed; how the apps do is read where they are promoted."""
    return None if _starts(manifest) else (promoting(manifest),)


def _reports(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where the apps report: the organization of both sections is one."""
    return _starts(manifest) or _sessions(manifest)


def _starts(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (manifest.get("performance") or {}).get("app_starts") or {}
    return found


def _sessions(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (manifest.get("mobile") or {}).get("reports") or {}
    return found


def _owner(manifest: Mapping[str, Any]) -> str:
    return str((manifest.get("platform") or {}).get("repository", "techmate")).partition("/")[0]


def _projects(manifest: Mapping[str, Any]) -> Iterator[str]:
    for settings in (manifest.get("environments") or {}).values():
        for component, target in settings.items():
            if isinstance(target, dict) and target.get("provider") == "cloud-run":
                yield component
    for reports in (_starts(manifest), _sessions(manifest)):
        if reports:
            yield str(reports["project"])


EMULATOR = Declaration(
    name=Sentry.name, build=_build, secrets=_secrets, personal=_personal, used=_used, environments=_environments
)
