"""Cloud Run in a world: nothing runs before the platform is delivered."""

from __future__ import annotations

from rehearsal.emulators.capabilities import (
    ALLOWS,
    AUTHORISE,
    CPU_LIMIT,
    DATABASE_SERVER,
    IMAGE_REPOSITORIES,
    READ_SECRET,
    SERVICE_FRONT,
)
from rehearsal.emulators.cloud_run.app import CloudRun
from rehearsal.emulators.cloud_run.images import WorldRegistry
from rehearsal.emulators.declaration import Declaration, WorldContext


def _build(context: WorldContext) -> CloudRun:
    return CloudRun(
        context.root,
        WorldRegistry(context.need(IMAGE_REPOSITORIES), context.definition.registry_hosts),
        read_secret=context.need(READ_SECRET),
        authorise=context.need(AUTHORISE),
        allows=context.need(ALLOWS),
        cpu_limit=context.need(CPU_LIMIT),
        database_server=context.need(DATABASE_SERVER),
        process_env=context.process_environment,
        time_scale=1.0,  # of probes: a busy laptop starts processes no faster than Cloud Run
    )


EMULATOR = Declaration(
    name=CloudRun.name,
    build=_build,
    needs=(ALLOWS, AUTHORISE, CPU_LIMIT, DATABASE_SERVER, READ_SECRET, IMAGE_REPOSITORIES),
    offers={SERVICE_FRONT: lambda run, context: run.front},
)
