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

INPUTS = (
    Input(name="manifest", doc="The manifest, from the root of the workspace.", default="shipmate.yml"),
    Input(
        name="token",
        doc="GitHub token, to see whether a pushed commit passed already; without it nothing is skipped.",
        secret=True,
    ),
)
OUTPUTS = (
    Output(name="checks", doc="JSON of every check with run or skip."),
    Output(name="reasons", doc="JSON of every check with why it runs or not."),
)


def main(runtime: Runtime) -> int:
    values = runtime.inputs(INPUTS)
    manifest = load(Path(values["manifest"]))
    found = changes.of_event(Path.cwd(), runtime.environ.get("GITHUB_EVENT_NAME", ""), runtime.event)
    runtime.say(found.unknown or f"{len(found.paths or ())} files differ from {found.since}")
    planned = plan(manifest, affected(manifest, found), earlier=_earlier(runtime, values["token"]))
    for one in planned:
        runtime.say(f"{'run ' if one.runs else 'skip'}  {one.check:<16} {one.why}")
    checks, reasons = as_outputs(planned)
    runtime.output("checks", json.dumps(checks))
    runtime.output("reasons", json.dumps(reasons))
    runtime.summary(_summary(planned, found))
    return 0


def _earlier(runtime: Runtime, token: str) -> str:
    """The run in which a pushed commit passed as a pull request's head."""
    env = runtime.environ
    if env.get("GITHUB_EVENT_NAME") != "push" or not token:
        return ""
    from pipelines.ci import earlier
    from pipelines.github import GitHub

    github = GitHub(env["GITHUB_REPOSITORY"], token, api_url=env.get("GITHUB_API_URL") or "https://api.github.com")
    return earlier.passed(github, env["GITHUB_SHA"])


def _summary(planned: tuple[Planned, ...], found: Changes) -> str:
    compared = (
        f"{len(found.paths or ())} files differ from {found.since}." if not found.unknown else f"{found.unknown}."
    )
    rows = [(one.check, "runs" if one.runs else "skipped", code(one.why)) for one in planned]
    return f"### What this change must pass\n\n{compared}\n\n{table(('check', '', 'why'), rows)}"
