"""What a revision is made of: the template from the manifest, its name, and our marks on it. Pure (discovery document run.v2)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.errors import InputError
from pipelines.manifest.targets import CloudRun, Vpc
from pipelines.providers.secret_manager import parse
from pipelines.roles import Artifact, Identity

MARK = "shipmate."
ROLE = f"{MARK}role"
CANDIDATE, LIVE = "candidate", "live"
MARKS = f"{MARK}marks"
STABLE_BEFORE_MARKS = f"{MARK}settled"
"""Where suites before `MARKS` kept the stable revisions: read, never written. Live deployments carry the name, so it stays."""
_FIELDS = ("release", "commit", "digest", "schema", "contracts", "run", "attempt", "by", "approved")
_LONGEST = 63
_COPIED = (
    "labels",
    "annotations",
    "containers",
    "serviceAccount",
    "timeout",
    "maxInstanceRequestConcurrency",
    "scaling",
    "vpcAccess",
    "volumes",
    "executionEnvironment",
    "sessionAffinity",
    "encryptionKey",
    "serviceMesh",
    "nodeSelector",
)
_KEPT = tuple(
    field for field in _COPIED if field not in ("labels", "annotations", "containers", "serviceAccount", "scaling")
)
"""Of a template: what the manifest may leave to the operator of the service."""
_PROBE_PERIOD = 2
ASKED = f"{MARK}asked"
JOB_SECONDS = 3600
"""How long a job may take; Cloud Run ends it then."""


def template(
    target: CloudRun, image: str, identity: Identity, serving: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The candidate's template, without its name. Workers are off: a candidate eats no queue.

    A template is sent whole, and what it does not name Cloud Run sets to its default: what the manifest leaves out is carried over from
    the revision that is `serving`.
    """
    own = {"RELEASE": identity.release, "COMMIT": identity.commit, "WORKERS": "off"}
    env: list[dict[str, Any]] = [{"name": name, "value": value} for name, value in {**target.env, **own}.items()]
    env += _from_secrets(target.secrets)
    container = {
        "image": image,
        "ports": [{"containerPort": 8080}],
        "env": env,
        "startupProbe": _probe(
            target.probes.startup, period=_PROBE_PERIOD, failures=max(1, round(target.start_seconds / _PROBE_PERIOD))
        ),
        # An instance that fails three times in a row is replaced.
        "livenessProbe": _probe(target.probes.liveness, period=10, failures=3),
    }
    marks = {f"{MARK}{field}": getattr(identity, field) for field in _FIELDS if getattr(identity, field)}
    before = serving or {}
    kept = {field: before[field] for field in _KEPT if field in before}
    volumes, mounts = _volumes(target, before)
    made = {
        "labels": {"shipmate-release": slug(identity.release)},
        "annotations": {**marks, ROLE: CANDIDATE},
        "serviceAccount": target.service_account,
        "timeout": "300s",
        "maxInstanceRequestConcurrency": 80,
        **kept,
        # Not the minimum: on a revision it would hold instances for every candidate; it is set on the service.
        "scaling": {"maxInstanceCount": target.scaling.max},
        "containers": [{**container, **_resources(target, before), **({"volumeMounts": mounts} if mounts else {})}],
    }
    if target.timeout_seconds is not None:
        made["timeout"] = f"{target.timeout_seconds}s"
    if target.concurrency is not None:
        made["maxInstanceRequestConcurrency"] = target.concurrency
    if target.vpc is not None:
        made["vpcAccess"] = _vpc_access(target.vpc)
    made["volumes"] = volumes
    return {field: value for field, value in made.items() if value or field != "volumes"}


