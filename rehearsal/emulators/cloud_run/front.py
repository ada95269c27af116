"""From a host name to an instance: what the edge asks for each request."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from rehearsal.emulators.cloud_run.fleet import NoInstance
from rehearsal.emulators.cloud_run.fleets import Fleets
from rehearsal.emulators.cloud_run.instance import Instance
from rehearsal.emulators.cloud_run.names import ServiceName
from rehearsal.emulators.cloud_run.reconciler import least_instances
from rehearsal.emulators.cloud_run.resources import Revision, Service, Target
from rehearsal.emulators.cloud_run.state import Services
from rehearsal.emulators.google.errors import GoogleError


@dataclass(frozen=True)
class Destination:
    """A service, or what one of its tags points at."""

    service: ServiceName
    tag: str = ""


@dataclass(kw_only=True)
class Lag:
    """Traffic changes are not instantaneous: for `seconds` after one, `share` of the requests goes where all went before."""

    seconds: float = 0.0
    share: float = 0.5


class Front:
    """Splits traffic by percent with `dice`; `wait` is how long a request is held for an instance, in seconds."""

    def __init__(
        self, services: Services, fleets: Fleets, *, dice: random.Random, wait: float, clock: Callable[[], float]
    ) -> None:
        self._services = services
        self._fleets = fleets
        self.wait = wait
        self.lag = Lag()
        self._dice = dice
        self._clock = clock

    def find(self, host: str) -> Destination | None:
        """The service or tag a run.app host names, or None."""
        for service in self._services.all():
            if host in (service.name.host(), service.name.numbered_host()):
                return Destination(service.name)
            for target in service.targets:
                if target.tag and service.name.host(target.tag) == host:
                    return Destination(service.name, target.tag)
        return None

    @contextlib.asynccontextmanager
    async def lease(self, destination: Destination) -> AsyncIterator[Instance]:
        """An instance for one request; it is not stopped before the request ends. Raises NoInstance."""
        service, revision = self._pick(destination)
        least = least_instances(service, revision)
        async with self._fleets.lease(revision, least=least, wait=self.wait) as instance:
            yield instance
        if revision.name not in service.wanted():
            self._fleets.retire(revision)  # it was started again for a request that came late

    def _pick(self, destination: Destination) -> tuple[Service, Revision]:
        try:
            service = self._services.get(destination.service)
        except GoogleError as error:
            raise NoInstance(error.message) from error
        name = self._tagged(service, destination.tag) if destination.tag else self._drawn(service)
        revision = service.revisions.get(name)
        if revision is None:
            raise NoInstance(f"{service.name} has no revision to answer with")
        return service, revision

    @staticmethod
    def _tagged(service: Service, tag: str) -> str:
        return next((target.revision for target in service.targets if target.tag == tag), "")

    def _drawn(self, service: Service) -> str:
        weighted = [target for target in self._in_effect(service) if target.percent]
        if not weighted:
            return ""
        return self._dice.choices(weighted, weights=[target.percent for target in weighted])[0].revision

    def _in_effect(self, service: Service) -> tuple[Target, ...]:
        late = self._clock() - service.routed < self.lag.seconds and self._dice.random() < self.lag.share
        return service.targets_before if late and service.targets_before else service.targets
