"""Run the commands of one check of the manifest, and put what they complain about on the lines it is about."""

from __future__ import annotations

import json
from pathlib import Path

from pipelines.ci import check
from pipelines.ci.tables import code, duration, table
from pipelines.errors import CheckFailed
from pipelines.manifest import load
from pipelines.runtime import Input, Output, Runtime

INPUTS = (
    Input(name="check", doc="Its name in the manifest, under ci/checks.", required=True),
    Input(name="shard", doc="Which part of it, 2/3 for the second of three jobs.", default="1/1"),
    Input(name="manifest", doc="The manifest, from the root of the workspace.", default="shipmate.yml"),
)
OUTPUTS = (Output(name="result", doc="JSON of what came of it, for report_ci."),)

MOST = 8
"""GitHub shows ten errors of a step: these, one that counts the others, and the one that fails the step."""


def main(runtime: Runtime) -> int:
    given = runtime.inputs(INPUTS)
    shard = check.Shard.parse(given["shard"])
    result = check.run(load(Path(given["manifest"])), given["check"], runtime, root=Path.cwd(), shard=shard)
    runtime.output("result", json.dumps(result.as_json()))
    annotate(runtime, result)
    runtime.summary(_summary(result))
    if not result.passed:
        raise CheckFailed(
            result.why,
            where=f"check {result.check}",
            next_step=f"`shipmate ci run {result.check}` does the same on your machine",
        )
    return 0


def annotate(runtime: Runtime, result: check.Result) -> None:
    for finding in result.findings[:MOST]:
        message = finding.message.strip()[:2000] or finding.title
        runtime.annotate("error", message, title=finding.title, file=finding.file, line=finding.line)
    if len(result.findings) > MOST:
        runtime.annotate("error", f"{len(result.findings) - MOST} more are in the log", title=result.check)


def _summary(result: check.Result) -> str:
    head = f"### {'✅' if result.passed else '❌'} {result.check}: {duration(result.seconds)}"
    tests = result.tests
    counted = (
        f"{tests.ran - tests.failed} tests passed, {tests.failed} failed, {tests.skipped} skipped." if tests else ""
    )
    rows = [
        (code(one.text), duration(one.seconds), "" if not one.code else f"exit code {one.code}")
        for one in result.commands
    ]
    return "\n\n".join(filter(None, [head, counted, table(("command", "time", ""), rows)]))
