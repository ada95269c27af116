"""Decide from what changed which checks run, and say why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actions.delivery import github
from pipelines.ci import changes, legs
from pipelines.ci.affected import Changes, affected
from pipelines.ci.matrix import Planned, plan
from pipelines.ci.tables import code, table
from pipelines.manifest import Manifest, load
from pipelines.runtime import Input, Output, Runtime

INPUTS = (
    Input(name="manifest", doc="The manifest, from the root of the workspace.", default="shipmate.yml"),
    Input(
        name="token",
        doc="GitHub token, to see whether a pushed commit passed already; without it nothing is skipped.",
        secret=True,
    ),
)
OUTPUTS = (
    Output(name="plan", doc="JSON of every check: its title, whether it runs, and why."),
    Output(name="legs", doc="JSON of the jobs that are to run, for `strategy.matrix.include`; [] when there are none."),
)


def main(runtime: Runtime) -> int:
    values = runtime.inputs(INPUTS)
    manifest = load(Path(values["manifest"]))
    passed = _passed(runtime, values["token"])
    name = runtime.environ.get("GITHUB_EVENT_NAME", "")
    found = changes.of_event(
        Path.cwd(), name, runtime.event, passed=(lambda commit: bool(passed(commit))) if passed else None
    )
    runtime.say(found.unknown or f"{len(found.paths or ())} files differ from {found.since}")
    earlier = passed(runtime.environ["GITHUB_SHA"]) if passed and name == "push" else ""
    planned = plan(manifest, affected(manifest, found), earlier=earlier)
    for one in planned:
        runtime.say(f"{'run ' if one.runs else 'skip'}  {one.check:<16} {one.why}")
    runtime.output("plan", json.dumps([_told(manifest, one) for one in planned]))
    runtime.output("legs", json.dumps(legs.matrix(manifest, planned)))
    runtime.summary(_summary(planned, found))
    return 0


def _passed(runtime: Runtime, token: str) -> Callable[[str], str] | None:
    """Commit -> page of the run in which it passed, if it did; None where GitHub cannot be asked."""
    if not token:
        return None
    from pipelines.ci import earlier

    hub = github(runtime, token)
    return lambda commit: earlier.passed(hub, commit)


def _told(manifest: Manifest, one: Planned) -> dict[str, Any]:
    title = manifest.ci.checks[one.check].title or one.check
    return {"check": one.check, "title": title, "runs": one.runs, "why": one.why}


def _summary(planned: tuple[Planned, ...], found: Changes) -> str:
    compared = (
        f"{len(found.paths or ())} files differ from {found.since}." if not found.unknown else f"{found.unknown}."
    )
    rows = [(one.check, "runs" if one.runs else "skipped", code(one.why)) for one in planned]
    return f"### What this change must pass\n\n{compared}\n\n{table(('check', '', 'why'), rows)}"
