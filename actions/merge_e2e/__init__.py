"""Put together what all runners of the browser tests left, and say what became of every test."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from actions.delivery import ENVIRONMENT
from pipelines.runtime import Input, Output, Runtime

if TYPE_CHECKING:
    from pipelines.ci.browser_shards import Merged

INPUTS: tuple[Input, ...] = (
    ENVIRONMENT,
    Input(name="release", doc="The release that was tested.", required=True),
    Input(name="shards", doc="How many runners there were.", required=True),
    Input(name="results", doc="Folder with what they left.", required=True),
    Input(name="read_only", doc="'true': of those tests alone that change nothing.", default="false"),
)
OUTPUTS: tuple[Output, ...] = (
    Output(name="report", doc="Folder with the merged report, JUnit and JSON; empty when a part of it is missing."),
    Output(name="durations", doc="Folder with the durations, for the next run; empty when a test failed."),
    Output(name="durations_name", doc="What the artifact with them must be called."),
)


def main(runtime: Runtime) -> int:
    """Raises CheckFailed when a test ran nowhere or twice, a runner is missing, or a test failed; the last after all is written."""
    values = runtime.inputs(INPUTS)
    from pipelines.ci import browser_report, browser_shards, browser_tests
    from pipelines.delivery.context import WORK
    from pipelines.errors import CheckFailed
    from pipelines.manifest import load

    merged = browser_shards.merge(Path(values["results"]), int(values["shards"]))
    folder = WORK / "browser-tests"
    junit = merged.write(folder)
    runtime.output("report", str(folder))
    tests = load().browser_tests
    report = browser_report.read(junit, tests.quarantine if tests else (), datetime.now(UTC).date())
    if report is None:
        raise CheckFailed(
            "the merged report cannot be read", where=str(junit), next_step="this is a fault of the suite"
        )
    text = report.markdown(runtime.run_url)
    runtime.summary(f"### {values['release']} on {values['environment']}\n\n{text}\n\n{merged.line}")
    browser_tests.judge(report, read_only=values["read_only"] == "true")
    _keep_durations(runtime, values["environment"], merged)
    return 0


def _keep_durations(runtime: Runtime, environment: str, merged: Merged) -> None:
    from pipelines.delivery import browser_durations
    from pipelines.delivery.context import WORK

    folder = WORK / "browser-durations"
    folder.mkdir(parents=True, exist_ok=True)
    content = browser_durations.written(merged.durations(), run=runtime.run_id, attempt=runtime.attempt)
    (folder / browser_durations.KIND.file).write_bytes(content)
    runtime.output("durations", str(folder))
    runtime.output("durations_name", browser_durations.artifact_name(environment))
