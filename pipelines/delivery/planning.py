"""What a deployment would do, and what changed since what is live: what people read before they approve."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.delivery.migrations import planned as planned_migrations
from pipelines.delivery.migrations.planned import Migrations
from pipelines.delivery.plan import Part, plan_settle, plan_stage
from pipelines.delivery.resolve import Resolved, resolve
from pipelines.delivery.run import Step, digest
from pipelines.roles import Artifact, Identity, Live

if TYPE_CHECKING:
    from pipelines.delivery.context import Delivery


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A resolved version and the steps that would release it."""

    resolved: Resolved
    steps: tuple[Step, ...]
    migrations: Migrations = field(default_factory=Migrations)

    @property
    def digest(self) -> str:
        return digest(self.steps)


def plan(delivery: Delivery, version: str) -> Planned:
    """Everything that would happen, in the order it would. Raises InputError, RefusedError."""
    if delivery.github is None:
        from pipelines.github import GitHub

        env = delivery.runtime.environ
        repository = env.get("GITHUB_REPOSITORY") or delivery.manifest.platform.repository
        delivery.github = GitHub.from_environ({**env, "GITHUB_REPOSITORY": repository})
    resolved = resolve(
        delivery.github, delivery.ledger, delivery.manifest, delivery.environment, version, schema="0000"
    )
    migrations = planned_migrations.plan(delivery, delivery.github, resolved.candidate.commit)
    return Planned(resolved=resolved, steps=tuple(_steps(delivery, resolved, migrations)), migrations=migrations)


def _steps(delivery: Delivery, resolved: Resolved, migrations: Migrations) -> list[Step]:
    """The steps as they would be on nothing: what is done already depends on when it is asked, and is not part of what is approved."""
    parts = [
        _blank(delivery, resolved, component)
        for component in delivery.settings.targets
        if component in resolved.candidate.artifacts
    ]
    steps: list[Step] = []
    for part in parts:
        staged = plan_stage(part, migrations.running(part.component, "expand"))
        before = [step for step in staged if step.action == "migrate"]
        steps += [*before, *_contract(part, migrations), *staged[len(before) :]]
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


def _contract(part: Part, migrations: Migrations) -> list[Step]:
    """What earlier releases needed and nothing that serves needs any more; a part of what is approved like all else."""
    files = migrations.running(part.component, "contract")
    says = f"apply {len(files)} contract migration(s) that may be due: {', '.join(files)}"
    detail = {"files": ",".join(files)}
    return [Step(action="contract", component=part.component, says=says, detail=detail)] if files else []


def _blank(delivery: Delivery, resolved: Resolved, component: str) -> Part:
    target = delivery.settings.targets[component]
    reference = resolved.candidate.artifacts[component]
    found = reference.rpartition("@")[2]
    return Part(
        component=component,
        artifact=Artifact(component=component, digest=found, reference=reference),
        identity=Identity(release=resolved.candidate.release, commit=resolved.candidate.commit, digest=found),
        live=Live(url=target.url),
        shift=target.shift,
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
        by=delivery.runtime.actor,
        plan=planned.digest,
        contracts=planned.migrations.allowed,
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
        f"Changes since {live} ({resolved.changes.count}):",
        *(f"  {line}" for line in resolved.changes.lines()),
        "",
        "Migrations:",
        *(f"  {line}" for line in _migrations(planned)),
    ]
    return "\n".join(lines)


def _migrations(planned: Planned) -> list[str]:
    """Each with its kind, and what it means for going back."""
    return [one.says for one in planned.migrations.pending] or ["none"]


def as_markdown(planned: Planned, environment: str) -> str:
    """For the summary of the run: what an approver reads. Titles from outside stand in a code block they cannot leave."""
    from pipelines.runtime import fenced

    resolved = planned.resolved
    live = resolved.live.release if resolved.live else "nothing"
    steps = "\n".join(f"{number}. **{step.component}**: {step.says}" for number, step in enumerate(planned.steps, 1))
    head = f"## {resolved.candidate.release} to {environment}\n\nLive now: **{live}** · commit `{resolved.candidate.commit[:7]}`"
    head += f" · plan `{planned.digest}`"
    if resolved.released_already:
        head += "\n\n✅ Released already: nothing to do."
    migrations = fenced("\n".join(_migrations(planned)))
    changes = fenced("\n".join(resolved.changes.lines()))
    return (
        f"{head}\n\n### What will happen\n\n{steps}\n\n### Migrations\n\n{migrations}\n\n"
        f"### Changes since {live} ({resolved.changes.count})\n\n{changes}"
    )
