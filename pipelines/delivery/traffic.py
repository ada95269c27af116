"""Where a delivery stands, by the traffic alone: at its base, at one of its own steps, or where someone else put it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.delivery.steps.base import Base
from pipelines.errors import ConflictError, RefusedError
from pipelines.roles import Deployed, Live


def candidate(live: Live, component: str, release: str, digest: str) -> Deployed:
    """The candidate, ready. Raises ConflictError when it is gone."""
    found = live.of(release, digest)
    if found is None:
        raise ConflictError(
            f"the candidate of {release} is gone",
            where=component,
            why="the job that deploys it did not run, someone removed it, or it stopped being ready",
            next_step="in a workflow re-run the job that deploys it; in a terminal run `shipmate deploy` again",
        )
    return found


def base_for(live: Live, component: str, release: str, digest: str) -> Base | None:
    """What a delivery of this release is planned on: what has the traffic that the release itself does not have; None for nothing.

    A delivery that was killed after its last step of traffic is planned on what was stable before it, as it was the first time. One
    that is stable is its own base. Raises RefusedError while others share the traffic.
    """
    others = [d for d in live.serving() if not _is(d, release, digest)]
    if len(others) > 1:
        raise RefusedError(
            f"the traffic is split: {shown(live)}",
            where=component,
            why="another delivery is under way, or stopped half-way",
            next_step="wait for it, or go back first: shipmate rollback",
        )
    if others:
        return Base.of(others[0])
    main = live.main()
    if main is None:
        return None
    if live.marks.stable[:1] == (main.key,):
        return Base.of(main)
    before = (live.find(key) for key in live.marks.stable)
    stable = next((d for d in before if d is not None and d.ready and not _is(d, release, digest)), None)
    return Base.of(stable) if stable is not None else None


def share_on_the_way(live: Live, component: str, release: str, digest: str, shares: Sequence[int], base: str) -> int:
    """Per cent that the candidate has, when the traffic is as the base or one of the steps left it.

    Raises RefusedError for any other state: someone else moved the traffic since the plan was made.
    """
    share = live.share(release, digest)
    rest = {d.key: d.traffic for d in live.serving() if not _is(d, release, digest)}
    expected = {base: 100 - share} if base and share < 100 else {}
    starting = not base and share == 0 and not rest
    if starting or (share in (0, *shares) and rest == expected):
        return share
    raise RefusedError(
        f"the traffic is not where this delivery left it: {shown(live)}",
        where=component,
        why=f"it was planned on {base or 'nothing'}; someone deployed, rolled back or moved traffic since",
        next_step="nothing was changed by this step; see `shipmate status`, and start the workflow again",
    )


def shown(live: Live) -> str:
    """`v1.0.0 90 %, v1.1.0 10 %`"""
    return ", ".join(f"{d.identity.release if d.identity else d.key} {d.traffic} %" for d in live.serving()) or "none"


def _is(deployed: Deployed, release: str, digest: str) -> bool:
    found = deployed.identity
    return found is not None and (found.release, found.digest) == (release, digest)
