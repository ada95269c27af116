"""The plan of a release: one content-addressed document that people approve and every job of the delivery rebuilds.

It holds what is delivered (definition and artifacts by digest), onto what (the base: what was live when it was made), with which
settings, and every step in order. The SHA-256 of its canonical form is what an approval binds. A job gets that digest, fetches the
document, makes it again from the release's own commit, the policy and the recorded base, and compares: a job that changed anything in
between is refused. The real state only marks steps as done (traffic.py).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipelines import documents
from pipelines.delivery import comparing
from pipelines.delivery.migrations import files as schema
from pipelines.delivery.pipeline import PRODUCTION
from pipelines.delivery.review import Unreviewed
from pipelines.delivery.steps.base import Base, Facts, PlannedStep, Step
from pipelines.errors import InputError, RefusedError
from pipelines.manifest import definition as definitions
from pipelines.manifest.model import Environment, Manifest
from pipelines.steps import AnyStep, Job

FORMAT = 3
FILE = "plan.json"


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What a plan cannot make again and therefore records: facts of the moment in which it was made."""

    release: str
    commit: str
    artifacts: Mapping[str, str]
    """Component -> host/path@sha256:…, as it was proved."""
    base: Mapping[str, Base | None]
    epochs: Mapping[str, int] = field(default_factory=dict)
    """Component -> how often someone had rolled back (roles.Marks.epoch)."""
    unreviewed: tuple[Unreviewed, ...] = ()
    """Commits since the base that no other person approved."""
    warnings: tuple[str, ...] = ()
    """What an approver must know of how the release came to be."""
    performance: tuple[str, ...] = ()
    """What the newest load test of the commit found, in words."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A release to one environment. `document` is the canonical form, `digest` its SHA-256 in hexadecimal."""

    environment: str
    recorded: Recorded
    facts: tuple[Facts, ...]
    """One for each component, in the order in which they go live."""
    steps: tuple[tuple[Job, Step], ...]
    document: bytes

    @property
    def digest(self) -> str:
        return documents.digest_of(self.document)

    @property
    def components(self) -> tuple[str, ...]:
        return tuple(each.component for each in self.facts)

    @property
    def done_already(self) -> bool:
        """Whether every component serves exactly this, and was marked as stable: it is its own base then (traffic.base_for)."""
        return all(
            each.base is not None and (each.base.release, each.base.digest) == (each.release, each.digest)
            for each in self.facts
        )

    def of_job(self, key: str, component: str = "") -> list[Step]:
        """The steps of a job, or of its leg for a component."""
        return [step for job, step in self.steps if job.key == key and component in ("", step.component)]


def make(manifest: Manifest, environment: str, recorded: Recorded, jobs: Sequence[Job] = PRODUCTION) -> Plan:
    """The plan of a release. `manifest` is the policy with the release's definition in it (manifest/definition.py).

    The same arguments make the same document, byte for byte, on any machine. Raises InputError, RefusedError.
    """
    settings = manifest.environments[environment]
    facts = tuple(_facts(manifest, environment, settings, recorded))
    if not facts:
        raise InputError(
            f"{recorded.release} has no component that lives in {environment}",
            where=manifest.file.name,
            next_step=f"its components: {', '.join(manifest.components)}; there: {', '.join(settings.targets)}",
        )
    steps = tuple(steps_of(jobs, facts))
    return Plan(
        environment=environment,
        recorded=recorded,
        facts=facts,
        steps=steps,
        document=_canonical(_document(manifest, environment, settings, recorded, facts, steps)),
    )


def read(document: bytes, digest: str) -> Recorded:
    """What a fetched document records. Raises RefusedError when it is not the one that is named."""
    raw = documents.read(document, digest, form=FORMAT, where=FILE, done="approved")
    components = raw["components"]
    return Recorded(
        release=raw["release"],
        commit=raw["commit"],
        artifacts={each["component"]: each["artifact"] for each in components},
        base={each["component"]: Base(**each["base"]) if each["base"] else None for each in components},
        epochs={each["component"]: each["epoch"] for each in components},
        unreviewed=tuple(
            Unreviewed(commit=each["commit"], authors=tuple(each["authors"]), title=each["title"])
            for each in raw["unreviewed"]
        ),
        warnings=tuple(raw["warnings"]),
        performance=tuple(raw["performance"]),
    )


def rebuild(manifest: Manifest, environment: str, document: bytes, digest: str) -> Plan:
    """The plan that is named, made again from the definition and the recorded base. Raises RefusedError when it comes out differently."""
    made = make(manifest, environment, read(document, digest))
    if made.document != document:
        now, then = json.loads(made.document), json.loads(document)
        raise RefusedError(
            f"the release is not what was planned any more: {', '.join(_differing(then, now)) or 'its form'}",
            where=f"plan {digest[:12]}",
            why="its definition, the policy or the plan itself was changed since it was approved",
            next_step="start the workflow again: it plans anew, and asks for a new approval",
        )
    return made


