"""What a service may ask for: the checks Cloud Run makes before it does anything, and the defaults it fills in."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.emulators.cloud_run.names import ServiceName, check_revision_name, check_tag
from rehearsal.emulators.google.errors import GoogleError, invalid
from rehearsal.emulators.google.wire import duration

LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
DEFAULT_PORT = 8080

_RESERVED = frozenset({"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"})
_RESERVED_BY_JOBS = frozenset(
    {"CLOUD_RUN_JOB", "CLOUD_RUN_EXECUTION"} | {f"CLOUD_RUN_TASK_{each}" for each in ("INDEX", "ATTEMPT", "COUNT")}
)
_ENV_NAME = re.compile(r"[^=\0]+")
_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
_ACTIONS = ("httpGet", "tcpSocket", "grpc")
_DEFAULT_STARTUP = {"timeoutSeconds": 240, "periodSeconds": 240, "failureThreshold": 1}


def checked_spec(service: ServiceName, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a service's settings with defaults filled in. Raises GoogleError INVALID_ARGUMENT."""
    spec = copy.deepcopy(dict(asked))
    template = spec.get("template")
    if not isinstance(template, dict):
        raise invalid("template", "required.")
    _check_template(service, template)
    spec["traffic"] = spec.get("traffic") or [{"type": LATEST, "percent": 100}]
    _check_traffic(service, spec["traffic"])
    _check_scaling("scaling", spec.get("scaling", {}))
    spec.setdefault("ingress", "INGRESS_TRAFFIC_ALL")
    spec.setdefault("launchStage", "GA")
    return spec


