"""The way back: every component to one earlier release, from the providers' own state; GitHub is told when it can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.deploy.plan import Return, plan_rollback
from pipelines.deploy.steps import Done, Step, carry_out
from pipelines.errors import RefusedError, ShipmateError
from pipelines.flows.acts import Acts
from pipelines.ledger import ROLLBACK

if TYPE_CHECKING:
    from pipelines.flows.delivery import Delivery
    from pipelines.ledger import Record
    from pipelines.roles import Live


@dataclass(frozen=True, kw_only=True)
class Rolled:
    """What a rollback did."""

    release: str
    was: str
    done: list[Done]
    changed: bool


def decide(
    delivery: Delivery, *, components: list[str], to: str | None, failed: str = "", accept_schema_risk: bool = False
) -> list[Step]:
    """The plan. `failed` names a release whose failed deployment caused this. Raises RefusedError."""
    lives = delivery.lives(components or None)
    known_failed = _failed_releases(delivery) | ({failed} if failed else set())
    unsafe = {} if accept_schema_risk else _unsafe(delivery, lives)
    return plan_rollback(Return(live=lives, unsafe=unsafe, failed=frozenset(known_failed), to=to))


def roll_back(
    delivery: Delivery,
    *,
    components: list[str],
    to: str | None = None,
    failed: str = "",
    accept_schema_risk: bool = False,
) -> Rolled:
    """Decide and carry out; verified from outside at its end. Asked again for what is done, it changes nothing and says so."""
    lives = delivery.lives(components or None)
    was = _main_release(lives)
    if failed and not _serves(lives, failed):
        delivery.runtime.say(f"{failed} has no traffic: there is nothing to take back")
        return Rolled(release=was, was=was, done=[], changed=False)
    steps = decide(delivery, components=components, to=to, failed=failed, accept_schema_risk=accept_schema_risk)
    release = steps[0].detail["release"]
    changed = any(step.action == "back" and not step.done for step in steps)
    record = _open_record(delivery, release, lives) if changed else None
    done = carry_out(steps, Acts(delivery=delivery).table(), delivery.runtime)
    _tell_ledger(delivery, record, release, failed or was)
    return Rolled(release=release, was=failed or was, done=done, changed=changed)


def _serves(lives: dict[str, Live], release: str) -> bool:
    return any(d.identity and d.identity.release == release for live in lives.values() for d in live.serving())


def _main_release(lives: dict[str, Live]) -> str:
    for live in lives.values():
        main = live.main()
        if main and main.identity:
            return main.identity.release
    return ""


def _unsafe(delivery: Delivery, lives: dict[str, Live]) -> dict[str, str]:
    """Release -> why the database no longer fits it, for every deployment that is still there."""
    from pipelines.flows.migrations import applied_contracts

    contracts: list[str] | None = None
    unsafe: dict[str, str] = {}
    for component, live in lives.items():
        if not delivery.manifest.components[component].migrations:
            continue
        if contracts is None:
            contracts = applied_contracts(delivery, component)
        for deployed in live.deployments:
            if deployed.identity:
                newer = [name for name in contracts if name[:4] > deployed.identity.schema]
                if newer:
                    unsafe[deployed.identity.release] = f"the database has {', '.join(newer)} since"
    return unsafe


def _failed_releases(delivery: Delivery) -> set[str]:
    """What the ledger knows as failed or taken back; nothing while GitHub is down or absent."""
    if delivery.github is None:
        return set()
    try:
        records = delivery.ledger.records(delivery.environment)
    except ShipmateError as error:
        delivery.runtime.annotate(
            "warning", f"GitHub does not answer; going by the providers' own state ({error.what})"
        )
        return set()
    ended: dict[str, str] = {}
    for record in records:
        if record.task != ROLLBACK:
            ended.setdefault(record.release, record.state)
    return {release for release, state in ended.items() if state in ("failure", "error", "inactive")}


def _open_record(delivery: Delivery, release: str, lives: dict[str, Live]) -> Record | None:
    """A rollback never fails because the ledger cannot be written."""
    if delivery.github is None:
        return None
    target = next(
        (d for live in lives.values() for d in live.deployments if d.identity and d.identity.release == release), None
    )
    if target is None or target.identity is None:
        raise RefusedError(f"no deployment of {release} is left", where=delivery.environment)
    env = delivery.runtime.environ
    try:
        return delivery.ledger.open(
            environment=delivery.environment,
            release=release,
            commit=target.identity.commit,
            artifacts={
                name: d.identity.digest
                for name, live in lives.items()
                for d in live.deployments
                if d.identity and d.identity.release == release
            },
            run=delivery.runtime.run_url,
            run_id=env.get("GITHUB_RUN_ID", ""),
            attempt=env.get("GITHUB_RUN_ATTEMPT", ""),
            task=ROLLBACK,
        )
    except ShipmateError as error:
        delivery.runtime.annotate("warning", f"the ledger could not be told: {error}")
        return None


def _tell_ledger(delivery: Delivery, record: Record | None, release: str, was: str) -> None:
    if record is None:
        return
    try:
        delivery.ledger.note(record, "success", f"back to {release} from {was}", url=delivery.runtime.run_url)
        for other in delivery.ledger.records(delivery.environment):
            if other.release == was and other.task != ROLLBACK and other.state in ("success", "in_progress", "failure"):
                delivery.ledger.note(other, "inactive", f"taken back to {release}", url=delivery.runtime.run_url)
                break
    except ShipmateError as error:
        delivery.runtime.annotate("warning", f"the ledger could not be told: {error}")
