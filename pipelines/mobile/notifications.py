"""What people are notified of a release of the apps: what, by whom, where to install it, and what is left to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipelines.errors import CheckFailed
from pipelines.mobile.promoted import lines, problem_of
from pipelines.roles import Message

if TYPE_CHECKING:
    from pipelines.manifest import Manifest
    from pipelines.mobile.context import Context
    from pipelines.mobile.promoted import Outcome
    from pipelines.runtime import Runtime

NEXT = "open the run and read the first red step; re-running its failed jobs delivers only what is missing"


def message(context: Context, jobs: Mapping[str, str]) -> Message | None:
    """What a run calls for, by the results of its jobs; None where it is not among what the manifest asks for.

    A run that starts the release again, above a number that was used, leaves it to the next one to say how it ends.
    """
    failed = [name for name, result in jobs.items() if result in ("failure", "cancelled")]
    kind = "released" if jobs.get("release") == "success" else "deployment-failed"
    if kind not in context.manifest.alerts.when or (kind == "deployment-failed" and not failed):
        return None
    runtime = context.runtime
    return Message(
        kind=kind,
        title=f"{context.tag} is with its testers"
        if kind == "released"
        else f"{context.tag} is not with all of its testers",
        what="; ".join(_lines(context)) or f"failed: {', '.join(failed)}",
        where="the apps",
        who=runtime.actor or "someone",
        run=runtime.run_url,
        next_step=_left(context) if kind == "released" else NEXT,
        facts={"release": context.tag, **_installed_from(context)},
    )


def of_promotion(manifest: Manifest, runtime: Runtime, outcomes: Sequence[Outcome]) -> Message | None:
    """What a promotion or a watch calls for: a roll-out that was halted, one that failed, or more people who get a version. None where
    nothing happened, or the manifest does not ask for it."""
    problem = problem_of([each for each in outcomes if each.promoted is None or not each.promoted.held])
    moved = [each.promoted for each in outcomes if each.promoted is not None and each.promoted.changed]
    kind = "deployment-failed" if problem is not None else "released"
    if (problem is None and not moved) or kind not in manifest.alerts.when:
        return None
    if problem is not None:
        halted = isinstance(problem, CheckFailed)
        title = "A roll-out of the apps was halted" if halted else "A promotion of the apps failed"
    else:
        title = f"More people get {' and '.join(dict.fromkeys(str(each.build) for each in moved))} of the apps"
    waits = [f"{each.platform} waits for {each.waits_for}" for each in moved if each.waits_for]
    return Message(
        kind=kind,
        title=title,
        what="; ".join(line.strip() for line in lines(outcomes)),
        where="the apps",
        who=runtime.actor or "the schedule",
        run=runtime.run_url,
        next_step=problem.next_step
        if problem is not None
        else "; ".join(waits) or "`shipmate mobile status` says how it does",
    )


def _lines(context: Context) -> list[str]:
    release = context.release
    found = []
    for platform in release.platforms:
        result = context.results.get(platform)
        if result is None:
            found.append(f"{platform}: nothing was delivered")
        else:
            found.append(f"{platform}: {result.problem or result.text or 'nothing was delivered'}")
    return found


def _left(context: Context) -> str:
    waits = [f"{name}: {result.waits_for}" for name, result in context.results.items() if result.waits_for]
    return "; ".join(waits) or "test it; then `shipmate mobile promote --to production`"


def _installed_from(context: Context) -> dict[str, str]:
    """Where testers get it."""
    found = {}
    mobile, results = context.mobile, context.results
    if mobile.android is not None and "android" in results and results["android"].delivered:
        found["Android"] = (
            f"Google Play, {mobile.android.track} testing: https://play.google.com/store/apps/details?id={mobile.android.package}"
        )
    if mobile.ios is not None and "ios" in results and results["ios"].delivered:
        groups = (*mobile.ios.groups.internal, *mobile.ios.groups.external)
        found["iOS"] = f"TestFlight, {', '.join(groups) or 'all testers'}"
    return found
