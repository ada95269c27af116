"""The Admin API without HTTP: services, revisions and the operations that change them."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.emulators.cloud_run.fleets import Fleets
from rehearsal.emulators.cloud_run.names import ServiceName, check_service_id, generated_revision
from rehearsal.emulators.cloud_run.operations import Operation, Operations
from rehearsal.emulators.cloud_run.quota import Quota
from rehearsal.emulators.cloud_run.reconciler import AfterFailure, Reconciler
from rehearsal.emulators.cloud_run.resources import Revision, Service, loaded_service, saved_service
from rehearsal.emulators.cloud_run.template import checked_spec, revision_exists
from rehearsal.emulators.cloud_run.update import settings_of, updated
from rehearsal.emulators.cloud_run.views import revision_json, service_json, typed
from rehearsal.emulators.google.errors import GoogleError, not_found

MOST_REVISIONS = 1000
"""Of a service (cloud.google.com/run/quotas): beyond it the oldest one that does not serve is deleted."""


class Services:
    """Every service of every project. `pause`: seconds a change takes at least, so that clients must wait for it."""

    def __init__(
        self, fleets: Fleets, *, pause: float, dice: random.Random, clock: Callable[[], float] = time.time
    ) -> None:
        self.operations = Operations()
        self._fleets = fleets
        self._pause = pause
        self._dice = dice
        self._clock = clock
        self.after_failure = AfterFailure()
        self.quota = Quota()
        self.most_revisions = MOST_REVISIONS
        self._reconciler = Reconciler(fleets, clock, self.after_failure)
        self._services: dict[ServiceName, Service] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def get(self, name: ServiceName) -> Service:
        """Raises GoogleError NOT_FOUND."""
        if name not in self._services:
            raise not_found(str(name))
        return self._services[name]

    def all(self, parent: str = "projects/") -> list[Service]:
        """Those under `projects/P/locations/L`, by name."""
        found = [s for name, s in self._services.items() if f"{name}/".startswith(f"{parent.rstrip('/')}/")]
        return sorted(found, key=lambda service: service.name)

    def revision(self, name: ServiceName, revision: str) -> Revision:
        """Raises GoogleError NOT_FOUND."""
        revisions = self.get(name).revisions
        if revision not in revisions:
            raise not_found(name.revision(revision))
        return revisions[revision]

    def revisions(self, name: ServiceName) -> list[Revision]:
        """Newest first."""
        return sorted(self.get(name).revisions.values(), key=lambda r: (r.created, r.name), reverse=True)

    def create(self, name: ServiceName, body: Mapping[str, Any], *, principal: str, dry: bool) -> Operation:
        """A new service. Raises GoogleError."""
        check_service_id(name.service)
        if name in self._services:
            raise GoogleError("ALREADY_EXISTS", f"Resource '{name.service}' already exists.")
        now = self._clock()
        service = Service(
            name=name,
            spec={},
            uid=str(uuid.uuid4()),
            created=now,
            updated=now,
            creator=principal,
            last_modifier=principal,
            generation=0,
        )
        return self._change(service, settings_of(body), principal=principal, dry=dry)

    def patch(
        self,
        name: ServiceName,
        body: Mapping[str, Any],
        *,
        principal: str,
        mask: str = "",
        allow_missing: bool = False,
        dry: bool = False,
        force: bool = False,
    ) -> Operation:
        """Change a service; `force` makes a revision even of an unchanged template. Raises GoogleError."""
        if name not in self._services and allow_missing:
            return self.create(name, body, principal=principal, dry=dry)
        service = self.get(name)
        _match(service.etag, body.get("etag"), name)
        spec = updated(service.spec, body, mask)
        return self._change(service, spec, principal=principal, dry=dry, force=force)

    def delete(self, name: ServiceName, *, etag: str | None, dry: bool) -> Operation:
        """Take a service down. Raises GoogleError."""
        service = self.get(name)
        _match(service.etag, etag, name)
        operation = self._operation(service)
        if dry:
            operation.succeed(typed("Service", service_json(service)))
            return operation
        del self._services[name]
        self._spawn(self._delete(service, operation))
        return operation

    def delete_revision(self, name: ServiceName, revision: str, *, etag: str | None, dry: bool) -> Operation:
        """Remove a revision that nothing needs. Raises GoogleError."""
        service, gone = self.get(name), self.revision(name, revision)
        body = typed("Revision", revision_json(gone))
        _match(str(body["etag"]), etag, name)
        if revision in service.wanted() or revision == service.latest_created:
            raise GoogleError("FAILED_PRECONDITION", f"Revision '{revision}' is the latest, or has traffic or a tag.")
        operation = self.operations.begin(name.parent, lambda: body)
        if dry:
            operation.succeed(body)
            return operation
        del service.revisions[revision]
        self._spawn(self._delete_revision(gone, operation, body))
        return operation

    async def quiesce(self) -> None:
        """End work under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def clear(self) -> None:
        """Forget every service and operation."""
        self._services.clear()
        self.operations.clear()

    def save(self) -> dict[str, Any]:
        """JSON of all services."""
        return {"services": [saved_service(service) for service in self.all()]}

    def load(self, saved: Mapping[str, Any]) -> None:
        """Replace all services. Their processes start with the first request."""
        loaded = [loaded_service(service) for service in saved["services"]]
        self._services = {service.name: service for service in loaded}

    def _change(
        self, service: Service, spec: dict[str, Any], *, principal: str, dry: bool, force: bool = False
    ) -> Operation:
        asked, spec = spec, checked_spec(service.name, spec)
        if not service.generation or asked["template"] != service.spec["template"]:
            self.quota.require(service.name.project, service.name.location, asked["template"])
        created = self._new_revision(service, spec, principal, force=force)
        known = {*service.revisions, *([created.name] if created else [])}
        revision_exists(spec["traffic"], known.__contains__)
        operation = self._operation(service)
        if dry:
            operation.succeed(typed("Service", {**service_json(service), **spec}))
            return operation
        self._accept(service, spec, created, principal)
        self._spawn(self._reconcile(service, service.generation, created, operation))
        return operation

    def _accept(self, service: Service, spec: dict[str, Any], created: Revision | None, principal: str) -> None:
        self._services[service.name] = service
        service.spec, service.last_modifier = spec, principal
        service.generation += 1
        service.updated = self._clock()
        if created is not None:
            service.revisions[created.name] = created
            service.latest_created = created.name
            self._reconciler.deployed(created)
            self._drop_oldest(service)
        self._reconciler.begin(service)

    def _drop_oldest(self, service: Service) -> None:
        """As Cloud Run does by itself, without asking anybody what a revision is good for."""
        needed = {service.latest_created, service.latest_ready, *service.wanted()}
        needed |= {target.get("revision", "") for target in service.spec["traffic"]}
        free = sorted((r for r in service.revisions.values() if r.name not in needed), key=lambda r: r.created)
        for gone in free[: max(0, len(service.revisions) - self.most_revisions)]:
            del service.revisions[gone.name]
            self._spawn(self._fleets.stop(gone))

    def _new_revision(
        self, service: Service, spec: Mapping[str, Any], principal: str, *, force: bool
    ) -> Revision | None:
        template = spec["template"]
        if service.generation and template == service.spec["template"] and not force:
            return None
        name = template.get("revision") or generated_revision(service.name, service.generation + 1, self._dice)
        if name in service.revisions:
            raise GoogleError("ALREADY_EXISTS", f"Revision named '{name}' with different configuration already exists.")
        now = self._clock()
        return Revision(
            name=name,
            service=str(service.name),
            template=template,
            uid=str(uuid.uuid4()),
            created=now,
            updated=now,
            creator=principal,
        )

    async def _reconcile(
        self, service: Service, generation: int, created: Revision | None, operation: Operation
    ) -> None:
        try:
            await asyncio.sleep(self._pause)
            await self._reconciler.reconcile(service, generation, created)
        except GoogleError as error:
            operation.fail(error)
        except Exception as error:
            operation.fail(GoogleError("INTERNAL", f"The emulator itself failed: {error!r}"))
            raise
        else:
            operation.succeed(typed("Service", service_json(service)))
        if self._services.get(service.name) is not service:
            await self._take_down(service)  # it was deleted meanwhile

    async def _delete(self, service: Service, operation: Operation) -> None:
        await asyncio.sleep(self._pause)
        await self._take_down(service)
        operation.succeed(typed("Service", service_json(service)))

    async def _take_down(self, service: Service) -> None:
        await asyncio.gather(*(self._fleets.stop(revision) for revision in service.revisions.values()))

    async def _delete_revision(self, revision: Revision, operation: Operation, body: dict[str, Any]) -> None:
        await self._fleets.stop(revision)
        operation.succeed(body)

    def _operation(self, service: Service) -> Operation:
        return self.operations.begin(service.name.parent, lambda: typed("Service", service_json(service)))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _match(current: str, etag: object, name: ServiceName) -> None:
    if etag and etag != current:
        raise GoogleError(
            "ABORTED",
            f"Conflict for resource '{name.service}': etag {etag} was given but the current one is {current}.",
        )
