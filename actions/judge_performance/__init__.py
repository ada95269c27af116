"""Say whether an environment meets its performance targets, by what all runners of a load test left."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from actions.delivery import ENVIRONMENT, TOKEN
from pipelines.runtime import Input, Output, Runtime

if TYPE_CHECKING:
    from loadtests.recording import Recording
    from loadtests.verdicts import Judgement

INPUTS: tuple[Input, ...] = (
    ENVIRONMENT,
    Input(name="recordings", doc="Folder with what the runners left.", required=True),
    Input(name="pages", doc="Folder with what the page loads left; empty without any."),
    Input(name="starts", doc="Folder with what the apps reported; empty without any."),
    TOKEN,
)
OUTPUTS: tuple[Output, ...] = (
    Output(name="name", doc="What the artifact with the answers must be called."),
    Output(name="answers", doc="Folder with the answers, which a plan of this commit shows."),
    Output(name="report", doc="Folder with the report."),
    Output(
        name="baseline_name",
        doc="What the artifact with the recording must be called, for later runs to be compared with.",
    ),
    Output(name="baseline", doc="Folder with it; empty when a target is not met."),
)


def main(runtime: Runtime) -> int:
    """Raises CheckFailed when a target or a budget of the page is missed, InvalidRun when nothing is known; after all is written."""
    values = runtime.inputs(INPUTS)
    from actions.delivery import github
    from loadtests.recording import Recording
    from loadtests.report import write
    from loadtests.verdicts import judge
    from pipelines import performance
    from pipelines.checks import app_starts
    from pipelines.delivery import load_results
    from pipelines.delivery.context import WORK
    from pipelines.manifest import load

    manifest, environment = load(), values["environment"]
    recording, commit = performance.read_shards(Path(values["recordings"]))
    good = load_results.last_good(
        github(runtime, values["token"]), environment, recording.profile, main=manifest.release.main
    )
    pages = performance.read_pages(Path(values["pages"])) if values["pages"] else None
    starts = app_starts.read(Path(values["starts"])) if values["starts"] else None
    targets = manifest.performance.targets
    measured: dict[str, Sequence[float]] = {}
    if pages:
        measured["page-load"] = pages.milliseconds
    if starts:
        measured["mobile-start"] = starts.milliseconds
    judgement = judge(
        recording,
        targets,
        before=None if good is None else Recording.from_json(good),
        samples={name: measured[each.of] for name, each in targets.items() if each.of in measured},
    )
    written = write(judgement, recording, WORK / "load-report")
    lines = [f"Page load: the slowest, {pages.slowest}."] if pages else []
    lines += [f"Over its budget: {each}." for each in pages.over_budget] if pages else []
    lines += [f"Mobile start: {'; '.join(starts.says())}."] if starts else []
    runtime.summary("\n\n".join([written.markdown.read_text(), *lines]))
    runtime.output("report", str(written.html.parent))
    _keep_answers(runtime, environment, commit, recording, judgement)
    if _met_by_the_platform(judgement) and not judgement.regressions:
        _keep_baseline(runtime, environment, recording)
    for slower in performance.slower(judgement):
        runtime.annotate("warning", slower, title="Slower")
    for failing in performance.failing(judgement):
        runtime.annotate("warning", failing, title="More failed")
    performance.require_met(judgement, environment)
    if pages:
        performance.require_within_budget(pages, environment)
    return 0


def _met_by_the_platform(judgement: Judgement) -> bool:
    """Whether the recording is one to compare later ones with: starts of apps, of which there may be few for weeks, say nothing of it."""
    answers = [each for each in judgement.answers if each.of != "mobile-start"]
    return bool(answers) and not judgement.invalid and all(each.verdict == "passed" for each in answers)


def _keep_answers(runtime: Runtime, environment: str, commit: str, recording: Recording, judgement: Judgement) -> None:
    from pipelines.delivery import load_results
    from pipelines.delivery.context import WORK

    found = load_results.Measured(
        environment=environment,
        commit=commit,
        profile=recording.profile,
        at=datetime.fromtimestamp(recording.start, UTC).isoformat(timespec="seconds"),
        answers=tuple(
            load_results.Answer(target=each.target, component=each.component, verdict=each.verdict, says=each.says)
            for each in judgement.answers
        ),
        run=runtime.run_id,
        attempt=runtime.attempt,
    )
    folder = WORK / "load-answers"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / load_results.FILE).write_bytes(found.written())
    runtime.output("answers", str(folder))
    runtime.output("name", load_results.artifact_name(environment, commit))


def _keep_baseline(runtime: Runtime, environment: str, recording: Recording) -> None:
    from pipelines.delivery import load_results
    from pipelines.delivery.context import WORK

    folder = WORK / "load-baseline"
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "format": load_results.FORMAT,
        "run": runtime.run_id,
        "attempt": runtime.attempt,
        "recording": json.loads(recording.to_json()),
    }
    (folder / load_results.BASELINE.file).write_text(json.dumps(document))
    runtime.output("baseline", str(folder))
    runtime.output("baseline_name", load_results.baseline_name(environment, recording.profile))
