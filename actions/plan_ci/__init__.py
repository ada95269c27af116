"""Decide from what changed which checks run, and say why."""

from __future__ import annotations

import json
from pathlib import Path

from pipelines.ci import changes
from pipelines.ci.affected import Changes, affected
from pipelines.ci.matrix import Planned, as_outputs, plan
from pipelines.ci.tables import code, table
from pipelines.manifest import load
from pipelines.runtime import Input, Output, Runtime

INPUTS = (Input(name="manifest", doc="The manifest, from the root of the workspace.", default="shipmate.yml"),)
OUTPUTS = (
    Output(name="checks", doc="JSON of every check with run or skip."),
    Output(name="reasons", doc="JSON of every check with why it runs or not."),
)


def main(runtime: Runtime) -> int:
    manifest = load(Path(runtime.inputs(INPUTS)["manifest"]))
    found = changes.of_event(Path.cwd(), runtime.environ.get("GITHUB_EVENT_NAME", ""), runtime.event)
    runtime.say(found.unknown or f"{len(found.paths or ())} files differ from {found.since}")
    planned = plan(manifest, affected(manifest, found))
    for one in planned:
        runtime.say(f"{'run ' if one.runs else 'skip'}  {one.check:<16} {one.why}")
    checks, reasons = as_outputs(planned)
    runtime.output("checks", json.dumps(checks))
    runtime.output("reasons", json.dumps(reasons))
    runtime.summary(_summary(planned, found))
    return 0


def _summary(planned: tuple[Planned, ...], found: Changes) -> str:
    compared = (
        f"{len(found.paths or ())} files differ from {found.since}." if not found.unknown else f"{found.unknown}."
    )
    rows = [(one.check, "runs" if one.runs else "skipped", code(one.why)) for one in planned]
    return f"### What this change must pass\n\n{compared}\n\n{table(('check', '', 'why'), rows)}"
