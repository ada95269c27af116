"""Decide: facts about the real state in, steps out. Nothing here talks to anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from pipelines.delivery.run import Step
from pipelines.errors import RefusedError
from pipelines.roles import Artifact, Deployed, Identity, Live


@dataclass(frozen=True, kw_only=True)
class Part:
    """One component of a release, and what of it is live."""

    component: str
    artifact: Artifact
    identity: Identity
    live: Live
    shift: tuple[int, ...] = (100,)
    """Steps of traffic in per cent; the last is 100."""
    watch_seconds: float = 0.0

    def candidate(self) -> Deployed | None:
        """The deployment of this release that is ready, if it was staged already."""
        return self.live.of(self.identity.release, self.identity.digest)


def plan_stage(part: Part, migrations: Sequence[str] = ()) -> list[Step]:
    """Expand migrations, a candidate without traffic, checks at its own address."""
    what = f"{part.identity.release} ({part.identity.digest[:19]})"
    staged = part.candidate()
    steps = []
    if migrations:
        says = f"apply {len(migrations)} expand migration(s): {', '.join(migrations)}"
        steps.append(
            Step(action="migrate", component=part.component, says=says, detail={"files": ",".join(migrations)})
        )
    steps.append(
        Step(
            action="stage",
            component=part.component,
            says=f"deploy {what} without traffic",
            detail={"release": part.identity.release, "digest": part.identity.digest},
            done=f"{staged.key} is there already" if staged else "",
        )
    )
    steps.append(
        Step(
            action="verify",
            component=part.component,
            says="check the candidate at its own address",
            detail={"release": part.identity.release},
        )
    )
    return steps


def plan_shift(parts: Sequence[Part]) -> list[Step]:
    """Traffic in watched steps, component by component, the gradual ones first. Raises RefusedError when one is not staged."""
    steps: list[Step] = []
    for part in sorted(parts, key=lambda part: len(part.shift), reverse=True):
        candidate = part.candidate()
        if candidate is None:
            raise RefusedError(
                f"{part.identity.release} is not staged",
                where=part.component,
                why="the job that deploys the candidate did not run, or it was removed since",
                next_step="re-run the workflow from that job",
            )
        for percent in part.shift:
            steps.append(_shift_step(part, candidate, percent))
    return steps


def _shift_step(part: Part, candidate: Deployed, percent: int) -> Step:
    current = sum(d.traffic for d in part.live.serving() if d.identity == candidate.identity or d.key == candidate.key)
    return Step(
        action="shift",
        component=part.component,
        says=f"give {percent} % of the traffic to {part.identity.release}",
        detail={
            "release": part.identity.release,
            "digest": part.identity.digest,
            "percent": str(percent),
            "watch": str(part.watch_seconds),
        },
        done=f"has {current} % already" if current >= percent else "",
    )


def plan_settle(parts: Sequence[Part]) -> list[Step]:
    """After it was proved: mark it as good to come back to."""
    return [
        Step(
            action="settle",
            component=part.component,
            says=f"settle {part.identity.release}",
            detail={"release": part.identity.release, "digest": part.identity.digest},
            done="is settled already" if _settled(part) else "",
        )
        for part in parts
    ]


def _settled(part: Part) -> bool:
    main = part.live.main()
    if main is None or main.identity is None or part.live.settled[:1] != (main.key,):
        return False
    return (main.identity.release, main.identity.digest) == (part.identity.release, part.identity.digest)


@dataclass(frozen=True, kw_only=True)
class Return:
    """What a rollback knows: the live state of each component, and which releases the schema still fits."""

    live: Mapping[str, Live]
    unsafe: Mapping[str, str] = field(default_factory=dict)
    """Release -> why going back to it is not safe (the database moved on)."""
    failed: frozenset[str] = frozenset()
    """Releases the ledger knows as failed or taken back: never chosen by ourselves."""
    to: str | None = None
    """A release asked for by name."""


def plan_rollback(facts: Return) -> list[Step]:
    """Every component back to one release. Raises RefusedError, saying why, when there is nothing safe to go back to."""
    release = facts.to or _previous(facts)
    _require_safe(release, facts)
    steps = []
    for component, live in facts.live.items():
        target = _deployment_of(release, live)
        if target is None:
            raise RefusedError(
                f"no ready deployment of {release} is left",
                where=component,
                why="it was never deployed here, was removed, or does not become ready",
                next_step=f"choose another with --to ({_choices(live)}), or deploy {release} again",
            )
        has = target.traffic
        steps.append(
            Step(
                action="back",
                component=component,
                says=f"give all traffic to {release} ({target.key})",
                detail={"release": release, "key": target.key},
                done="has all traffic already" if has == 100 and live.settled[:1] == (target.key,) else "",
            )
        )
    steps += [
        Step(
            action="outside",
            component=component,
            says=f"ask its public address for {release}",
            detail={"release": release},
        )
        for component in facts.live
    ]
    return steps


def _previous(facts: Return) -> str:
    """The release settled before the newest one that has traffic, and not failed.

    What was taken back already is not taken back further: a rollback that was killed, or is asked for twice, ends at the same release.
    """
    serving = sorted(set().union(*(_releases(live) for live in facts.live.values())))
    settled = [release for live in facts.live.values() for release in _settled_releases(live)]
    if serving:
        newest = reduce(lambda a, b: a if _newer(a, b, facts) else b, serving)
        if any(_newer(release, newest, facts) for release in settled):
            return newest
        for release in settled:
            if release not in facts.failed and release != newest:
                return release
    raise RefusedError(
        f"there is no earlier release that was live and well (live now: {', '.join(serving) or 'nothing of ours'})",
        why="this is the first release, or the earlier ones were removed or taken back",
        next_step="mend forward with a new release, or name one with --to",
    )


def _newer(release: str, other: str, facts: Return) -> bool:
    """Whether a release was deployed after another one, by a provider that has both."""
    for live in facts.live.values():
        order = list(dict.fromkeys(d.identity.release for d in live.deployments if d.identity))
        if release in order and other in order and order.index(release) < order.index(other):
            return True
    return False


def _releases(live: Live) -> set[str]:
    return {d.identity.release for d in live.serving() if d.identity}


def _settled_releases(live: Live) -> list[str]:
    found = (live.find(key) for key in live.settled)
    return [d.identity.release for d in found if d and d.ready and d.identity]


def _require_safe(release: str, facts: Return) -> None:
    if release in facts.unsafe:
        raise RefusedError(
            f"going back to {release} is not safe: {facts.unsafe[release]}",
            why="a contract migration has removed what that release needs",
            next_step="go back to a later release with --to, or mend forward",
        )


def _deployment_of(release: str, live: Live) -> Deployed | None:
    known = [d for d in live.deployments if d.ready and d.identity and d.identity.release == release]
    settled = [d for d in known if d.key in live.settled]
    serving = [d for d in known if d.traffic]
    return next(iter([*settled, *serving, *known]), None)


def _choices(live: Live) -> str:
    names = dict.fromkeys(d.identity.release for d in live.deployments if d.ready and d.identity)
    return "there: " + (", ".join(names) or "none")
