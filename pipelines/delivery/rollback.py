"""Rollback of a failed delivery to its base, or an environment to one earlier release, by the providers' own state alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING

from pipelines.delivery import superseding, traffic
from pipelines.delivery.steps.mark_failed import MarkFailed
from pipelines.delivery.steps.restore import ConfirmRestored, MarkRestored, Restore
from pipelines.delivery.steps.verify_live import VerifyLive
from pipelines.errors import CheckFailed, RefusedError, ShipmateError
from pipelines.history import History
from pipelines.ledger import ROLLBACK
from pipelines.steps import Done, carry_out

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.delivery.plan import Plan
    from pipelines.delivery.steps.base import Facts as DeliveryFacts
    from pipelines.delivery.steps.base import Step
    from pipelines.roles import Deployed, Live, Lock


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be rolled back."""

    components: tuple[str, ...] = ()
    """Empty: all together."""
    to: str | None = None
    """None: the release that was stable before."""
    accept_schema_risk: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a rollback did."""

    release: str
    was: str
    done: Sequence[Done]
    changed: bool
    unannounced: str = ""
    """The release that was rolled back and that people were not notified of yet, now or by a rollback that was killed."""
    problem: ShipmateError | None = None
    """The traffic is back, but what it went to does not answer as it should."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a rollback knows: the live state of each component with its marks, and which releases the schema still fits."""

    live: Mapping[str, Live]
    unsafe: Mapping[str, str] = field(default_factory=dict)
    """Release -> why going back to it is not safe (the database moved on)."""
    withdrawn: frozenset[str] = frozenset()
    """Releases that GitHub knows as withdrawn, beyond the providers' marks."""
    to: str | None = None
    """A release asked for by name."""

    @property
    def delivering(self) -> Lock | None:
        """The delivery that moves traffic now, or died doing it."""
        locks = [live.marks.lock for live in self.live.values() if live.marks.lock is not None]
        return next((lock for lock in locks if lock.kind == "delivery"), None)

    @property
    def excluded(self) -> frozenset[str]:
        """Releases that are never chosen unless named."""
        marked = {name for live in self.live.values() for name in (*live.marks.failed, *live.marks.withdrawn)}
        return frozenset(marked) | self.withdrawn

    @property
    def restoring(self) -> str:
        """Where a rollback was going that did not end."""
        return next((live.marks.restoring for live in self.live.values() if live.marks.restoring), "")


def plan(facts: Facts) -> list[Step]:
    """Every component back to one release, in the order of pipeline.ROLLBACK. Pure. Raises RefusedError, saying why, when there is
    nothing safe to go back to."""
    under_way = facts.delivering
    release = facts.to or facts.restoring or (under_way.base if under_way else "") or _previous(facts)
    if release in facts.unsafe:
        raise RefusedError(
            f"going back to {release} is not safe: {facts.unsafe[release]}",
            why="a contract migration has removed what that release needs",
            next_step="go back to a later release with --to, fix it forward, or, if you know that it fits, add --accept-schema-risk",
        )
    targets = {component: _target(release, component, live) for component, live in facts.live.items()}
    left = {component: _left(release, live) for component, live in facts.live.items()}
    keys = {name: (release, found.key) for name, found in targets.items()}
    restoring = _restoring(keys, facts.live, stopping=under_way)
    moves = any(d.identity and d.identity.release != release for live in facts.live.values() for d in live.serving())
    unmarked = any(not step.done(facts.live[step.component]) for step in restoring if isinstance(step, MarkRestored))
    if not moves and not unmarked:
        return restoring
    marks = [
        MarkFailed(
            component=name,
            release=left[name],
            to=release,
            why=f"rolled back to {release}",
            stops=under_way.says if under_way else "",
        )
        for name in targets
    ]
    return [*marks, *restoring]


def plan_to_base(failed: Plan, lives: Mapping[str, Live], holder: str = "") -> list[Step]:
    """A failed delivery back to what was live when it was planned; nothing when it has no traffic (any more), or someone else has
    taken over. Pure. `holder`: whose delivery it is, as its locks name it: a run, or a process at a terminal.

    Raises RefusedError when someone else moved the traffic since, or when nothing was live before.
    """
    facts = {each.component: each for each in failed.facts}
    if taken_over(failed, lives, holder):
        return []
    shares = {
        name: traffic.share_on_the_way(
            lives[name], name, each.release, each.digest, each.shift, each.base.key if each.base else ""
        )
        for name, each in facts.items()
    }
    if not any(shares.values()) and not any(_under_way(each, lives[name]) for name, each in facts.items()):
        return []
    release = failed.recorded.release
    without = [name for name, share in shares.items() if share and facts[name].base is None]
    if without:
        raise RefusedError(
            f"nothing was live before {release}",
            where=", ".join(without),
            why="it is the first release here: there is nothing to go back to",
            next_step="fix it forward with a new release",
        )
    bases = {
        name: each.base
        for name, each in facts.items()
        if each.base is not None and (each.base.release, each.base.digest) != (each.release, each.digest)
    }
    marks = [
        MarkFailed(component=name, release=release, to=base.release, why="its delivery failed", kind="return")
        for name, base in bases.items()
    ]
    return [*marks, *_restoring({name: (base.release, base.key) for name, base in bases.items()}, lives)]


