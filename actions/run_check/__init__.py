"""Run the commands of one check of the manifest, and put what they complain about on the lines it is about."""

from __future__ import annotations

import json
import platform
import tempfile
from pathlib import Path

from pipelines.ci import check
from pipelines.ci.findings import by_place, fix_of
from pipelines.ci.tables import code, duration, table
from pipelines.errors import CheckFailed, InputError, LocalError
from pipelines.manifest import load
from pipelines.manifest.components import Check
from pipelines.runtime import Input, Output, Runtime, fenced

INPUTS = (
    Input(name="check", doc="Its name in the manifest, under ci/checks.", required=True),
    Input(name="job", doc="Which job of the check this is, where it has one for each Python. Left out, its only one."),
    Input(name="shard", doc="Which part of it, 2/3 for the second of three jobs.", default="1/1"),
    Input(name="manifest", doc="The manifest, from the root of the workspace.", default="shipmate.yml"),
)
OUTPUTS = (Output(name="result", doc="A file of JSON with what came of it, for report_ci and gate_ci."),)

MOST = 8
"""GitHub shows ten errors of a step: these, one that counts the others, and its own that the step ended with an exit code."""


def main(runtime: Runtime) -> int:
    given = runtime.inputs(INPUTS)
    shard = check.Shard.parse(given["shard"])
    manifest = load(Path(given["manifest"]))
    wanted = check.find(manifest, given["check"])
    job = _job(wanted, given["check"], given["job"] or given["check"])
    _require_python(wanted, given["check"], job)
    result = check.run(manifest, given["check"], runtime, root=Path.cwd(), shard=shard)
    runtime.output("result", str(_kept(runtime, job, result)))
    if result.passed:
        runtime.summary(_summary(result))
        return 0
    error = CheckFailed(
        result.why,
        where=f"check {result.check}",
        next_step=f"`shipmate ci run {result.check}` does the same on your machine",
    )
    if not result.findings:
        runtime.summary(_summary(result))
        raise error
    # The lines it is about have the annotations: one more of the step would say the same again.
    annotate(runtime, result)
    runtime.say(str(error))
    runtime.summary(f"{_summary(result)}\n\n{fenced(str(error))}")
    return error.exit_code


def _job(wanted: Check, name: str, job: str) -> str:
    """Raises InputError for a job the check has not."""
    jobs = wanted.titles(name)
    if job in jobs:
        return job
    raise InputError(f"{name} has no job {job!r}", where="job", next_step=f"use one of {', '.join(jobs)}")


def _require_python(wanted: Check, name: str, job: str) -> None:
    """A job for one Python must not pass on another. Raises LocalError."""
    asked = dict(zip(wanted.titles(name), wanted.pythons, strict=False)).get(job, "")
    if asked and not f"{platform.python_version()}.".startswith(f"{asked}."):
        raise LocalError(
            f"this job is for Python {asked}, and the Python here is {platform.python_version()}",
            where=job,
            why="the step `Set up` got no such Python: in a rehearsal this machine has none on PATH",
            next_step=f"install python{asked}, or read the jobs of the other Pythons; nothing was checked here",
        )


def _kept(runtime: Runtime, job: str, result: check.Result) -> Path:
    """The file of the result; its name is the job's, so that those of all jobs fit into one folder."""
    file = Path(runtime.environ.get("RUNNER_TEMP") or tempfile.gettempdir()) / "results" / f"{job}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(result.as_json()))
    return file


def annotate(runtime: Runtime, result: check.Result) -> None:
    """One annotation for each place, with the command that fixes it; MOST of them, and one that counts the rest."""
    places = by_place(result.findings)
    for findings in places[:MOST]:
        first = findings[0]
        said = [finding.message.strip()[:2000] or finding.title for finding in findings]
        others = [f"{finding.title}: {text}" for finding, text in zip(findings[1:], said[1:], strict=True)]
        fixes = dict.fromkeys(fix_of(finding, result.check) for finding in findings)
        message = "\n".join([said[0], *others, f"  fix: {' && '.join(fixes)}"])
        runtime.annotate("error", message, title=first.title, file=first.file, line=first.line)
    if len(places) > MOST:
        runtime.annotate("error", f"{len(places) - MOST} more are in the log", title=result.check)


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