def onto(made: Plan, manifest: Manifest, bases: Mapping[str, Base | None]) -> Plan:
    """The plan on what went live since it was approved: only what its traffic is taken from changes, and what a return goes to."""
    if bases == made.recorded.base:
        return made
    return make(manifest, made.environment, replace(made.recorded, base={**made.recorded.base, **bases}))


def fetch(folder: Path) -> bytes:
    """The document as an earlier job of the run uploaded it. Raises InputError."""
    return documents.fetch(folder / FILE, "plan")


def steps_of(jobs: Sequence[Job], facts: Sequence[Facts]) -> list[tuple[Job, Step]]:
    """Every step of some jobs for the components of `facts`, in the order in which they are carried out."""
    found: list[tuple[Job, Step]] = []
    for job in jobs:
        for group in [[each] for each in facts] if job.per_component else [facts]:
            found += [(job, step) for kind in job.steps for step in _planned(kind).plan(group)]
    return found


def _planned(kind: type[AnyStep[Any]]) -> type[PlannedStep]:
    """Raises TypeError for a step that is not planned from facts: those of ROLLBACK are planned by rollback.py."""
    if not issubclass(kind, PlannedStep):
        raise TypeError(f"{kind.name} is no step of a delivery")
    return kind


def _facts(manifest: Manifest, environment: str, settings: Environment, recorded: Recorded) -> list[Facts]:
    found = []
    asked = {name: bool(comparing.declared(manifest, environment, name)) for name in recorded.artifacts}
    parts = sum(
        1 + (len(target.shift) if target.watch_seconds else 0)
        for name, target in settings.targets.items()
        if recorded.base.get(name) is not None and asked.get(name)
    )
    for component, target in settings.targets.items():
        if component not in recorded.artifacts:
            continue
        base = recorded.base.get(component)
        files = _migrations(manifest, component)
        knows = base.schema if base else "0000"
        had = base.contracts if base else "0000"
        found.append(
            Facts(
                environment=environment,
                component=component,
                release=recorded.release,
                digest=recorded.artifacts[component].rpartition("@")[2],
                base=base,
                epoch=recorded.epochs.get(component, 0),
                shift=target.shift if base else (100,),
                watch_seconds=target.watch_seconds,
                parts=max(parts, 1),
                cost=comparing.cost(settings, 0.0, parts) if asked[component] else "",
                watched=comparing.cost(settings, target.watch_seconds, parts)
                if asked[component] and target.watch_seconds
                else "",
                expand=tuple(name for name in files if ".expand." in name and name[:4] > knows),
                contract=tuple(name for name in files if ".contract." in name and had < name[:4] <= knows),
                contracts=max(knows, had),
                tracker=_tracker(manifest, component),
                checks=sum(check.component == component for check in settings.smoke)
                + sum(journey.component == component for journey in manifest.journeys.values()),
            )
        )
    return found


def _tracker(manifest: Manifest, component: str) -> str:
    """In words; empty for what is no site in this release."""
    found = manifest.components[component].error_tracker
    if found is None or manifest.components[component].build is None:
        return ""
    return f"{found.organization}/{found.project} at {found.url.rstrip('/')}"


def _migrations(manifest: Manifest, component: str) -> list[str]:
    """Names of the files in the release's own tree that may run, in order. Raises InputError."""
    named = manifest.components[component].migrations
    return schema.names(manifest.root / named) if named else []


def _document(
    manifest: Manifest,
    environment: str,
    settings: Environment,
    recorded: Recorded,
    facts: Sequence[Facts],
    steps: Sequence[tuple[Job, Step]],
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "environment": environment,
        "release": recorded.release,
        "commit": recorded.commit,
        "definition": definitions.read(manifest.file).digest,
        "components": [
            {
                "component": each.component,
                "artifact": recorded.artifacts[each.component],
                "base": dataclasses.asdict(each.base) if each.base else None,
                "epoch": each.epoch,
                "settings": dataclasses.asdict(settings.targets[each.component]),
            }
            for each in facts
        ],
        "deployer": dataclasses.asdict(settings.deployer) if settings.deployer else None,
        "smoke": [dataclasses.asdict(check) for check in settings.smoke],
        "journeys": {
            name: dataclasses.asdict(journey)
            for name, journey in manifest.journeys.items()
            if journey.component in settings.targets
        },
        "steps": [{"job": job.key, **step.as_data()} for job, step in steps],
        "unreviewed": [dataclasses.asdict(each) for each in recorded.unreviewed],
        "warnings": list(recorded.warnings),
        "performance": list(recorded.performance),
    }


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=list).encode()


def _differing(then: Any, now: Any, path: str = "") -> list[str]:
    """Paths at which two documents differ, the first eight."""
    if isinstance(then, dict) and isinstance(now, dict):
        found = [p for key in sorted({*then, *now}) for p in _differing(then.get(key), now.get(key), f"{path}/{key}")]
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        found = [p for i, (a, b) in enumerate(zip(then, now, strict=True)) for p in _differing(a, b, f"{path}/{i}")]
    else:
        found = [] if then == now else [path.lstrip("/")]
    return found[:8]