def checked_job(asked: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a job's settings with defaults filled in. Raises GoogleError INVALID_ARGUMENT."""
    spec = copy.deepcopy(dict(asked))
    execution = spec.get("template")
    if not isinstance(execution, dict) or not isinstance(execution.get("template"), dict):
        raise invalid("template.template", "required.")
    if execution.setdefault("taskCount", 1) != 1:
        raise GoogleError("UNIMPLEMENTED", "The rehearsal's Cloud Run runs jobs of one task.")
    task = execution["template"]
    _refuse_what_is_not_emulated(task)
    _between("template.template.maxRetries", task.setdefault("maxRetries", 3), 0, 10)
    task.setdefault("timeout", "600s")
    _between("template.template.timeout", duration(task["timeout"], field="template.template.timeout"), 1, 7 * 86_400)
    container = task["containers"][0]
    if not container.get("image"):
        raise invalid("template.template.containers[0].image", "required.")
    for key in ("ports", *_PROBES):
        if key in container:
            raise invalid(f"template.template.containers[0].{key}", "not supported for jobs.")
    _check_env(container.get("env", []), _RESERVED_BY_JOBS)
    return spec


def _check_template(service: ServiceName, template: dict[str, Any]) -> None:
    if "revision" in template:
        check_revision_name(service, template["revision"])
    _refuse_what_is_not_emulated(template)
    _check_scaling("template.scaling", template.setdefault("scaling", {}))
    template["scaling"].setdefault("maxInstanceCount", 100)
    template.setdefault("maxInstanceRequestConcurrency", 80)
    template.setdefault("timeout", "300s")
    _between("template.maxInstanceRequestConcurrency", template["maxInstanceRequestConcurrency"], 1, 1000)
    _between("template.timeout", duration(template["timeout"], field="template.timeout"), 1, 3600)
    _check_container(template["containers"][0])


def _refuse_what_is_not_emulated(template: Mapping[str, Any]) -> None:
    containers = template.get("containers")
    if not isinstance(containers, list) or not containers:
        raise invalid("template.containers", "one container is required.")
    strange = [volume for volume in template.get("volumes", ()) if "cloudSqlInstance" not in volume]
    sockets = (volume.get("cloudSqlInstance", {}) for volume in template.get("volumes", ()))
    for instance in (each for volume in sockets for each in volume.get("instances", ())):
        if instance.count(":") < 2:
            raise invalid("template.volumes", f"'{instance}' is not project:region:instance.")
    if len(containers) > 1 or strange:
        raise GoogleError(
            "UNIMPLEMENTED",
            "The rehearsal's Cloud Run runs one container per revision, without sidecars and volumes;"
            " those of Cloud SQL it keeps and shows, without a socket.",
        )


def _check_container(container: dict[str, Any]) -> None:
    if not container.get("image"):
        raise invalid("template.containers[0].image", "required.")
    ports = container.setdefault("ports", [{"name": "http1", "containerPort": DEFAULT_PORT}])
    if len(ports) != 1:
        raise invalid("template.containers[0].ports", "exactly one port is allowed.")
    port = ports[0].setdefault("containerPort", DEFAULT_PORT)
    _between("template.containers[0].ports[0].containerPort", port, 1, 65535)
    _check_env(container.get("env", []))
    container.setdefault("startupProbe", {**_DEFAULT_STARTUP, "tcpSocket": {}})
    for name in _PROBES:
        if name in container:
            _check_probe(f"template.containers[0].{name}", container[name], port, liveness=name != "startupProbe")


def _check_env(variables: list[dict[str, Any]], reserved: frozenset[str] = _RESERVED) -> None:
    seen: set[str] = set()
    for variable in variables:
        name = variable.get("name", "")
        field = f"template.containers[0].env[{name}]"
        if not _ENV_NAME.fullmatch(name):
            raise invalid(field, "a variable needs a name without '='.")
        if name in reserved:
            raise invalid(field, "this name is reserved by Cloud Run.")
        if name in seen:
            raise invalid(field, "given twice.")
        seen.add(name)
        reference = variable.get("valueSource", {}).get("secretKeyRef")
        if "value" in variable and reference is not None:
            raise invalid(field, "has both a value and a valueSource.")
        if reference is not None and not (reference.get("secret") and reference.get("version")):
            raise invalid(field, "secretKeyRef needs both secret and version.")


def _check_probe(field: str, probe: dict[str, Any], port: int, *, liveness: bool) -> None:
    actions = [action for action in _ACTIONS if action in probe]
    if len(actions) != 1:
        raise invalid(field, "exactly one of httpGet, tcpSocket and grpc is needed.")
    if actions == ["grpc"]:
        raise GoogleError("UNIMPLEMENTED", f"{field}: the rehearsal's Cloud Run probes by HTTP and TCP, not by gRPC.")
    if liveness and actions == ["tcpSocket"]:
        raise invalid(field, "TCP is for startup probes only.")
    action = probe[actions[0]]
    if action.setdefault("port", port) != port:
        raise GoogleError(
            "UNIMPLEMENTED", f"{field}: the rehearsal's Cloud Run probes only the container's port, {port}."
        )
    if actions == ["httpGet"]:
        action.setdefault("path", "/")
    for name, default, lowest, highest in (
        ("initialDelaySeconds", 0, 0, 240),
        ("timeoutSeconds", 1, 1, 3600),
        ("periodSeconds", 10, 1, 3600),
        ("failureThreshold", 3, 1, 1000),
    ):
        _between(f"{field}.{name}", probe.setdefault(name, default), lowest, highest)
    if probe["timeoutSeconds"] > probe["periodSeconds"]:
        raise invalid(f"{field}.timeoutSeconds", "must not be longer than periodSeconds.")


def _check_scaling(field: str, scaling: Mapping[str, Any]) -> None:
    lowest, highest = scaling.get("minInstanceCount", 0), scaling.get("maxInstanceCount")
    _between(f"{field}.minInstanceCount", lowest, 0, 1000)
    if highest is not None:
        _between(f"{field}.maxInstanceCount", highest, 1, 1000)
        if lowest > highest:
            raise invalid(f"{field}.minInstanceCount", f"{lowest} is more than maxInstanceCount {highest}.")


def _check_traffic(service: ServiceName, traffic: list[dict[str, Any]]) -> None:
    tags: set[str] = set()
    for target in traffic:
        kind, named = target.get("type"), target.get("revision")
        if kind not in (LATEST, REVISION):
            raise invalid("traffic.type", f"'{kind}' is neither {LATEST} nor {REVISION}.")
        if (kind == REVISION) != bool(named):
            raise invalid("traffic.revision", "is named by targets of type REVISION, and by those only.")
        _between("traffic.percent", target.get("percent", 0), 0, 100)
        if not target.get("percent"):
            target.pop("percent", None)  # Google's JSON leaves zeroes out
        tag = target.get("tag", "")
        if tag:
            check_tag(service, tag)
            if tag in tags:
                raise invalid("traffic.tag", f"'{tag}' is used twice.")
            tags.add(tag)
    total = sum(target.get("percent", 0) for target in traffic)
    if total != 100:
        raise invalid("traffic", f"percentages add up to {total}, not 100.")


def _between(field: str, value: object, lowest: float, highest: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
        raise invalid(field, f"{value!r} is not a number from {lowest:g} to {highest:g}.")


def revision_exists(traffic: list[dict[str, Any]], known: Callable[[str], bool]) -> None:
    """Every named revision must be known. Raises GoogleError INVALID_ARGUMENT."""
    for target in traffic:
        if target["type"] == REVISION and not known(target["revision"]):
            raise invalid("traffic.revision", f"there is no revision '{target['revision']}'.")
