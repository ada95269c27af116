"""Services and revisions as Cloud Run keeps them. Times are epoch seconds."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from rehearsal.emulators import saving
from rehearsal.emulators.cloud_run.names import ServiceName
from rehearsal.emulators.cloud_run.template import REVISION

RECONCILING = "CONDITION_RECONCILING"
FAILED, SUCCEEDED = "CONDITION_FAILED", "CONDITION_SUCCEEDED"
READY = "Ready"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """`reason` is a common reason or a revision reason; `reason_field` says which ("reason", "revisionReason")."""

    type: str
    state: str
    changed: float
    message: str = ""
    reason: str = ""
    reason_field: str = "reason"
    severity: str = ""


@dataclass(kw_only=True)
class Revision:
    """One immutable template. `digest` is that of the image it runs, once pulled."""

    name: str
    service: str
    template: dict[str, Any]
    uid: str
    created: float
    updated: float
    creator: str
    digest: str = ""
    active: bool = False
    conditions: dict[str, Condition] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """It has passed its checks once."""
        condition = self.conditions.get(READY)
        return condition is not None and condition.state == SUCCEEDED

    @property
    def failed(self) -> Condition | None:
        """Why it will never serve, or None."""
        condition = self.conditions.get(READY)
        return condition if condition is not None and condition.state == FAILED else None

    @property
    def container(self) -> dict[str, Any]:
        """Its one container."""
        container: dict[str, Any] = self.template["containers"][0]
        return container

    def set(self, *conditions: Condition) -> None:
        """Replace the conditions of the same types."""
        for condition in conditions:
            self.conditions[condition.type] = condition
            self.updated = max(self.updated, condition.changed)


@dataclass(frozen=True, kw_only=True)
class Target:
    """One entry of the traffic in effect: `revision` is always resolved."""

    type: str
    revision: str
    percent: int = 0
    tag: str = ""


@dataclass(kw_only=True)
class Service:
    """`spec` is what the user asked for, `targets` the traffic in effect."""

    name: ServiceName
    spec: dict[str, Any]
    uid: str
    created: float
    updated: float
    creator: str
    last_modifier: str
    generation: int = 1
    observed: int = 0
    """As `observedGeneration` shows it."""
    worked: int = 0
    """Generation up to which all is done or given up."""
    latest_created: str = ""
    latest_ready: str = ""
    targets: tuple[Target, ...] = ()
    targets_before: tuple[Target, ...] = ()
    """What was in effect until `routed`: a front that has not heard of the change sends requests there."""
    routed: float = 0.0
    conditions: dict[str, Condition] = field(default_factory=dict)
    revisions: dict[str, Revision] = field(default_factory=dict)

    @property
    def reconciling(self) -> bool:
        """What was asked for is not yet all done, or given up."""
        return self.worked != self.generation

    @property
    def etag(self) -> str:
        """Changes with every change of the settings, as the real one, which encodes the time of the last update."""
        return etag_of(self.uid, self.generation, self.updated)

    def wanted(self) -> set[str]:
        """The revisions that traffic or a tag keeps running."""
        return {target.revision for target in self.targets if target.percent or target.tag}

    def route(self, targets: tuple[Target, ...], now: float) -> None:
        """Put other traffic into effect."""
        self.targets_before, self.targets, self.routed = self.targets, targets, now

    def set(self, *conditions: Condition) -> None:
        """Replace the conditions of the same types."""
        for condition in conditions:
            self.conditions[condition.type] = condition


def etag_of(uid: str, generation: int, updated: float) -> str:
    """Of what a resource was at one of its changes."""
    stamp = f"{uid}/{generation}/{updated:.6f}"
    return f'"{base64.urlsafe_b64encode(stamp.encode()).decode().rstrip("=")}"'


def saved_service(service: Service) -> dict[str, Any]:
    """JSON of a service with its revisions."""
    return saving.to_json(service)


def loaded_service(saved: dict[str, Any]) -> Service:
    """The reverse of `saved_service`. What was being reconciled counts as given up: nobody works on it any more."""
    service = saving.from_json(Service, saved)
    service.observed = service.worked = service.generation
    for revision in service.revisions.values():
        revision.active = False
    return service


def resolved(traffic: list[dict[str, Any]], latest_ready: str) -> tuple[Target, ...]:
    """The traffic asked for, with "latest" replaced by the revision that it means now."""
    return tuple(
        Target(
            type=target["type"],
            revision=target["revision"] if target["type"] == REVISION else latest_ready,
            percent=target.get("percent", 0),
            tag=target.get("tag", ""),
        )
        for target in traffic
    )
