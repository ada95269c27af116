"""Whether the required check is green: what was planned beside what came of it."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.ci.needs import CHECKS, FAILED, MISSING, PASSED, PLANNER, Leg, Needs


def problems(found: Needs, *, rehearsal: bool = False) -> Iterator[str]:
    """Why the required check must be red; nothing when each check succeeded, or was skipped by plan.

    On GitHub a skipped job counts as passed, so that a job whose condition is wrong would pass: here only the plan may skip. What a
    rehearsal leaves out may be left out in a rehearsal alone.
    """
    if found.planner != "success":
        yield f"{PLANNER}: {found.planner}, so nobody knows what had to run"
        return
    if not found.decided:
        yield f"{PLANNER}: given no check at all"
    if not rehearsal:
        yield from (
            f"{one.title}: was left out as in a rehearsal, and this is none" for one in found.decided if one.left_out
        )
    yield from _not_started(found)
    if not found.legs:
        if found.checks != "skipped":
            yield f"{CHECKS}: {found.checks}, though the plan has nothing to run"
        return
    bad = [leg for leg in found.legs if found.outcome(leg) != PASSED]
    yield from (f"{leg.title}: {_reason(leg, found)}" for leg in bad)
    if found.checks != "success" and not bad:
        yield f"{CHECKS}: {found.checks}, though each check says that it passed"


def _not_started(found: Needs) -> Iterator[str]:
    """Checks whose decision and jobs do not fit."""
    started = {leg.check for leg in found.legs}
    for one in found.decided:
        if one.runs and one.check not in started:
            yield f"{one.title}: was to run, but the plan has no job for it"
    for check in sorted(started - {one.check for one in found.decided if one.runs}):
        yield f"{check}: has a job, but was not to run"


def _reason(leg: Leg, found: Needs) -> str:
    outcome = found.outcome(leg)
    if outcome == FAILED:
        return str(found.results.get(leg.name, {}).get("why") or "failed")
    if outcome == MISSING:
        return f"left no result, and the checks together ended with {found.checks}"
    return outcome
