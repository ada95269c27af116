"""What the platform needs of its providers: projects, accounts, domains, secrets. Read from shipmate.yml as plain YAML.

The rehearsal shares no code with the suite, so it does not use the suite's manifest types; it takes the few names it provisions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml


@dataclass(frozen=True, kw_only=True)
class Service:
    """A Cloud Run service of one environment."""

    environment: str
    component: str
    project: str
    region: str
    name: str
    host: str
    account: str
    secrets: tuple[str, ...]
    """Names in Secret Manager."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """A Vercel project of one environment."""

    environment: str
    component: str
    team: str
    project: str
    host: str


@dataclass(frozen=True, kw_only=True)
class Definition:
    """The platform, as its providers must know it."""

    repository: str
    environments: tuple[str, ...]
    services: tuple[Service, ...]
    sites: tuple[Site, ...]
    deployers: Mapping[str, tuple[str, str]]
    """Environment -> (workload identity provider, service account)."""
    github_environments: Mapping[str, str]
    """Environment -> the GitHub environment of the jobs that deploy there."""
    approvals: tuple[tuple[str, tuple[str, ...]], ...]
    """GitHub environments whose reviewers are asked, with these."""
    proofs: Mapping[str, str]
    """Environment -> the one where its releases are proved first, whose services its deployer may look at."""
    base_images: tuple[str, ...]
    image_repositories: tuple[str, ...]
    mail_server: str | None
    checks: tuple[str, ...]
    """What the jobs of CI are called that run the checks, as people see them."""

    def hosts(self) -> dict[str, dict[str, str]]:
        """Environment -> component -> public host name."""
        found: dict[str, dict[str, str]] = {}
        parts: tuple[Service | Site, ...] = (*self.services, *self.sites)
        for part in parts:
            found.setdefault(part.environment, {})[part.component] = part.host
        return found


def read(file: Path) -> Definition:
    """The definition in a manifest. Raises KeyError or yaml.YAMLError for one the suite would refuse too."""
    raw: dict[str, Any] = yaml.safe_load(file.read_text())
    environments: dict[str, Any] = raw["environments"]
    images = [component["image"] for component in raw["components"].values() if "image" in component]
    builds = [component["build"] for component in raw["components"].values() if "build" in component]
    return Definition(
        repository=raw["platform"]["repository"],
        environments=tuple(environments),
        services=tuple(_services(environments)),
        sites=tuple(_sites(environments)),
        deployers={
            name: (settings["deployer"]["workload_identity"], settings["deployer"]["service_account"])
            for name, settings in environments.items()
            if "deployer" in settings
        },
        github_environments={name: settings.get("github_environment", name) for name, settings in environments.items()},
        approvals=tuple(
            (approval[key], tuple(approval.get(reviewers, ())))
            for settings in environments.values()
            for key, reviewers in (("environment", "by"), ("break_glass_environment", "break_glass"))
            if key in (approval := settings.get("approval", {}))
        ),
        proofs={name: settings["proved_by"] for name, settings in environments.items() if "proved_by" in settings},
        base_images=tuple(image["base"] for image in images if "base" in image),
        image_repositories=tuple(item["repository"] for item in (*images, *builds)),
        mail_server=(raw.get("alerts", {}).get("email") or {}).get("server"),
        checks=tuple(_titles(raw.get("ci", {}).get("checks", {}))),
    )


def _titles(checks: Mapping[str, Any]) -> Iterator[str]:
    for name, check in checks.items():
        title = check.get("title") or name
        yield from (f"{title} (Python {python})" for python in check.get("pythons", ()))
        if not check.get("pythons"):
            yield title


def _targets(environments: Mapping[str, Any], provider: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, settings in environments.items():
        for component, target in settings.items():
            if isinstance(target, dict) and target.get("provider") == provider:
                yield name, component, target


def _services(environments: Mapping[str, Any]) -> Iterator[Service]:
    for name, component, target in _targets(environments, "cloud-run"):
        references = [
            *target.get("secrets", {}).values(),
            *([target["database_secret"]] if "database_secret" in target else []),
        ]
        yield Service(
            environment=name,
            component=component,
            project=target["project"],
            region=target["region"],
            name=target["service"],
            host=str(urlsplit(target["url"]).hostname),
            account=target["service_account"],
            secrets=tuple(dict.fromkeys(reference.partition("@")[0] for reference in references)),
        )


def _sites(environments: Mapping[str, Any]) -> Iterator[Site]:
    for name, component, target in _targets(environments, "vercel"):
        host = str(urlsplit(target["url"]).hostname)
        yield Site(environment=name, component=component, team=target["team"], project=target["project"], host=host)
