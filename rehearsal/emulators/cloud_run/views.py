"""Services, revisions and conditions as the API writes them (discovery document run.v2).

As in all JSON of Google's, zero, false and empty values are left out.
"""

from __future__ import annotations

from typing import Any

from rehearsal.emulators.cloud_run.names import ServiceName
from rehearsal.emulators.cloud_run.resources import READY, Condition, Revision, Service, Target
from rehearsal.emulators.google.wire import timestamp

_TYPES = "type.googleapis.com/google.cloud.run.v2"


def condition_json(condition: Condition) -> dict[str, Any]:
    """The API's Condition, without what is empty."""
    body: dict[str, Any] = {
        "type": condition.type,
        "state": condition.state,
        "message": condition.message,
        "lastTransitionTime": timestamp(condition.changed),
        "severity": condition.severity,
    }
    if condition.reason:
        body[condition.reason_field] = condition.reason
    return {key: value for key, value in body.items() if value != ""}


def service_json(service: Service) -> dict[str, Any]:
    """The API's Service."""
    name, spec = service.name, dict(service.spec)
    body: dict[str, Any] = {
        "name": str(name),
        "uid": service.uid,
        "generation": str(service.generation),
        "createTime": timestamp(service.created),
        "updateTime": timestamp(service.updated),
        "creator": service.creator,
        "lastModifier": service.last_modifier,
        **spec,
        "observedGeneration": str(service.observed),
        "conditions": [condition_json(c) for kind, c in service.conditions.items() if kind != READY],
        "trafficStatuses": [_target_json(name, target) for target in service.targets],
        "uri": f"https://{name.host()}",
        "urls": [f"https://{name.numbered_host()}", f"https://{name.host()}"],
        "etag": service.etag,
    }
    if service.reconciling:
        body["reconciling"] = True
    if READY in service.conditions:
        body["terminalCondition"] = condition_json(service.conditions[READY])
    for key, revision in (
        ("latestCreatedRevision", service.latest_created),
        ("latestReadyRevision", service.latest_ready),
    ):
        if revision:
            body[key] = name.revision(revision)
    return body


def revision_json(revision: Revision) -> dict[str, Any]:
    """The API's Revision."""
    template = {
        key: value for key, value in revision.template.items() if key not in ("revision", "healthCheckDisabled")
    }
    service = ServiceName.parse(revision.service)
    least = template.get("scaling", {}).get("minInstanceCount", 0)
    body = {
        **template,
        "name": service.revision(revision.name),
        "uid": revision.uid,
        "generation": "1",
        "observedGeneration": "1",
        "createTime": timestamp(revision.created),
        "updateTime": timestamp(revision.updated),
        "creator": revision.creator,
        "launchStage": "GA",
        "service": service.service,
        "conditions": [condition_json(condition) for condition in revision.conditions.values()],
        "scalingStatus": {"desiredMinInstanceCount": least if revision.active else 0},
        "logUri": f"https://console.cloud.google.com/logs/viewer?project={service.project}"
        f"&resource=cloud_run_revision/service_name/{service.service}/revision_name/{revision.name}",
        "etag": f'"{revision.uid}/{revision.updated:.6f}"',
    }
    if not revision.ready and revision.failed is None:
        body["reconciling"] = True
    return body


def typed(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """`body` as an Any message ("Service", "Revision"), for operations."""
    return {"@type": f"{_TYPES}.{kind}", **body}


def _target_json(name: ServiceName, target: Target) -> dict[str, Any]:
    body: dict[str, Any] = {"type": target.type, "revision": target.revision}
    if target.percent:
        body["percent"] = target.percent
    if target.tag:
        body |= {"tag": target.tag, "uri": f"https://{name.host(target.tag)}"}
    return body
