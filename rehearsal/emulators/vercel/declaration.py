"""Vercel in a world: the platform's team with its projects, and one token that may deploy."""

from __future__ import annotations

import secrets

from rehearsal.definition import Definition
from rehearsal.emulators.capabilities import SITES
from rehearsal.emulators.declaration import Declaration, WorldContext
from rehearsal.emulators.vercel.app import Vercel

_TOKEN, _BYPASS = "VERCEL_TOKEN", "VERCEL_BYPASS"


def _build(context: WorldContext) -> Vercel:
    wanted = context.definition
    return Vercel(
        tokens={context.secrets[_TOKEN]: "deployer"},
        bypass=(context.secrets[_BYPASS],),
        team=wanted.team,
        projects={site.project: (site.host,) for site in wanted.sites},
    )


def _secrets() -> dict[str, str]:
    return {_TOKEN: f"vercel-{secrets.token_hex(12)}", _BYPASS: secrets.token_hex(16)}


def _used(definition: Definition) -> bool:
    return bool(definition.sites)


EMULATOR = Declaration(
    name=Vercel.name,
    build=_build,
    offers={SITES: lambda vercel, context: vercel.serve},
    secrets=_secrets,
    used=_used,
)