def job(
    target: CloudRun,
    image: str,
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    secrets: Mapping[str, str],
    serving: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A job's settings: one task that is tried once, in the network of the service and as its account.

    `ASKED` marks its executions by all that they run with: the same work has the same mark.
    """
    variables: list[dict[str, Any]] = [{"name": name, "value": value} for name, value in env.items()]
    before = serving or {}
    volumes, mounts = _volumes(target, before)
    container = {"image": image, "command": list(command[:1]), "args": list(command[1:])}
    task = {
        "containers": [
            {
                **container,
                "env": [*variables, *_from_secrets(secrets)],
                **({"volumeMounts": mounts} if mounts else {}),
            }
        ],
        **({"volumes": volumes} if volumes else {}),
        **({"vpcAccess": before["vpcAccess"]} if "vpcAccess" in before else {}),
        **({"vpcAccess": _vpc_access(target.vpc)} if target.vpc is not None else {}),
        "serviceAccount": target.service_account,
        "timeout": f"{JOB_SECONDS}s",
        "maxRetries": 0,
    }
    mark = hashlib.sha256(json.dumps(task, sort_keys=True).encode()).hexdigest()[:16]
    return {
        "labels": {"managed-by": "shipmate"},
        "template": {"annotations": {ASKED: mark}, "taskCount": 1, "template": task},
    }


def _from_secrets(secrets: Mapping[str, str]) -> list[dict[str, Any]]:
    """Variables that Cloud Run reads from Secret Manager: variable -> secret@version."""
    parsed = {name: parse(written) for name, written in secrets.items()}
    return [
        {"name": name, "valueSource": {"secretKeyRef": {"secret": secret, "version": version}}}
        for name, (secret, version) in parsed.items()
    ]


def _container(revision: Mapping[str, Any]) -> Mapping[str, Any]:
    first: Mapping[str, Any] = next(iter(revision.get("containers", ())), {})
    return first


def _resources(target: CloudRun, before: Mapping[str, Any]) -> dict[str, Any]:
    """Of the container. `cpuIdle` goes with the workers of a live twin, not with a candidate."""
    kept = {key: value for key, value in _container(before).get("resources", {}).items() if key != "cpuIdle"}
    asked = {name: value for name, value in (("cpu", target.cpu), ("memory", target.memory)) if value is not None}
    limits = {**kept.get("limits", {}), **asked}
    made = {**kept, **({"limits": limits} if limits else {})}
    return {"resources": made} if made else {}


def cpu(revision: Mapping[str, Any]) -> str:
    """CPUs of an instance, as Cloud Run writes them; one by default."""
    return str(_container(revision).get("resources", {}).get("limits", {}).get("cpu", "1"))


def _volumes(target: CloudRun, before: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """(volumes, mounts): those of the serving revision; those of Cloud SQL as the manifest says, where it says anything."""
    volumes, mounts = list(before.get("volumes", ())), list(_container(before).get("volumeMounts", ()))
    if target.cloud_sql is None:
        return volumes, mounts
    names = {volume["name"] for volume in volumes if "cloudSqlInstance" in volume}
    volumes = [volume for volume in volumes if volume["name"] not in names]
    mounts = [mount for mount in mounts if mount["name"] not in names]
    if target.cloud_sql:
        volumes.append({"name": "cloudsql", "cloudSqlInstance": {"instances": list(target.cloud_sql)}})
        mounts.append({"name": "cloudsql", "mountPath": "/cloudsql"})
    return volumes, mounts


def _vpc_access(vpc: Vpc) -> dict[str, Any]:
    egress = vpc.egress.upper().replace("-", "_")
    if vpc.connector is not None:
        return {"connector": vpc.connector, "egress": egress}
    named = {key: value for key, value in (("network", vpc.network), ("subnetwork", vpc.subnet)) if value is not None}
    return {"networkInterfaces": [named], "egress": egress}


def _probe(path: str, *, period: int, failures: int) -> dict[str, Any]:
    return {"httpGet": {"path": path}, "periodSeconds": period, "timeoutSeconds": 1, "failureThreshold": failures}


def live_template(revision: Mapping[str, Any]) -> dict[str, Any]:
    """The template of a candidate's live twin: everything of the candidate, workers on.

    Workers need a CPU between requests as well, which Cloud Run gives only when `cpuIdle` is off.
    """
    copied = {key: revision[key] for key in _COPIED if key in revision}
    first = dict(copied["containers"][0])
    first["env"] = [*(v for v in first.get("env", ()) if v["name"] != "WORKERS"), {"name": "WORKERS", "value": "on"}]
    first["resources"] = {**first.get("resources", {}), "cpuIdle": False}
    copied["containers"] = [first, *copied["containers"][1:]]
    copied["annotations"] = {**copied.get("annotations", {}), ROLE: LIVE}
    return copied


def name(service: str, release: str, made: Mapping[str, Any]) -> str:
    """`<service>-<release>-<8 hex of the template>`: the same release with the same settings has the same name, so a re-run finds it."""
    content = {key: value for key, value in made.items() if key not in ("annotations", "labels")}
    mark = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
    # Room for "-live-99".
    room = _LONGEST - len(service) - len(mark) - 10
    return f"{service}-{slug(release)[:room].strip('-')}-{mark}"


def slug(release: str) -> str:
    """Lower-case letters, digits and dashes: v1.2.0-rc.1 -> v1-2-0-rc-1."""
    return re.sub(r"[^a-z0-9]+", "-", release.lower()).strip("-")[:_LONGEST] or "x"


def attempt(base: str, number: int) -> str:
    """The name of another try, after revisions of that name have failed."""
    return base if number == 1 else f"{base}-{number}"


def identity(revision: Mapping[str, Any]) -> Identity | None:
    """Who a revision is, by our marks; None when it was not deployed by us."""
    marks = {field: revision.get("annotations", {}).get(f"{MARK}{field}", "") for field in _FIELDS}
    if not (marks["release"] and marks["digest"]):
        return None
    return Identity(**{**marks, "schema": marks["schema"] or "0000", "contracts": marks["contracts"] or "0000"})


def role(revision: Mapping[str, Any]) -> str:
    return str(revision.get("annotations", {}).get(ROLE, ""))


def image(artifact: Artifact) -> str:
    """The reference of an artifact, by its digest alone. Raises InputError for what is no reference by digest."""
    if not artifact.reference.endswith(f"@{artifact.digest}") or not artifact.digest.startswith("sha256:"):
        raise InputError(
            f"{artifact.reference} is not a reference by digest",
            where=artifact.component,
            why="a tag could mean another image when an instance starts",
            next_step="pass what the image job put out: host/path@sha256:…",
        )
    repository, _, digest = artifact.reference.partition("@")
    host, slash, path = repository.rpartition("/")
    return f"{host}{slash}{path.partition(':')[0]}@{digest}"
