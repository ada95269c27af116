"""Resource Manager in a world: the projects that the platform's manifest names, without an organisation above them."""

from __future__ import annotations

from rehearsal.emulators.capabilities import AUTHORISE, GOOGLE_TOKENS
from rehearsal.emulators.declaration import Declaration, WorldContext
from rehearsal.emulators.resource_manager.app import ResourceManager


def _build(context: WorldContext) -> ResourceManager:
    return ResourceManager(context.need(GOOGLE_TOKENS).iam_policy, authorise=context.need(AUTHORISE))


def _seed(emulator: ResourceManager, context: WorldContext) -> None:
    definition = context.definition
    registries = [repository.split("/")[1] for repository in definition.image_repositories]
    for project in dict.fromkeys([*(service.project for service in definition.services), *registries]):
        emulator.hierarchy.add(project)


EMULATOR = Declaration(
    name=ResourceManager.name,
    build=_build,
    needs=(GOOGLE_TOKENS, AUTHORISE),
    seed=_seed,
)
