"""Sentry in a world: the platform's organization, with a project for each service and the one that apps report their starts to."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from rehearsal.definition import Definition
from rehearsal.emulators.capabilities import ERROR_REPORTS
from rehearsal.emulators.declaration import Declaration, WorldContext, deploying
from rehearsal.emulators.sentry.app import Sentry
from rehearsal.mobile_apps import promoting

_READING, _PUBLISHING = "SENTRY_READ_TOKEN", "SENTRY_AUTH_TOKEN"


def _build(context: WorldContext) -> Sentry:
    sources = list(_sources(context.manifest))
    hosts = [urlsplit(each.get("url", "")).hostname for each in sources]
    return Sentry(
        organization=str(sources[0]["organization"]) if sources else _owner(context.manifest),
        projects=dict.fromkeys(_projects(context.manifest)),
        tokens={context.secrets[_READING]: ("org:read",), context.secrets[_PUBLISHING]: ("org:ci",)},
        hosts=[host for host in hosts if host],
    )


def _error_reports(sentry: Sentry, context: WorldContext) -> Callable[[str], str]:
    return lambda component: sentry.dsn(component, context.address)


def _secrets() -> dict[str, str]:
    """One that reads, and one of the organization: it announces releases, brings source maps, and reads no report."""
    return {name: f"sentry-{secrets.token_hex(16)}" for name in (_READING, _PUBLISHING)}


def _used(definition: Definition) -> bool:
    return any(_sources(definition.manifest))


def _environments(definition: Definition) -> dict[str, tuple[str, ...]]:
    """Starts are measured where the platform is deployed, and source maps come from there; how the apps do is read where they are
    promoted. Releases of the apps are announced by people."""
    manifest, everywhere = definition.manifest, deploying(definition)
    measured = everywhere if _starts(manifest) else ()
    return {
        _READING: (*measured, promoting(manifest)) if _starts(manifest) or _sessions(manifest) else (),
        _PUBLISHING: everywhere if any(_trackers(manifest)) else (),
    }


def _sources(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Where the platform reports: the organization of all sections is one."""
    yield from (each for each in (_starts(manifest), _sessions(manifest), *_trackers(manifest)) if each)


def _trackers(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for component in (manifest.get("components") or {}).values():
        if component.get("error_tracker"):
            yield component["error_tracker"]


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
    yield from (str(each["project"]) for each in _sources(manifest))


EMULATOR = Declaration(
    name=Sentry.name,
    build=_build,
    offers={ERROR_REPORTS: _error_reports},
    secrets=_secrets,
    used=_used,
    environments=_environments,
)
