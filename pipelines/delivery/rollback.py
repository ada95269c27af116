"""The way back: every component to one earlier release, from the providers' own state; GitHub is told when it can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.delivery.acts import Acts
from pipelines.delivery.history import Logbook
from pipelines.delivery.plan import Return, plan_rollback
from pipelines.delivery.run import Done, Step, carry_out
from pipelines.errors import ShipmateError

if TYPE_CHECKING:
    from pipelines.delivery.context import Delivery
    from pipelines.roles import Live


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody wants taken back. `failed` names a release whose failed deployment is the cause."""

    components: tuple[str, ...] = ()
    """Empty: all together."""
    to: str | None = None
    """None: the release settled before."""
    failed: str = ""
    accept_schema_risk: bool = False


@dataclass(frozen=True, kw_only=True)
class Rolled:
    """What a rollback did."""

    release: str
    was: str
    done: list[Done]
    changed: bool


def decide(delivery: Delivery, asked: Request) -> list[Step]:
    """The plan. Raises RefusedError."""
    return _plan(delivery, asked, delivery.lives(list(asked.components) or None), Logbook(delivery))


def roll_back(delivery: Delivery, asked: Request) -> Rolled:
    """Decide and carry out; verified from outside at its end. Asked again for what is done, it changes nothing and says so."""
    lives = delivery.lives(list(asked.components) or None)
    if asked.failed and not _serves(lives, asked.failed):
        delivery.runtime.say(f"{asked.failed} has no traffic: there is nothing to take back")
        now = _serving(lives)[:1]
        return Rolled(release="".join(now), was="".join(now), done=[], changed=False)
    book = Logbook(delivery)
    steps = _plan(delivery, asked, lives, book)
    release = steps[0].detail["release"]
    was = next((name for name in [asked.failed, *_serving(lives)] if name and name != release), "")
    changed = any(step.action == "back" and not step.done for step in steps)
    if changed or book.unfinished():
        book.open(release, lives)
    elif asked.to is None:
        delivery.runtime.say(
            f"{delivery.environment} was taken back to {release} already; to go back further, name it with --to"
        )
    try:
        done = carry_out(steps, Acts(delivery=delivery).table(), delivery.runtime)
    except ShipmateError as error:
        book.failure(error)
        raise
    book.success(release, was, lives)
    return Rolled(release=release, was=was or release, done=done, changed=changed)


def _plan(delivery: Delivery, asked: Request, lives: dict[str, Live], book: Logbook) -> list[Step]:
    to = asked.to or book.unfinished()
    failed = book.failed() | ({asked.failed} if asked.failed else set())
    unsafe = {} if asked.accept_schema_risk else _unsafe(delivery, lives)
    while True:
        steps = plan_rollback(Return(live=lives, unsafe=unsafe, failed=frozenset(failed), to=to))
        release = steps[0].detail["release"]
        stays = all(step.done for step in steps if step.action == "back")
        if to or stays or release in failed or not book.withdrawn(release):
            return steps
        delivery.runtime.say(f"{release} was withdrawn: only --to {release} goes back to it")
        failed.add(release)


def _serves(lives: dict[str, Live], release: str) -> bool:
    return release in _serving(lives)


def _serving(lives: dict[str, Live]) -> list[str]:
    """Releases with traffic, the one with the most of each component first."""
    found = [d for live in lives.values() for d in sorted(live.serving(), key=lambda d: -d.traffic)]
    return list(dict.fromkeys(d.identity.release for d in found if d.identity))


def _unsafe(delivery: Delivery, lives: dict[str, Live]) -> dict[str, str]:
    """Release -> why the database no longer fits it, for every deployment that is still there."""
    from pipelines.delivery.migrations.due import applied_contracts

    unsafe: dict[str, str] = {}
    for component, live in lives.items():
        if not delivery.manifest.components[component].migrations:
            continue
        contracts = applied_contracts(delivery, component)
        for deployed in live.deployments:
            if deployed.identity:
                newer = [name for name in contracts if name[:4] > deployed.identity.schema]
                if newer:
                    unsafe[deployed.identity.release] = f"the database has {', '.join(newer)} since"
    return unsafe
