"""What the platform needs of its providers: projects, accounts, domains, secrets. Read from shipmate.yml as plain YAML.

The rehearsal shares no code with the suite, so it does not use the suite's manifest types; it takes the few names it provisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from rehearsal import mobile_apps
from rehearsal.mobile_apps import Apps

DEFAULT_TAG = "v{version}"


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
    database_secret: str = ""
    """Which of them is the address that migrations run against."""
    run_secrets: tuple[str, ...] = ()
    """Those that its instances read, or a job that migrates."""
    read_secrets: tuple[str, ...] = ()
    """Those that its deployer reads."""
    cloud_sql: tuple[str, ...] = ()
    """Cloud SQL instances, as project:region:name, whose sockets it has."""
    migrates_by_job: bool = False


@dataclass(frozen=True, kw_only=True)
class Site:
    """A Vercel project of one environment."""

    environment: str
    component: str
    team: str
    project: str
    host: str


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A GitHub environment whose reviewers are asked."""

    environment: str
    reviewers: tuple[str, ...]
    alone: bool = False
    """Whether one who started the run may let it through: on call, to break the glass."""


@dataclass(frozen=True, kw_only=True)
class Definition:
    """The platform, as its providers must know it."""

    manifest: Mapping[str, Any]
    """As YAML reads it, for what a single emulator takes from it."""
    repository: str
    environments: tuple[str, ...]
    services: tuple[Service, ...]
    sites: tuple[Site, ...]
    deployers: Mapping[str, tuple[str, str]]
    """Environment -> (workload identity provider, service account)."""
    github_environments: Mapping[str, str]
    """Environment -> the GitHub environment of the jobs that deploy there."""
    approvals: tuple[Approval, ...]
    """GitHub environments whose reviewers are asked."""
    proved_by: Mapping[str, str]
    """Environment -> the one where its releases are proved first, whose services its deployer may look at."""
    base_images: tuple[str, ...]
    image_repositories: tuple[str, ...]
    tags: tuple[str, ...]
    """Patterns of the tags of releases."""
    apps: Apps | None
    """Of the stores."""
    mail_server: str | None
    releases: Mapping[str, Mapping[str, tuple[str, str]]]
    """Environment -> component -> (path, dotted key of its JSON) at which it says which release it is."""
    checks: tuple[str, ...]
    """What the jobs of CI are called that run the checks, as people see them."""

    def hosts(self) -> dict[str, dict[str, str]]:
        """Environment -> component -> public host name."""
        found: dict[str, dict[str, str]] = {}
        parts: tuple[Service | Site, ...] = (*self.services, *self.sites)
        for part in parts:
            found.setdefault(part.environment, {})[part.component] = part.host
        return found

    @property
    def public_hosts(self) -> tuple[str, ...]:
        """Every public host name, once."""
        return tuple(dict.fromkeys(host for hosts in self.hosts().values() for host in hosts.values()))

    @property
    def registry_hosts(self) -> tuple[str, ...]:
        """Hosts of the registries that images and builds are kept in."""
        return tuple(dict.fromkeys(repository.partition("/")[0] for repository in self.image_repositories))

    @property
    def team(self) -> str:
        """The one team at Vercel; the repository's owner where there is no site."""
        return next((site.team for site in self.sites), self.repository.partition("/")[0])


def read(file: Path) -> Definition:
    """The definition in a manifest. Raises yaml.YAMLError, OSError and what `of` raises."""
    return of(yaml.safe_load(file.read_text()))


def of(raw: Mapping[str, Any]) -> Definition:
    """The definition in a manifest as YAML reads it. Raises KeyError for one the suite would refuse too, ValueError for one that no world
    can hold."""
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
        approvals=tuple(_approvals(environments)),
        proved_by={name: settings["proved_by"] for name, settings in environments.items() if "proved_by" in settings},
        base_images=tuple(image["base"] for image in images if "base" in image),
        image_repositories=tuple(item["repository"] for item in (*images, *builds)),
        releases={name: _releases(settings) for name, settings in environments.items()},
        tags=tuple(_tags(raw.get("release", {}).get("components", {}))),
        manifest=raw,
        apps=mobile_apps.read(raw),
        mail_server=(raw.get("alerts", {}).get("email") or {}).get("server"),
        checks=tuple(_titles(raw.get("ci", {}).get("checks", {}))),
    )


