"""What the newest load test of a commit found where it was proved: shown in the plan, and a gate where the manifest says so.

It is believed as a proof is (evidence.py), also when its run failed: a target that was missed is what an approver must see.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from pipelines.delivery import evidence
from pipelines.errors import RefusedError

if TYPE_CHECKING:
    from pipelines.github import GitHub

WORKFLOW = ".github/workflows/performance.yml"
JOB = "Judge"
FILE = "performance.json"
FORMAT = 1
KIND = evidence.Kind(
    name="the report",
    workflow=WORKFLOW,
    events=("workflow_run", "schedule", "workflow_dispatch"),
    job=JOB,
    file=FILE,
    format=FORMAT,
    passed_only=False,
)
PASSED = "passed"
BASELINE = evidence.Kind(
    name="the last good run",
    workflow=WORKFLOW,
    events=KIND.events,
    job=JOB,
    file="baseline.json",
    format=FORMAT,
    largest=50_000_000,
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Whether one target was met."""

    target: str
    component: str
    verdict: str
    """`passed`, or what else came of it."""
    says: str
    """Value, interval, limit and samples, or why there are none, in words."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One load test of a commit in an environment."""

    environment: str
    commit: str
    profile: str
    at: str
    """When it began, ISO 8601."""
    answers: tuple[Answer, ...]
    run: str
    attempt: str

    def written(self) -> bytes:
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True).encode()

    def lines(self) -> list[str]:
        """For the plan."""
        head = f"load test {self.profile!r} on {self.environment}, {self.at} (run {self.run})"
        return [head, *(f"{each.target}: {each.verdict}: {each.says}" for each in self.answers)]


def artifact_name(environment: str, commit: str) -> str:
    """What the judging job calls the artifact."""
    return f"performance-{environment}-{commit}"


def find(github: GitHub, environment: str, commit: str, *, main: str) -> Measured | None:
    """The newest load test of a commit; None when there is none that can be believed."""

    def fits(document: Mapping[str, Any], run: Mapping[str, Any]) -> str:
        found = _read(document)
        other = (found.environment, found.commit) != (environment, commit)
        return f"{run['html_url']} measured {found.commit[:7]} on {found.environment}" if other else ""

    for document, _ in evidence.look(github, KIND, artifact_name(environment, commit), fits, main=main):
        if document is not None:
            return _read(document)
    return None


def baseline_name(environment: str, profile: str) -> str:
    """What the judging job calls the recording of a run that met every target."""
    return f"load-baseline-{environment}-{profile}"


def last_good(github: GitHub, environment: str, profile: str, *, main: str) -> str | None:
    """The recording, as JSON, of the newest run of a profile that met every target; None when there is none to be believed."""

    def fits(document: Mapping[str, Any], run: Mapping[str, Any]) -> str:
        return "" if isinstance(document["recording"], dict) else f"{run['html_url']} left no recording"

    for document, _ in evidence.look(github, BASELINE, baseline_name(environment, profile), fits, main=main):
        if document is not None:
            return json.dumps(document["recording"])
    return None


def require(
    measured: Measured | None, environment: str, commit: str, targets: Mapping[str, str], components: Collection[str]
) -> None:
    """`targets`: name -> component, of the default branch's manifest; those of `components` count. Raises RefusedError."""
    wanted = [name for name, component in targets.items() if component in components]
    met = {each.target for each in measured.answers if each.verdict == PASSED} if measured else set()
    missing = [name for name in wanted if name not in met]
    if not missing:
        return
    found = {each.target: each for each in measured.answers} if measured else {}
    raise RefusedError(
        f"{commit[:7]} has not met every performance target on {environment}",
        where=WORKFLOW,
        why=_why(measured, missing, found),
        next_step=f"dispatch *Performance* for {environment} while this commit is live there, read its report, and start the release "
        "again; `targets_required: false` lets releases in without",
    )


def _why(measured: Measured | None, missing: Iterable[str], found: Mapping[str, Answer]) -> str:
    if measured is None:
        return "no load test of this commit was made"
    return "; ".join(
        f"{name}: {found[name].verdict}: {found[name].says}" if name in found else f"{name}: was not measured"
        for name in missing
    )


def _read(document: Mapping[str, Any]) -> Measured:
    """Raises KeyError, TypeError, ValueError for what the suite did not write."""
    answers = tuple(Answer(**{f.name: str(each[f.name]) for f in fields(Answer)}) for each in document["answers"])
    plain = {f.name: str(document[f.name]) for f in fields(Measured) if f.name != "answers"}
    return Measured(**plain, answers=answers)
