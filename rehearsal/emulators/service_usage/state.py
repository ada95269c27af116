"""Enabled APIs and quotas of projects, without HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rehearsal.emulators import saving
from rehearsal.emulators.google.access import project_number
from rehearsal.emulators.google.errors import GoogleError

CATALOG = frozenset(
    f"{name}.googleapis.com"
    for name in (
        "androidpublisher", "artifactregistry", "cloudresourcemanager", "compute", "iam", "iamcredentials", "logging", "monitoring",
        "playdeveloperreporting", "run", "secretmanager", "serviceusage", "sqladmin", "storage", "sts",
    )
)  # fmt: skip
"""Services that a project may enable here; the real list has thousands."""
FRESH_CPU = 20_000
"""Milli vCPU of Cloud Run that a new project may allocate in a region."""
UNLIMITED = -1


@dataclass(kw_only=True)
class Project:
    """What one project may use. `cpu`: region -> milli vCPU that were granted in place of `FRESH_CPU`."""

    project: str
    enabled: set[str] = field(default_factory=set)
    cpu: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As the service writes it: by number, whatever it was asked by."""
        return f"projects/{project_number(self.project)}"

    def cpu_limit(self, region: str) -> int:
        """Milli vCPU of Cloud Run in a region; `UNLIMITED` for no limit."""
        return self.cpu.get(region, FRESH_CPU)


class Usage:
    """Every project that was set up."""

    def __init__(self) -> None:
        self._projects: dict[str, Project] = {}

    def project(self, id_or_number: str) -> Project:
        """A project, by its id or its number. Raises GoogleError PERMISSION_DENIED, as the service does for one it does not know."""
        for project in self._projects.values():
            if id_or_number in (project.project, project_number(project.project)):
                return project
        raise GoogleError("PERMISSION_DENIED", f"Project '{id_or_number}' not found or permission denied.")

    def id_of(self, id_or_number: str) -> str:
        """The id of a project; what is not known here stays as it is, for the code that decides about access."""
        known = (each.project for each in self._projects.values() if project_number(each.project) == id_or_number)
        return next(known, id_or_number)

    def enable(self, project: str, *services: str) -> None:
        """Let a project use services; the project is set up when it is new. Raises GoogleError for one that is not in the catalog."""
        for service in services:
            known(service)
        self._projects.setdefault(project, Project(project=project)).enabled.update(services)

    def disable(self, project: str, service: str) -> None:
        """Take one away. Raises GoogleError."""
        self.project(project).enabled.discard(known(service))

    def grant_cpu(self, project: str, region: str, milli: int) -> None:
        """Set the limit of Cloud Run's CPU in a region, in milli vCPU. Raises GoogleError."""
        self.project(project).cpu[region] = milli

    def clear(self) -> None:
        self._projects.clear()

    def save(self) -> dict[str, Any]:
        """JSON of every project."""
        return {"projects": [saving.to_json(each) for each in self._projects.values()]}

    def load(self, saved: dict[str, Any]) -> None:
        """Replace everything by a saved state."""
        found = [saving.from_json(Project, each) for each in saved["projects"]]
        self._projects = {each.project: each for each in found}


def known(service: str) -> str:
    """`service`. Raises GoogleError for one that is not in the catalog, in the service's words."""
    if service not in CATALOG:
        raise GoogleError("PERMISSION_DENIED", f"Not found or permission denied for service(s): {service}.")
    return service
