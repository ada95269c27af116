"""One load test of an environment: what may be done is asked first, visits are made, and all of them must have met one release."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipelines.delivery import load_target
from pipelines.delivery.load_target import Serving
from pipelines.errors import CheckFailed, InvalidRun, RefusedError

if TYPE_CHECKING:
    from loadtests.recording import Recording
    from loadtests.run import Progress
    from loadtests.verdicts import Judgement
    from pipelines.delivery.context import Context


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
    from loadtests.plan import Caps
    from loadtests.recording import RecordingRefused
    from loadtests.run import run

    declared = load_target.profile_named(context.manifest, profile_name)
    target = load_target.load_target(context, accepted=accepted)
    load_target.require_within(declared, target.limits, context.environment)
    before = load_target.serving(context, target.addresses)
    try:
        recording = run(
            Profile.declared(profile_name, declared, target.limits),
            target.journeys,
            target.addresses,
            hosts=[urlsplit(url).hostname or "" for url in context.urls().values()],
            environment=context.environment,
            release=before.release,
            seed=int(time.time()) if seed is None else seed,
            processes=processes,
            shard=shard,
            shards=shards,
            start=start,
            headers=target.headers,
            caps=Caps(rate=target.limits.visits_per_second, seconds=target.limits.seconds),
            progress=progress,
        )
    except RecordingRefused as error:
        raise InvalidRun(
            str(error),
            where=f"load test of {context.environment}",
            next_step="run it again; see what the generator said",
        ) from error
    _require_same(context, before, target.addresses)
    return recording, before


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


def read_pages(folder: Path) -> tuple[str, list[float]]:
    """Of the page loads: the device and visit whose 95th percentile is the worst, and its milliseconds; what was never shown is infinite.

    Raises InvalidRun when there is no result.
    """
    file = folder / "pages.json"
    try:
        loads: Mapping[str, list[float | None]] = json.loads(file.read_text())["loads"]
        groups = {
            name: sorted(math.inf if each is None else float(each) for each in values) for name, values in loads.items()
        }
        worst = max(groups, key=lambda name: groups[name][math.ceil(0.95 * len(groups[name])) - 1])
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise InvalidRun(
            f"the page loads left no result: {error}",
            where=str(file),
            next_step="see the job *Page loads*; run it again",
        ) from error
    return worst, groups[worst]


def slower(judgement: Judgement) -> list[str]:
    """What is slower than in the last good run, in words: a warning, for of twenty runs in which nothing changed one has some."""
    return [
        f"{each.endpoint}: p{each.share * 100:g} was {each.before:.0f} ms in the last good run, and is {each.now:.0f} ms"
        for each in judgement.regressions
    ]


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
