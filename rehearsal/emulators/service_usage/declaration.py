"""Service Usage in a world: the APIs that docs/DEPLOYMENT.md has enabled once, and a quota of CPU as an established project has it."""

from __future__ import annotations

from rehearsal.definition import Definition
from rehearsal.emulators.capabilities import AUTHORISE, CPU_LIMIT
from rehearsal.emulators.declaration import Declaration, WorldContext
from rehearsal.emulators.service_usage.app import ServiceUsage

GRANTED_CPU = 200_000
"""Milli vCPU of Cloud Run in a region."""
_COMMON = ("cloudresourcemanager", "iam", "iamcredentials", "serviceusage", "sts")
_OF_SERVICES = ("artifactregistry", "run", "secretmanager")


def enabled(definition: Definition) -> dict[str, tuple[str, ...]]:
    """Project -> APIs that are enabled there."""
    found: dict[str, tuple[str, ...]] = {service.project: (*_COMMON, *_OF_SERVICES) for service in definition.services}
    for instance in (each for service in definition.services for each in service.cloud_sql):
        project = instance.rsplit(":", 2)[0]
        found[project] = (*found.get(project, _COMMON), "sqladmin")
    for repository in definition.image_repositories:
        found.setdefault(repository.split("/")[1], (*_COMMON, "artifactregistry"))
    apps = definition.apps
    if apps is not None and apps.deployer is not None:
        project = apps.deployer[1].partition("@")[2].partition(".")[0]
        found[project] = (*found.get(project, _COMMON), "androidpublisher", "playdeveloperreporting")
    return {project: tuple(f"{name}.googleapis.com" for name in names) for project, names in found.items()}


def _seed(emulator: ServiceUsage, context: WorldContext) -> None:
    for project, services in enabled(context.definition).items():
        emulator.usage.enable(project, *services)
    for service in context.definition.services:
        emulator.usage.grant_cpu(service.project, service.region, GRANTED_CPU)


EMULATOR = Declaration(
    name=ServiceUsage.name,
    build=lambda context: ServiceUsage(authorise=context.need(AUTHORISE)),
    needs=(AUTHORISE,),
    offers={CPU_LIMIT: lambda emulator, context: emulator.cpu_limit},
    seed=_seed,
)
