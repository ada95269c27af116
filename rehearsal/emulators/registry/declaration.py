"""The registries of a world: the platform's own at Artifact Registry, and the public one that its base images come from."""

from __future__ import annotations

from typing import Any

from rehearsal.base_image import PYTHON
from rehearsal.emulators.capabilities import AUTHORISE, GOOGLE_TOKENS, IMAGE_REPOSITORIES
from rehearsal.emulators.declaration import Declaration, WorldContext
from rehearsal.emulators.google_auth.seeding import repositories
from rehearsal.emulators.registry.app import ArtifactRegistry, Registry
from rehearsal.emulators.registry.base import seed_base
from rehearsal.emulators.registry.docker_hub import DockerHub

_BASE = "library/python"


def _build(context: WorldContext) -> Registry:
    return Registry(context.root, authorise=context.need(AUTHORISE), hosts=context.definition.registry_hosts)


def _base_images(hub: DockerHub, context: WorldContext) -> dict[str, Any]:
    """The stand-in that is pulled for each base image of the platform."""
    digest, _, _ = hub.repositories.manifest(_BASE, PYTHON)
    return {"images": dict.fromkeys(context.definition.base_images, f"docker.io/{_BASE}@{digest}")}


def _seed_base(hub: DockerHub, _context: WorldContext) -> None:
    seed_base(hub.repositories, _BASE, PYTHON)


def _build_api(context: WorldContext) -> ArtifactRegistry:
    return ArtifactRegistry(context.need(GOOGLE_TOKENS).iam_policy, authorise=context.need(AUTHORISE))


def _seed_repositories(api: ArtifactRegistry, context: WorldContext) -> None:
    api.repositories.update(repositories(context.definition))


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
ARTIFACT_REGISTRY = Declaration(
    name=ArtifactRegistry.name, build=_build_api, needs=(GOOGLE_TOKENS, AUTHORISE), seed=_seed_repositories
)
