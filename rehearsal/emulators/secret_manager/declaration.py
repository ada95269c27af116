"""Secret Manager in a world: the secrets that the platform's services read when they start."""

from __future__ import annotations

from rehearsal.emulators.capabilities import (
    ALLOWS,
    AUTHORISE,
    CACHE_URL,
    DATABASE_URL,
    ERROR_REPORTS,
    GOOGLE_TOKENS,
    READ_SECRET,
)
from rehearsal.emulators.declaration import Declaration, WorldContext
from rehearsal.emulators.secret_manager.app import SecretManager
from rehearsal.emulators.secret_manager.seeding import secret_values


def _build(context: WorldContext) -> SecretManager:
    return SecretManager(
        authorise=context.need(AUTHORISE),
        allows=context.need(ALLOWS),
        iam_policy=context.need(GOOGLE_TOKENS).iam_policy,
    )


def _seed(manager: SecretManager, context: WorldContext) -> None:
    values = secret_values(
        context.definition,
        database=context.need(DATABASE_URL),
        cache=context.need(CACHE_URL),
        error_reports=context.need(ERROR_REPORTS),
    )
    for (project, name), value in values.items():
        manager.secrets.put(project, name, value.encode())


EMULATOR = Declaration(
    name=SecretManager.name,
    build=_build,
    needs=(AUTHORISE, ALLOWS, GOOGLE_TOKENS, DATABASE_URL, CACHE_URL, ERROR_REPORTS),
    offers={READ_SECRET: lambda manager, context: manager.read},
    seed=_seed,
    in_snapshot=False,
)
"""Each world has its own databases, so a snapshot keeps no secret."""
