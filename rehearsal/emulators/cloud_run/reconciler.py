"""Makes true what a service asks for, one generation after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from rehearsal.emulators.cloud_run.fleet import StartFailed
from rehearsal.emulators.cloud_run.fleets import Fleets
from rehearsal.emulators.cloud_run.resources import (
    FAILED,
    READY,
    RECONCILING,
    SUCCEEDED,
    Condition,
    Revision,
    Service,
    Target,
    resolved,
)
from rehearsal.emulators.google.errors import GoogleError

_CHECKED = ("ContainerHealthy", "ContainerReady", "ResourcesAvailable", "MinInstancesProvisioned")
_CONFIGURATIONS, _ROUTES = "ConfigurationsReady", "RoutesReady"
_ACTIVE = "Active"


@dataclass(kw_only=True)
class AfterFailure:
    """What is known to differ at Cloud Run once a revision has failed; both forms are seen."""

    observes: bool = True
    """Whether `observedGeneration` moves on to a generation that failed, or stays at the one that serves, as the discovery document
    describes it ("the generation of this Service currently serving traffic")."""
    routes_with_error: bool = False
    """Whether a change of the traffic alone ends in the error of the latest revision although the traffic moved."""


class Reconciler:
    """The control plane's worker."""

    def __init__(self, fleets: Fleets, clock: Callable[[], float], after_failure: AfterFailure) -> None:
        self._fleets = fleets
        self._after_failure = after_failure
        self._clock = clock
        self._turns: dict[str, asyncio.Lock] = {}

    async def reconcile(self, service: Service, generation: int, created: Revision | None) -> None:
        """Bring up the revision this generation created, then route. Raises GoogleError FAILED_PRECONDITION.

        Whatever fails, the traffic in effect stays what it was. A generation that a later one has overtaken leaves the
        routing to it.
        """
        async with self._turns.setdefault(str(service.name), asyncio.Lock()):
            asked = service.spec["traffic"] if service.generation == generation else None
            try:
                if created is not None:
                    await self._bring_up(service, created)
                if asked is not None:
                    await self._route(service, resolved(asked, service.latest_ready))
                    self._repeat_failure(service)
                service.observed = max(service.observed, generation)
            except StartFailed as failed:
                if self._after_failure.observes:
                    service.observed = max(service.observed, generation)
                self._give_up(service, failed, configuration=created is not None and created.failed is not None)
                raise GoogleError("FAILED_PRECONDITION", failed.message) from failed
            finally:
                service.worked = max(service.worked, generation)
            if not service.reconciling:
                service.set(*(self._condition(kind, SUCCEEDED) for kind in (READY, _CONFIGURATIONS, _ROUTES)))

    def begin(self, service: Service) -> None:
        """Mark that work is to be done."""
        service.set(*(self._condition(kind, RECONCILING) for kind in (READY, _CONFIGURATIONS, _ROUTES)))

    def deployed(self, revision: Revision) -> None:
        """Mark that a new revision is to be checked."""
        revision.set(*(self._condition(kind, RECONCILING) for kind in (READY, *_CHECKED)))

    async def _bring_up(self, service: Service, revision: Revision) -> None:
        try:
            await self._fleets.start(revision, least=least_instances(service, revision))
        except StartFailed as failed:
            named = f"Revision '{revision.name}' is not ready and cannot serve traffic. {failed.message}"
            where = "ContainerReady" if failed.reason.startswith("CONTAINER_") else "ContainerHealthy"
            revision.set(*(self._failed(kind, named, failed) for kind in (READY, where)))
            raise StartFailed(failed.reason, named, reason_field=failed.reason_field) from failed
        revision.set(*(self._condition(kind, SUCCEEDED) for kind in (READY, *_CHECKED)))
        self._activate(revision)
        service.latest_ready = revision.name

    async def _route(self, service: Service, targets: tuple[Target, ...]) -> None:
        """Start what is to be reached, switch, retire the rest."""
        wanted = {target.revision for target in targets if target.percent or target.tag}
        for name in sorted(wanted):
            await self._reachable(service, name)
        if targets != service.targets:
            service.route(targets, self._clock())
        for revision in service.revisions.values():
            if revision.name not in wanted and self._fleets.running(revision):
                self._deactivate(revision)

    def _repeat_failure(self, service: Service) -> None:
        latest = service.revisions.get(service.latest_created)
        if self._after_failure.routes_with_error and latest is not None and latest.failed is not None:
            raise StartFailed("REVISION_FAILED", latest.failed.message)

    async def _reachable(self, service: Service, name: str) -> None:
        revision = service.revisions.get(name)
        if revision is None:
            raise StartFailed("REVISION_FAILED", f"There is no ready revision '{name}' to send traffic to.")
        if revision.failed is not None:
            raise StartFailed("REVISION_FAILED", revision.failed.message)
        await self._fleets.start(revision, least=least_instances(service, revision))
        self._activate(revision)

    def _activate(self, revision: Revision) -> None:
        if not revision.active:
            revision.active = True
            revision.set(self._condition(_ACTIVE, SUCCEEDED))

    def _deactivate(self, revision: Revision) -> None:
        revision.active = False
        revision.set(
            Condition(
                type=_ACTIVE,
                state=FAILED,
                changed=self._clock(),
                message="Revision retired.",
                reason="RETIRED",
                reason_field="revisionReason",
                severity="INFO",
            )
        )
        self._fleets.retire(revision)

    def _give_up(self, service: Service, failed: StartFailed, *, configuration: bool) -> None:
        part, other = (_CONFIGURATIONS, _ROUTES) if configuration else (_ROUTES, _CONFIGURATIONS)
        service.set(
            *(self._failed(kind, failed.message, failed) for kind in (READY, part)),
            self._condition(other, SUCCEEDED),
        )

    def _condition(self, kind: str, state: str) -> Condition:
        return Condition(type=kind, state=state, changed=self._clock())

    def _failed(self, kind: str, message: str, failed: StartFailed) -> Condition:
        return Condition(
            type=kind,
            state=FAILED,
            changed=self._clock(),
            message=message,
            reason=failed.reason,
            reason_field=failed.reason_field,
            severity="ERROR",
        )


def least_instances(service: Service, revision: Revision) -> int:
    """What keeps idle: the revision's own minimum, or the whole service's when that is more."""
    own = revision.template.get("scaling", {}).get("minInstanceCount", 0)
    return max(int(own), int(service.spec.get("scaling", {}).get("minInstanceCount", 0)))
