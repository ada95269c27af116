"""Load tests of an environment: what may be done is asked first, visits are made, and all of them must have met one release."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipelines.delivery import load_target
from pipelines.delivery.load_target import LoadTarget, Serving
from pipelines.errors import CheckFailed, InvalidRun, RefusedError

if TYPE_CHECKING:
    from loadtests.arrivals import Profile
    from loadtests.capacity import Bounds, Capacity
    from loadtests.recording import Recording
    from loadtests.run import Progress
    from loadtests.verdicts import Judgement
    from pipelines.delivery.context import Context
    from pipelines.manifest.model import Journey


def measure(
    context: Context,
    profile_name: str,
    *,
    accepted: bool = False,
    seed: int | None = None,
    processes: int = 1,
    shard: int = 0,
    shards: int = 1,
    start: float | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[Recording, Serving]:
    """Make the visits of a profile; what came of them, and the release that they met. `start`: seconds since 1970.

    Raises InputError and RefusedError before anything is asked, InvalidRun when a generator was lost or another release went live.
    """
    from loadtests.arrivals import Profile
    from loadtests.recording import RecordingRefused

    declared = load_target.profile_named(context.manifest, profile_name)
    target = load_target.load_target(context, accepted=accepted)
    load_target.require_within(declared, target.limits, context.environment)
    before = load_target.serving(context, target.addresses)
    try:
        recording = _visits(
            context,
            target,
            before,
            Profile.declared(profile_name, declared, target.limits),
            seed=int(time.time()) if seed is None else seed,
            processes=processes,
            shard=shard,
            shards=shards,
            start=start,
            progress=progress,
        )
    except RecordingRefused as error:
        raise InvalidRun(
            str(error),
            where=f"load test of {context.environment}",
            next_step="run it again; see what the generator printed",
        ) from error
    _require_same(context, before, target.addresses)
    return recording, before


def find_capacity(
    context: Context,
    profile_name: str,
    *,
    seed: int | None = None,
    processes: int = 1,
    step_seconds: float | None = None,
    about: Callable[[str], None] = lambda _: None,
    keep: Callable[[int, Judgement, Recording], None] = lambda *_: None,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[Capacity, Serving]:
    """Search the highest rate of visits that meets the targets, from the lowest rate of a profile on; and the release that was met.

    `about` is called with what is to be done, before it is; `keep` is given number, judgement and recording of each step.
    Raises InputError and RefusedError before anything is asked, InvalidRun when another release went live.
    """
    from loadtests import capacity

    declared = load_target.profile_named(context.manifest, profile_name)
    target = load_target.load_target(context, accepted=False)
    limits = target.limits
    bounds = capacity.Bounds(
        start=declared.least_per_second,
        most=limits.visits_per_second,
        total_seconds=limits.seconds,
        step_seconds=step_seconds or capacity.STEP_SECONDS,
        requests=_fewest_requests(context, target.journeys),
    )
    _require_searchable(bounds, context.environment)
    serving = load_target.serving(context, target.addresses)
    drawn_from = int(time.time()) if seed is None else seed

    def play(profile: Profile, draw: int) -> Recording:
        recording = _visits(
            context, target, serving, profile, seed=drawn_from + draw, processes=processes, progress=progress
        )
        _require_same(context, serving, target.addresses)
        return recording

    about(
        f"capacity of {context.environment} ({serving.release}): from {bounds.start:g} visits/s, doubled until a target is missed or "
        f"{bounds.most:g} are reached; about {capacity.expected_steps(bounds)} steps of {bounds.step(bounds.start).seconds:g} s or less, "
        f"and no longer than {bounds.total_seconds:g} s in all"
    )
    search = capacity.Search(
        play,
        context.manifest.performance.targets,
        bounds,
        stop_errors=limits.stop_at_errors / 100,
        about=about,
        keep=keep,
    )
    return search.run(), serving


def _visits(
    context: Context,
    target: LoadTarget,
    serving: Serving,
    profile: Profile,
    *,
    seed: int,
    processes: int,
    progress: Callable[[Progress], None] | None,
    shard: int = 0,
    shards: int = 1,
    start: float | None = None,
) -> Recording:
    """What the generator makes of a profile, within what the environment takes. Raises RecordingRefused for a run that is lost."""
    from loadtests.plan import Caps
    from loadtests.run import run

    return run(
        profile,
        target.journeys,
        target.addresses,
        hosts=[urlsplit(url).hostname or "" for url in context.urls().values()],
        environment=context.environment,
        release=serving.release,
        seed=seed,
        processes=processes,
        shard=shard,
        shards=shards,
        start=start,
        headers=target.headers,
        caps=Caps(rate=target.limits.visits_per_second, seconds=target.limits.seconds),
        progress=progress,
    )


def _fewest_requests(context: Context, journeys: Mapping[str, Journey]) -> float:
    """Requests in a visit, on average, of the component that is asked for least among those with a target; 1 where none is."""
    whole = sum(journey.weight for journey in journeys.values())
    asked = {
        each.component: sum(j.weight * len(j.requests) for j in journeys.values() if j.component == each.component)
        for each in context.manifest.performance.targets.values()
    }
    return min((count / whole for count in asked.values() if count), default=1.0)


def _require_searchable(bounds: Bounds, environment: str) -> None:
    first = bounds.step(bounds.start)
    for asked, most, unit in (
        (first.rate, bounds.most, "visits per second"),
        (first.seconds, bounds.total_seconds, "seconds"),
    ):
        if asked > most:
            raise RefusedError(
                f"the first step asks for more than {environment} takes: {asked:g} {unit}, and {most:g} at the most",
                where=f"environments/{environment}/load",
                next_step="choose another profile, whose lowest rate is the first step's, or have the limit raised by a pull request",
            )


def _require_same(context: Context, before: Serving, addresses: Mapping[str, str]) -> None:
    try:
        after = load_target.serving(context, addresses)
    except RefusedError as error:
        raise InvalidRun(
            f"another release went live while {before.release} was measured",
            where=context.environment,
            why=error.what,
            next_step="run it again when the delivery has ended",
        ) from error
    if after != before:
        raise InvalidRun(
            f"{after.release} went live while {before.release} was measured",
            where=context.environment,
            next_step="run it again: what was measured is of two releases",
        )


def read_shards(folder: Path) -> tuple[Recording, str]:
    """What all runners of a load test left, merged, and the commit that they met. Raises InvalidRun when one is missing or unlike."""
    from loadtests.recording import Recording, RecordingRefused, merge

    found = [json.loads(file.read_text()) for file in sorted(folder.glob("shard-*.json"))]
    commits = {each["commit"] for each in found}
    try:
        if len(commits) != 1:
            raise RecordingRefused("runners met different commits" if commits else "no runner left a recording")
        return merge(Recording.from_json(json.dumps(each["recording"])) for each in found), commits.pop()
    except RecordingRefused as error:
        raise InvalidRun(
            str(error),
            where=str(folder),
            next_step="see the jobs of the runners; start the workflow again when all can run",
        ) from error


@dataclass(frozen=True, kw_only=True)
class PageLoads:
    """What a browser found of a page."""

    slowest: str
    """Device and visit whose 95th percentile is the worst."""
    milliseconds: Sequence[float]
    """Of its page loads; what was never shown is infinite."""
    over_budget: Sequence[str]
    """What else was missed, in words: bytes and requests of a visit, layout shifts, the worst interaction."""


def read_pages(folder: Path) -> PageLoads:
    """What the job that opens the page left. Raises InvalidRun when there is no result."""
    file = folder / "pages.json"
    try:
        result = json.loads(file.read_text())
        loads: Mapping[str, list[float | None]] = result["loads"]
        groups = {
            name: sorted(math.inf if each is None else float(each) for each in values) for name, values in loads.items()
        }
        worst = max(groups, key=lambda name: groups[name][math.ceil(0.95 * len(groups[name])) - 1])
        return PageLoads(slowest=worst, milliseconds=groups[worst], over_budget=list(_over_budget(result["metrics"])))
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise InvalidRun(
            f"the page loads left no result: {error}",
            where=str(file),
            next_step="see the job *Page loads*; run it again",
        ) from error


def _over_budget(metrics: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """How long a page takes is no budget, but a target of its own."""
    for each in metrics:
        if each["verdict"] == "missed" and not each["metric"].startswith("page load"):
            over = f"{each['over']} of {each['samples']} over it"
            yield f"{each['metric']}: {_value(each['value'])}, at most {_value(each['limit'])} ({over})"


def _value(number: float | None) -> str:
    return "never reached" if number is None else f"{number:,.10g}"


def require_within_budget(pages: PageLoads, environment: str) -> None:
    """Raises CheckFailed for a page that is over its budget."""
    if pages.over_budget:
        raise CheckFailed(
            f"the page of {environment} is over its budget",
            where=environment,
            why="; ".join(pages.over_budget),
            next_step="`python -m e2e.page_load --local` measures what is in a checkout; its options hold the budgets",
        )


def slower(judgement: Judgement) -> list[str]:
    """What is slower than in the last good run, in words: a warning, for of twenty runs in which nothing changed one has some."""
    return [
        f"{each.endpoint}: p{each.share * 100:g} was {each.before:.0f} ms in the last good run, and is {each.now:.0f} ms"
        for each in judgement.slower
    ]


def failing(judgement: Judgement) -> list[str]:
    """Of what more requests fail than in the last good run, in words: a warning as well."""
    return [
        f"{each.endpoint}: {100 * each.before:.2g} % failed in the last good run, and {100 * each.now:.2g} % do"
        for each in judgement.failing
    ]


def require_found(capacity: Capacity, environment: str) -> None:
    """Raises CheckFailed when the targets are met at no rate, InvalidRun when the search ended without an answer."""
    from loadtests.report import capacity as report

    if capacity.answered:
        return
    why = "; ".join(report.reasons(capacity))
    if capacity.ended == "never met":
        raise CheckFailed(
            f"{environment} meets its performance targets at no rate: {report.headline(capacity)}",
            where=environment,
            why=why,
            next_step="read the report of the first step: which endpoint, with which errors (docs/PERFORMANCE.md)",
        )
    raise InvalidRun(
        report.headline(capacity),
        where=f"capacity of {environment}",
        why=why,
        next_step=_ENDED[capacity.ended],
    )


_ENDED = {
    "generator": "search again from a larger machine with nothing else to do, or with more `--processes`",
    "no data": "see that the journeys ask the component, and that load users are sent database times (docs/PERFORMANCE.md)",
    "time is over": "begin with a profile of a higher rate, make steps shorter (`--step-seconds`), or have `load.seconds` raised",
    "did not recover": "look at what the platform does since that step: it may need to be restarted",
    "interrupted": "search again when there is time for it",
}


def require_met(judgement: Judgement, environment: str) -> None:
    """Raises CheckFailed for a target that is missed, InvalidRun for a run that says nothing or too little."""
    open_answers = [
        f"{each.target}: {each.verdict}: {each.says}" for each in judgement.answers if each.verdict != "passed"
    ]
    if judgement.verdict == "missed":
        raise CheckFailed(
            f"{environment} does not meet its performance targets",
            where=environment,
            why="; ".join(open_answers),
            next_step="read the report: which endpoint, since when, with which errors (docs/PERFORMANCE.md)",
        )
    if judgement.verdict != "passed":
        raise InvalidRun(
            f"nothing is known of the performance of {environment}",
            where=environment,
            why="; ".join([*judgement.invalid, *open_answers]) or "no target was measured",
            next_step="run it again for longer, from a machine with nothing else to do (docs/PERFORMANCE.md)",
        )
