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

_SECRET, _PERSONAL = "SENTRY_READ_TOKEN", "SENTRY_AUTH_TOKEN"


def _build(context: WorldContext) -> Sentry:
    reports = _reports(context.manifest)
    hosts = [urlsplit(each.get("url", "")).hostname for each in (reports, _sessions(context.manifest))]
    return Sentry(
        organization=reports.get("organization") or _owner(context.manifest),
        projects=dict.fromkeys(_projects(context.manifest)),
        tokens={context.secrets[_SECRET]: ("org:read",), context.secrets[_PERSONAL]: ("org:ci",)},
        hosts=[host for host in hosts if host],
    )


def _error_reports(sentry: Sentry, context: WorldContext) -> Callable[[str], str]:
    return lambda component: sentry.dsn(component, context.address)


def _secrets() -> dict[str, str]:
    return {_SECRET: f"sentry-{secrets.token_hex(16)}"}


def _personal() -> dict[str, str]:
    """A token of the organization: it announces releases, and reads nothing."""
    return {_PERSONAL: f"sentry-{secrets.token_hex(16)}"}


def _used(definition: Definition) -> bool:
    return bool(_reports(definition.manifest))


def _environments(definition: Definition) -> tuple[str, ...]:
    """Starts are measured where the platform is deployed; how the apps do is read where they are promoted."""
    measured = deploying(definition) if _starts(definition.manifest) else ()
    return (*measured, promoting(definition.manifest))


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
    name=Sentry.name,
    build=_build,
    offers={ERROR_REPORTS: _error_reports},
    secrets=_secrets,
    personal=_personal,
    used=_used,
    environments=_environments,
)
