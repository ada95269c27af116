"""act's JSON log becomes steps, log lines, annotations and summaries, as GitHub shows them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from rehearsal.runner import draining
from rehearsal.runner.derive import COLLECT
from rehearsal.runner.masking import Masker
from rehearsal.runner.model import Annotation, Job, Step
from rehearsal.runner.steps import PlannedStep, header

ANNOTATIONS_PER_STEP = 10
"""Of each level, as on GitHub; further ones stay in the log."""
ANNOTATIONS_PER_JOB = 50
SUMMARY_BYTES = 1 << 20
_LEVELS = {"error": "failure", "warning": "warning", "notice": "notice"}
_STARTED = "⭐ Run Main "


class News(Enum):
    """What a line of the log changed."""

    NOTHING = "nothing"
    LOG = "log"
    STATE = "state"
    """A step began or ended."""
    ENDING = "ending"
    """A step that failed has written its last line and waits until that is known."""


class LogReader:
    """Feeds one job from the log of one act process. `key` is the job's in its file; lines of stub jobs are not its concern.

    `spent`: processor time of the job's processes so far, in seconds.
    """

    def __init__(
        self,
        job: Job,
        key: str,
        plan: list[PlannedStep],
        masker: Masker,
        now: Callable[[], datetime],
        spent: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.job = job
        self.masker = masker
        self.result: str | None = None
        """What act says of the job: success or failure; None until it ends."""
        self._now = now
        self._spent = spent
        self._spent_before = 0.0
        self._guest: tuple[tuple[str, ...], float] | None = None
        """The action that an action of a step uses, and what was spent when it began."""
        self._key = key
        self._plan = {step.id: step for step in plan}
        self._steps: dict[str, Step] = {}
        self._done: dict[str, dict[str, Any]] = {}
        """The `steps` context: outputs, outcome and conclusion of what has run, by id."""
        self._summaries: set[tuple[str, ...]] = set()
        self._counts: dict[tuple[int, str], int] = {}
        self._lay_out(plan)

    def _lay_out(self, plan: list[PlannedStep]) -> None:
        self._setup = Step(number=1, name="Set up job")
        self._complete = Step(number=len(plan) + 2, name="Complete job")
        for number, planned in enumerate(plan, start=2):
            self._steps[planned.id] = Step(number=number, name=self.masker.mask(planned.name))
        self.job.steps = [self._setup, *self._steps.values(), self._complete]
        self.begin(self._setup)

    def feed(self, line: bytes) -> News:
        """Take one line."""
        try:
            entry = json.loads(line)
        except ValueError:
            return News.NOTHING
        if not isinstance(entry, dict) or entry.get("jobID") != self._key:
            return News.NOTHING
        if "jobResult" in entry:
            self.result = str(entry["jobResult"])
            return News.NOTHING
        path = tuple(entry.get("stepID") or ())
        step = self._steps.get(path[0]) if path else self._setup_step(entry)
        if entry.get("raw_output"):
            entry["msg"], ending = draining.split(str(entry.get("msg", "")))
            if ending:
                if step is not None and entry["msg"]:
                    self.write(step, entry["msg"])
                return News.ENDING
        if step is None or (path and path[0] == COLLECT):
            return News.NOTHING
        before = step.status
        self._take(entry, path, step)
        return News.LOG if step.status == before else News.STATE

    def _setup_step(self, entry: Mapping[str, Any]) -> Step | None:
        if entry.get("stepid") == ["--setup-job"] and "stepResult" in entry:
            self.end(self._setup, "success")
        return self._setup if entry.get("level") in ("error", "warning") else None

    def _take(self, entry: Mapping[str, Any], path: tuple[str, ...], step: Step) -> None:
        message = str(entry.get("msg", ""))
        if entry.get("raw_output"):
            self.write(step, message)
        elif "command" in entry:
            self._command(entry, path, step)
        elif "stepResult" in entry:
            self._ended(entry, path, step)
        elif message.startswith(_STARTED):
            self._began(entry, path, step, message.removeprefix(_STARTED))
        elif entry.get("level") in ("error", "warning"):
            self._complaint(step, str(entry["level"]), message)

    def _began(self, entry: Mapping[str, Any], path: tuple[str, ...], step: Step, name: str) -> None:
        if entry.get("stage") != "Main":
            return
        if len(path) > 1:
            if len(path) > 2 and self._guest is None:
                self._guest = path[:2], self._spent()
            self.write(step, f"##[group]Run {name.splitlines()[0] if name else '-'}\n##[endgroup]")
            return
        self._skip_before(step)
        self.begin(step)
        planned = self._plan[path[0]]
        if planned.evaluated_by_act:
            step.name = self.masker.mask(str(entry.get("step", step.name)))
        self.write(step, header(planned, self._done))

    def _ended(self, entry: Mapping[str, Any], path: tuple[str, ...], step: Step) -> None:
        if self._guest is not None and self._guest[0] == path:
            step.nested_busy += self._spent() - self._guest[1]
            self._guest = None
        if len(path) > 1 or entry.get("stage") != "Main" or step.status == "completed":
            return
        result = str(entry["stepResult"])
        conclusion = "success" if result == "failure" and self._plan[path[0]].tolerated else result
        self._known(path[0]).update(outcome=result, conclusion=conclusion)
        self.end(step, conclusion)

    def _known(self, step_id: str) -> dict[str, Any]:
        """What is known of a step, for the expressions of later ones."""
        return self._done.setdefault(step_id, {"outputs": {}})

    def _complaint(self, step: Step, level: str, message: str) -> None:
        if message.startswith("exit status "):
            message = f"Process completed with exit code {message.removeprefix('exit status ')}."
        self.write(step, f"##[{level}]{message}")
        if level == "error":
            self.annotate(step, Annotation(level="failure", message=message, path=".github", start_line=1, end_line=1))

    def _command(self, entry: Mapping[str, Any], path: tuple[str, ...], step: Step) -> None:
        command, argument = entry["command"], str(entry.get("arg", ""))
        if command in _LEVELS:
            self.write(step, f"##[{command}]{argument}")
            self.annotate(step, _annotation(_LEVELS[command], argument, entry.get("kvPairs") or {}))
        elif command == "group":
            self.write(step, f"##[group]{argument}")
        elif command == "endgroup":
            self.write(step, "##[endgroup]")
        elif command == "add-mask":
            self.masker.add(argument)
            self.write(step, "::add-mask::***")
        elif command == "summary":
            self._summary(path, step, str(entry.get("content", "")))
        elif command == "set-output" and len(path) == 1:
            self._known(path[0])["outputs"][str(entry.get("name", ""))] = argument
        elif command == "ignored":
            self.write(step, str(entry.get("raw", "")))

    def _summary(self, path: tuple[str, ...], step: Step, content: str) -> None:
        """act repeats the last child's summary for the composite around it: take each once."""
        if any(len(seen) > len(path) and seen[: len(path)] == path for seen in self._summaries):
            return
        self._summaries.add(path)
        if len(step.summary) + len(content) > SUMMARY_BYTES:
            limit = f"$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of {SUMMARY_BYTES // 1024}k"
            self._complaint(step, "error", limit)
            return
        step.summary += self.masker.mask(content)

    def annotate(self, step: Step, annotation: Annotation) -> None:
        """Add an annotation, masked, unless the step or the job has as many as GitHub keeps."""
        counted = (step.number, annotation.level)
        self._counts[counted] = self._counts.get(counted, 0) + 1
        if self._counts[counted] > ANNOTATIONS_PER_STEP or len(self.job.annotations) >= ANNOTATIONS_PER_JOB:
            return
        annotation.message = self.masker.mask(annotation.message)
        annotation.title = self.masker.mask(annotation.title)
        annotation.path = self.masker.mask(annotation.path)
        self.job.annotations.append(annotation)

    def write(self, step: Step, text: str) -> None:
        """Append text to a step's log: masked, each line with its time in front."""
        stamp = self._now().strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
        for line in self.masker.mask(text.rstrip("\n")).split("\n"):
            step.log.append(f"{stamp} {line.removesuffix(chr(13))}")

    def fail(self, message: str) -> None:
        """Say why the job failed where no step could: in the step that runs, or the job's set-up."""
        running = next((step for step in self.job.steps if step.status == "in_progress"), self._setup)
        self.write(running, f"##[error]{message}")
        self.annotate(running, Annotation(level="failure", message=message, path=".github", start_line=1, end_line=1))

    def note(self, message: str) -> None:
        """A line in the job's set-up."""
        self.write(self._setup, message)

    def begin(self, step: Step) -> None:
        step.status, step.started_at = "in_progress", self._now()
        self._spent_before = self._spent()

    def end(self, step: Step, conclusion: str) -> None:
        if step.status == "in_progress":
            step.busy = max(self._spent() - self._spent_before - step.nested_busy, 0.0)
        if step.status != "completed":
            step.started_at = step.started_at or self._now()
            step.status, step.conclusion, step.completed_at = "completed", conclusion, self._now()

    def _skip_before(self, step: Step) -> None:
        for step_id, earlier in self._steps.items():
            if earlier.number < step.number and earlier.status == "queued":
                self._known(step_id).update(outcome="skipped", conclusion="skipped")
                self.end(earlier, "skipped")

    def close(self, conclusion: str) -> None:
        """The job is over: what runs ends as the job did, what never began was skipped."""
        unfinished = "failure" if conclusion in ("failure", "success") else "cancelled"
        for step in self.job.steps[:-1]:
            if step.status == "in_progress":
                self.end(step, unfinished if step is not self._setup or conclusion != "success" else "success")
            elif step.status == "queued":
                self.end(step, "skipped")
        self.end(self._complete, "success")


def _annotation(level: str, message: str, properties: Mapping[str, str]) -> Annotation:
    line = _number(properties.get("line"))
    return Annotation(
        level=level,
        message=message,
        title=str(properties.get("title", "")),
        path=str(properties.get("file", "")),
        start_line=line,
        end_line=_number(properties.get("endLine")) or line,
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