def taken_over(failed: Plan, lives: Mapping[str, Live], holder: str) -> str:
    """Who took over since a delivery was planned, in words: someone who rolled back, or another delivery; empty when nobody did."""
    for each in failed.facts:
        marks = lives[each.component].marks
        if marks.lock is not None and holder and marks.lock.id.partition("/")[0] != holder:
            return marks.lock.says
        if marks.epoch != each.epoch:
            return "a rollback"
    return ""


def _under_way(each: DeliveryFacts, live: Live) -> bool:
    """Whether the rollback to the base of a component was started, and killed before its end."""
    return each.base is not None and bool(each.base.release) and live.marks.restoring == each.base.release


def _restoring(
    targets: Mapping[str, tuple[str, str]], lives: Mapping[str, Live], stopping: Lock | None = None
) -> list[Step]:
    """`targets`: component -> (release, key). What was not deployed by us has no release that could be asked for."""
    ours = {name: found for name, found in targets.items() if found[0]}
    return [
        *(
            Restore(component=name, release=release or key, key=key, by=found.back_by if found else "")
            for name, (release, key) in targets.items()
            for found in (lives[name].find(key),)
        ),
        *(VerifyLive(component=name, release=release) for name, (release, _) in ours.items()),
        *(
            ConfirmRestored(component=name, release=release, key=key)
            for name, (release, key) in ours.items()
            if stopping is not None
        ),
        *(MarkRestored(component=name, release=release, key=key) for name, (release, key) in ours.items()),
    ]


def preview(context: Context, asked: Request) -> list[tuple[Step, str]]:
    """What would happen: each step, and why it has nothing to do where it has not. Raises RefusedError."""
    steps = _plan(context, asked, context.lives(asked.components))
    return [(step, step.already(context)) for step in steps]


def roll_back(context: Context, asked: Request) -> Result:
    """Decide and carry out; verified from outside at its end. Asked again for what is done, it changes nothing and says so."""
    lives = context.lives(asked.components)
    steps = _plan(context, asked, lives)
    return _carry_out(context, steps, lives, named=asked.to is not None)


def return_to_base(context: Context, failed: Plan) -> Result:
    """Roll a failed delivery back. Raises what `plan_to_base` raises, and what the steps raise."""
    lives = context.lives(failed.components)
    failed = superseding.rebased(failed, lives, context.manifest)
    # The jobs of a run hold their locks in its name; a terminal in its own.
    holder = context.lock_id.partition("/")[0]
    steps = plan_to_base(failed, lives, holder)
    if not steps:
        serving = "".join(_serving(lives)[:1])
        by = taken_over(failed, lives, holder)
        why = f"was stopped by {by}, which decides what is live" if by else "has no traffic"
        context.runtime.say(f"{failed.recorded.release} {why}: there is nothing to roll back")
        return Result(release=serving, was=serving, done=(), changed=False)
    return _carry_out(context, steps, lives, named=True)


def _carry_out(context: Context, steps: Sequence[Step], lives: Mapping[str, Live], *, named: bool) -> Result:
    restores = [step for step in steps if isinstance(step, Restore)]
    release = restores[0].release
    was = next((name for name in _serving(lives) if name != release), "")
    changed = any(not step.done(lives[step.component]) for step in restores)
    history = History(context, ROLLBACK)
    if changed:
        found = {step.component: lives[step.component].find(step.key) for step in restores}
        identities = {name: d.identity for name, d in found.items() if d is not None and d.identity}
        commit = next((identity.commit for identity in identities.values()), "")
        if commit:
            history.open(release, commit, {name: identity.digest for name, identity in identities.items()})
        history.note("in_progress", f"going back to {release}")
    elif not named:
        context.runtime.say(
            f"{context.environment} was rolled back to {release} already; to go back further, name it with --to"
        )
    if not changed and not any(live.marks.lock for live in lives.values()):
        context.runtime.say("no delivery is under way; to keep one that is approved from beginning: shipmate freeze")
    problem = None
    done: list[Done] = []
    with history.failing(f"rollback to {release}"):
        try:
            done = carry_out(steps, context)
        except CheckFailed as error:
            problem = error
    if problem is not None:
        history.note("failure", f"rollback to {release}: {problem.what}")
    elif changed:
        history.note("success", f"back to {release} from {was}" if was else f"back to {release}")
        history.rolled_back(release, {step.component for step in restores})
    unannounced = next(
        (
            marks.unannounced
            for marks in (live.marks for live in context.lives(list(lives)).values())
            if marks.unannounced
        ),
        "",
    )
    return Result(
        release=release, was=was or release, done=done, changed=changed, unannounced=unannounced, problem=problem
    )


def mark_announced(context: Context, components: Sequence[str] = ()) -> None:
    """Write down that people were notified of the rollback."""
    for component in components or context.settings.targets:
        context.host(component).mark(lambda marks: replace(marks, unannounced=""))


