"""The registries of a world: the platform's own at Artifact Registry, and the public one that its base images come from."""

from __future__ import annotations

from typing import Any

from rehearsal.base_image import PYTHON
from rehearsal.emulators.capabilities import AUTHORISE, IMAGE_REPOSITORIES
from rehearsal.emulators.declaration import Declaration, WorldContext
from rehearsal.emulators.registry.app import DockerHub, Registry
from rehearsal.emulators.registry.base import seed_base

_BASE = "library/python"


def _build(context: WorldContext) -> Registry:
    return Registry(context.root, authorise=context.need(AUTHORISE), hosts=context.definition.registry_hosts)


def _base_images(hub: DockerHub, context: WorldContext) -> dict[str, Any]:
    """The stand-in that is pulled for each base image of the platform."""
    digest, _, _ = hub.repositories.manifest(_BASE, PYTHON)
    return {"images": dict.fromkeys(context.definition.base_images, f"docker.io/{_BASE}@{digest}")}


def _seed_base(hub: DockerHub, _context: WorldContext) -> None:
    seed_base(hub.repositories, _BASE, PYTHON)


EMULATOR = Declaration(
    name=Registry.name,
    build=_build,
    needs=(AUTHORISE,),
    offers={IMAGE_REPOSITORIES: lambda registry, context: registry.repositories},
    files_in_snapshot=True,
)
DOCKER_HUB = Declaration(
    name=DockerHub.name,
    build=lambda context: DockerHub(context.root),
    seed=_seed_base,
    overlay=_base_images,
    in_snapshot=False,
)
