"""What a deployment would do, and what changed since what is live: what people read before they approve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.deploy.plan import Part, plan_settle, plan_stage
from pipelines.deploy.steps import Step, digest
from pipelines.flows.resolve import Resolved, migrations_at, resolve
from pipelines.manifest.model import CloudRun
from pipelines.roles import Artifact, Identity, Live

if TYPE_CHECKING:
    from pipelines.flows.delivery import Delivery
    from pipelines.github import GitHub


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A resolved version and the steps that would release it."""

    resolved: Resolved
    steps: tuple[Step, ...]
    migrations: tuple[str, ...]
    """New migrations since what is live."""

    @property
    def digest(self) -> str:
        return digest(self.steps)


def plan(delivery: Delivery, version: str) -> Planned:
    """Everything that would happen, in the order it would. Raises InputError, RefusedError."""
    if delivery.github is None:
        from pipelines.github import GitHub

        delivery.github = GitHub.from_environ(delivery.runtime.environ)
    resolved = resolve(
        delivery.github, delivery.ledger, delivery.manifest, delivery.environment, version, schema="0000"
    )
    migrations = _new_migrations(delivery, delivery.github, resolved)
    return Planned(resolved=resolved, steps=tuple(_steps(delivery, resolved, migrations)), migrations=tuple(migrations))


def _new_migrations(delivery: Delivery, github: GitHub, resolved: Resolved) -> list[str]:
    """Migrations the release has and what is live has not; all of them when nothing is live yet."""
    new: set[str] = set()
    for folder in {c.migrations for c in delivery.manifest.components.values() if c.migrations}:
        had = migrations_at(github, folder, resolved.live.commit) if resolved.live else set()
        new |= migrations_at(github, folder, resolved.candidate.commit) - had
    return sorted(new)


def _steps(delivery: Delivery, resolved: Resolved, migrations: list[str]) -> list[Step]:
    """The steps as they would be on nothing: what is done already depends on when it is asked, and is not part of what is approved."""
    parts = [
        _blank(delivery, resolved, component)
        for component in delivery.settings.targets
        if component in resolved.candidate.artifacts
    ]
    steps: list[Step] = []
    for part in parts:
        expand = (
            [name for name in migrations if ".expand." in name]
            if delivery.manifest.components[part.component].migrations
            else []
        )
        steps += plan_stage(part, expand)
    for part in parts:
        steps += [_shift(part, percent) for percent in part.shift]
    count = len(delivery.settings.smoke)
    steps.append(
        Step(
            action="prove",
            component=delivery.environment,
            says=f"{count} smoke checks from outside; taken back if one fails",
        )
    )
    steps += plan_settle(parts)
    steps.append(
        Step(action="publish", component="release", says=f"publish the GitHub release {resolved.candidate.release}")
    )
    return steps


def _blank(delivery: Delivery, resolved: Resolved, component: str) -> Part:
    target = delivery.settings.targets[component]
    reference = resolved.candidate.artifacts[component]
    found = reference.rpartition("@")[2]
    return Part(
        component=component,
        artifact=Artifact(component=component, digest=found, reference=reference),
        identity=Identity(release=resolved.candidate.release, commit=resolved.candidate.commit, digest=found),
        live=Live(url=target.url),
        shift=target.shift if isinstance(target, CloudRun) else (100,),
    )


def _shift(part: Part, percent: int) -> Step:
    release = part.identity.release
    detail = {"release": release, "digest": part.identity.digest, "percent": str(percent)}
    return Step(
        action="shift", component=part.component, says=f"give {percent} % of the traffic to {release}", detail=detail
    )


def open_record(delivery: Delivery, planned: Planned) -> None:
    """The record of this run in the ledger, queued: what the approval and every later job refer to."""
    env = delivery.runtime.environ
    record = delivery.ledger.open(
        environment=delivery.environment,
        release=planned.resolved.candidate.release,
        commit=planned.resolved.candidate.commit,
        artifacts=planned.resolved.candidate.digests(),
        run=delivery.runtime.run_url,
        run_id=env.get("GITHUB_RUN_ID", ""),
        attempt=env.get("GITHUB_RUN_ATTEMPT", ""),
        plan=planned.digest,
    )
    delivery.ledger.note(record, "queued", f"planned {planned.resolved.candidate.release}: plan {planned.digest}")


def as_text(planned: Planned, environment: str) -> str:
    """For a terminal."""
    resolved = planned.resolved
    live = resolved.live.release if resolved.live else "nothing"
    lines = [
        f"Release {resolved.candidate.release} ({resolved.candidate.commit[:7]}) to {environment}; live now: {live}",
        f"Plan {planned.digest}" + ("; released already, nothing to do" if resolved.released_already else ""),
        "",
        *(f"  {number:2}. {step.component}: {step.says}" for number, step in enumerate(planned.steps, 1)),
        "",
        f"Changes since {live} ({len(resolved.changes)}):",
        *(f"  {change.commit[:7]} {change.title} ({change.author})" for change in resolved.changes),
    ]
    if planned.migrations:
        lines += ["", "Migrations:", *(f"  {name}" for name in planned.migrations)]
    return "\n".join(lines)


def as_markdown(planned: Planned, environment: str) -> str:
    """For the summary of the run: what an approver reads. Titles from outside stand in a code block they cannot leave."""
    from pipelines.runtime import fenced

    resolved = planned.resolved
    live = resolved.live.release if resolved.live else "nothing"
    steps = "\n".join(f"{number}. **{step.component}**: {step.says}" for number, step in enumerate(planned.steps, 1))
    changes = (
        "\n".join(f"{change.commit[:7]}  {change.title}  ({change.author})" for change in resolved.changes) or "none"
    )
    head = f"## {resolved.candidate.release} to {environment}\n\nLive now: **{live}** · commit `{resolved.candidate.commit[:7]}`"
    head += f" · plan `{planned.digest}`"
    if resolved.released_already:
        head += "\n\n✅ Released already: nothing to do."
    return f"{head}\n\n### What will happen\n\n{steps}\n\n### Changes since {live}\n\n{fenced(changes)}"