def _plan(context: Context, asked: Request, lives: Mapping[str, Live]) -> list[Step]:
    unsafe = {} if asked.accept_schema_risk else _unsafe(context, lives)
    withdrawn: set[str] = set()
    while True:
        facts = Facts(live=lives, unsafe=unsafe, withdrawn=frozenset(withdrawn), to=asked.to)
        steps = plan(facts)
        restores = [step for step in steps if isinstance(step, Restore)]
        release = restores[0].release
        stays = all(step.done(lives[step.component]) for step in restores)
        if asked.to or facts.restoring or stays or release in withdrawn or not _withdrawn(context, release):
            return steps
        context.runtime.say(f"{release} was withdrawn: only --to {release} goes back to it")
        withdrawn.add(release)


def _withdrawn(context: Context, release: str) -> bool:
    """Whether a release was withdrawn on GitHub; while that cannot be asked it is reported, and taken as no: the providers' marks count."""
    if context.github is None:
        context.runtime.say(
            f"whether {release} was withdrawn is only known by the providers' marks: GitHub was not asked"
        )
        return False
    from release.publishing.github_forge import GitHubForge
    from release.versions.withdrawals import WITHDRAWN

    try:
        found = GitHubForge(context.github.brief()).published(release)
    except ShipmateError as error:
        what = f"whether {release} was withdrawn is only known by the providers' marks ({error.what})"
        context.runtime.annotate("warning", what, title="Rollback")
        return False
    return found is not None and WITHDRAWN in found.body


def _serving(lives: Mapping[str, Live]) -> list[str]:
    """Releases with traffic, the one with the most of each component first."""
    found = [d for live in lives.values() for d in sorted(live.serving(), key=lambda d: -d.traffic)]
    return list(dict.fromkeys(d.identity.release for d in found if d.identity))


def _unsafe(context: Context, lives: Mapping[str, Live]) -> dict[str, str]:
    """Release -> why the database no longer fits it, for every deployment that is still there, by the providers' marks alone."""
    unsafe: dict[str, str] = {}
    for component, live in lives.items():
        if not context.manifest.components[component].migrations:
            continue
        identities = [d.identity for d in live.deployments if d.identity]
        removed = max([live.marks.contracts, *(identity.contracts for identity in identities)])
        for identity in identities:
            if removed > identity.schema:
                unsafe[identity.release] = f"contract migration {removed} began since, and it knows {identity.schema}"
    return unsafe


def _left(release: str, live: Live) -> str:
    """The release that a component is rolled back from: one that serves, and was deployed after the one it goes to."""
    order = list(dict.fromkeys(d.identity.release for d in live.deployments if d.identity))
    later = order[: order.index(release)] if release in order else []
    return next((d.identity.release for d in live.serving() if d.identity and d.identity.release in later), "")


def _previous(facts: Facts) -> str:
    """The release that was stable before the newest one that has traffic, and neither failed nor withdrawn.

    What was rolled back already is not rolled back further: a rollback that was killed, or is asked for twice, ends at the same release.
    """
    serving = sorted(set().union(*(_releases(live) for live in facts.live.values())))
    stable = [release for live in facts.live.values() for release in _stable_releases(live)]
    if serving:
        newest = reduce(lambda a, b: a if _newer(a, b, facts) else b, serving)
        failed = [release for live in facts.live.values() for release in live.marks.failed]
        if any(_newer(release, newest, facts) for release in (*stable, *failed)):
            return newest
        for release in stable:
            if release not in facts.excluded and release != newest:
                return release
    raise RefusedError(
        f"there is no earlier release that was live and well (live now: {', '.join(serving) or 'nothing of ours'})",
        why="this is the first release, or the earlier ones were removed, rolled back or withdrawn",
        next_step="fix it forward with a new release, or name one with --to",
    )


def _newer(release: str, other: str, facts: Facts) -> bool:
    """Whether a release was deployed after another one, by a provider that has both."""
    for live in facts.live.values():
        order = list(dict.fromkeys(d.identity.release for d in live.deployments if d.identity))
        if release in order and other in order and order.index(release) < order.index(other):
            return True
    return False


def _releases(live: Live) -> set[str]:
    return {d.identity.release for d in live.serving() if d.identity}


def _stable_releases(live: Live) -> list[str]:
    found = (live.find(key) for key in live.marks.stable)
    return [d.identity.release for d in found if d and d.ready and d.identity]


def _target(release: str, component: str, live: Live) -> Deployed:
    known = [d for d in live.deployments if d.ready and d.identity and d.identity.release == release]
    stable = [d for d in known if d.key in live.marks.stable]
    serving = [d for d in known if d.traffic]
    found = next(iter([*stable, *serving, *known]), None)
    if found is None:
        names = dict.fromkeys(d.identity.release for d in live.deployments if d.ready and d.identity)
        raise RefusedError(
            f"no ready deployment of {release} is left",
            where=component,
            why="it was never deployed here, was removed, or does not become ready",
            next_step=f"choose another with --to (there: {', '.join(names) or 'none'}), or deploy {release} again",
        )
    return found
