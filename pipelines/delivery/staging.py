"""The whole way of a deployment that nobody approves, in one process; the staging workflow walks it in jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelines.delivery import deployment
from pipelines.delivery.assembly import candidate_of
from pipelines.delivery.migrations import due as migrations
from pipelines.delivery.resolve import references_of
from pipelines.delivery.run import Done
from pipelines.errors import InputError

if TYPE_CHECKING:
    from pipelines.delivery.context import Delivery


def deploy(delivery: Delivery, release: str, artifacts: Mapping[str, str]) -> list[Done]:
    """Migrate, stage, shift, prove, settle. Every step reads the real state first, so a killed run is finished by the next."""
    candidate = candidate_of(delivery, version=release, plan="", artifacts=artifacts)
    deployment.begin(delivery, candidate)
    for component in candidate.artifacts:
        delivery.runtime.say(
            f"{component}: {migrations.apply(delivery, component, phase=migrations.DUE, release=release)}"
        )
    done = [step for component in candidate.artifacts for step in deployment.stage(delivery, candidate, component)]
    done += deployment.shift(delivery, candidate)
    return done + deployment.settle(delivery, candidate, deployment.prove(delivery, candidate))


def references(delivery: Delivery, given: Mapping[str, str], source: str | None) -> dict[str, str]:
    """The artifacts to deploy: those given, over those live in `source`. Raises InputError when one is missing."""
    found: dict[str, str] = {}
    if source is not None:
        live = delivery.ledger.artifacts(source)
        if not live:
            raise InputError(
                f"the ledger knows of nothing live in {source}",
                where="--from-ledger",
                next_step="name an environment something was released to, or pass --artifact component=host/path@sha256:…",
            )
        found = references_of(delivery.manifest, live)
    found.update(given)
    missing = [name for name in delivery.settings.targets if name not in found]
    if missing:
        raise InputError(
            f"no artifact for {', '.join(missing)}",
            where="shipmate deploy",
            next_step="pass --artifact component=host/path@sha256:…",
        )
    return found