def _approvals(environments: Mapping[str, Any]) -> Iterator[Approval]:
    for settings in environments.values():
        approval = settings.get("approval", {})
        if "environment" in approval:
            yield Approval(environment=approval["environment"], reviewers=tuple(approval.get("by", ())))
        if "break_glass_environment" in approval:
            reviewers = tuple(approval.get("break_glass", ()))
            yield Approval(environment=approval["break_glass_environment"], reviewers=reviewers, alone=True)


def _tags(components: Mapping[str, Any]) -> Iterator[str]:
    formats = [str(component.get("tag_format", DEFAULT_TAG)) for component in components.values()] or [DEFAULT_TAG]
    yield from (each.replace("{version}", "*") for each in formats)


def _titles(checks: Mapping[str, Any]) -> Iterator[str]:
    """Without those that a rehearsal leaves out: they passed nowhere in it."""
    for name, check in checks.items():
        if check.get("not_rehearsed"):
            continue
        title = check.get("title") or name
        yield from (f"{title} (Python {python})" for python in check.get("pythons", ()))
        if not check.get("pythons"):
            yield title


def _releases(settings: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """From the smoke checks that ask for it, in the order of the targets; a site's is in its config.json, where deployments write it."""
    found = {
        check["component"]: (check.get("path", "/"), key)
        for check in settings.get("smoke", ())
        for key, value in check.get("json", {}).items()
        if value == "{release}"
    }
    places: dict[str, tuple[str, str]] = {}
    for component, target in settings.items():
        if component in found:
            places[component] = found[component]
        elif isinstance(target, dict) and target.get("provider") == "vercel":
            places[component] = ("/config.json", "release")
    return places


def _targets(environments: Mapping[str, Any], provider: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, settings in environments.items():
        for component, target in settings.items():
            if isinstance(target, dict) and target.get("provider") == provider:
                yield name, component, target


_READ_BY_DEPLOYERS = ("database_secret", "probe_secret", "database_read_secret", "database_copy_secret")


_READ_BY_JOBS = ("database_secret", "database_read_secret")
"""Where a job migrates it reads these as the account of the service, and no deployer needs them."""


def _names(references: Iterable[str]) -> tuple[str, ...]:
    """Of `name@version`, each once."""
    return tuple(dict.fromkeys(reference.partition("@")[0] for reference in references))


def _services(environments: Mapping[str, Any]) -> Iterator[Service]:
    for name, component, target in _targets(environments, "cloud-run"):
        run = _names(target.get("secrets", {}).values())
        by_job = _READ_BY_JOBS if target.get("migrate_by") == "job" else ()
        run = tuple(dict.fromkeys((*run, *_names(target[key] for key in by_job if key in target))))
        read = _names(target[key] for key in _READ_BY_DEPLOYERS if key in target and key not in by_job)
        yield Service(
            environment=name,
            component=component,
            project=target["project"],
            region=target["region"],
            name=target["service"],
            host=str(urlsplit(target["url"]).hostname),
            account=target["service_account"],
            secrets=tuple(dict.fromkeys((*run, *read))),
            database_secret=target.get("database_secret", "").partition("@")[0],
            run_secrets=run,
            read_secrets=read,
            cloud_sql=tuple(target.get("cloud_sql") or ()),
            migrates_by_job=bool(by_job),
        )


def _sites(environments: Mapping[str, Any]) -> Iterator[Site]:
    teams = list(dict.fromkeys(target["team"] for _, _, target in _targets(environments, "vercel")))
    if len(teams) > 1:
        raise ValueError(f"its sites belong to several teams at Vercel ({', '.join(teams)}), and a world has one")
    for name, component, target in _targets(environments, "vercel"):
        host = str(urlsplit(target["url"]).hostname)
        yield Site(environment=name, component=component, team=target["team"], project=target["project"], host=host)
