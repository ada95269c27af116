"""What load tests of a commit found where it was proved: shown in the plan, and a gate where the manifest says so.

It is believed as a proof is (evidence.py), also when its run failed: a target that was missed is what an approver must see.

The gate asks the newest load test of one profile, which the manifest names, that could tell: it missed a target, or met them all. So nobody
gets around a target that was missed by a gentler or a shorter load test, by one that says nothing, or by picking one answer here and one
there; and a heavier one, made to see what breaks, closes no gate.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
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
PASSED, MISSED = "passed", "missed"
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


def find(
    github: GitHub, environment: str, commit: str, *, main: str, profile: str = "", targets: Collection[str] = ()
) -> tuple[Measured, ...]:
    """The load tests of a commit that can be believed, the newest first: as many as it takes to come to one that decides (`deciding`),
    and without `profile` the newest alone."""

    def fits(document: Mapping[str, Any], run: Mapping[str, Any]) -> str:
        found = _read(document)
        other = (found.environment, found.commit) != (environment, commit)
        return f"{run['html_url']} measured {found.commit[:7]} on {found.environment}" if other else ""

    found: list[Measured] = []
    for document, _ in evidence.look(github, KIND, artifact_name(environment, commit), fits, main=main):
        if document is not None:
            found.append(_read(document))
        if found and (not profile or deciding(found, profile, targets)):
            break
    return tuple(found)


def deciding(found: Iterable[Measured], profile: str, targets: Collection[str]) -> Measured | None:
    """The first of `found`, the newest first, that was made with `profile` and could tell: it missed one of `targets`, or met them all."""
    return next((each for each in found if each.profile == profile and _decides(each, targets)), None)


def _decides(measured: Measured, targets: Collection[str]) -> bool:
    verdicts = {each.target: each.verdict for each in measured.answers}
    of_targets = [verdicts.get(name) for name in targets]
    return MISSED in of_targets or all(verdict == PASSED for verdict in of_targets)


def lines(found: Sequence[Measured], profile: str = "", targets: Collection[str] = ()) -> list[str]:
    """For the plan: the newest load test, and the one that decides."""
    decides = deciding(found, profile, targets) if profile else None
    return [line for each in found if each is found[0] or each is decides for line in each.lines()]


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


def require(found: Sequence[Measured], profile: str, environment: str, commit: str, targets: Collection[str]) -> None:
    """The newest load test of `profile` that could tell must have met each of `targets`. Raises RefusedError."""
    decides = deciding(found, profile, targets)
    if decides and not _open(decides, targets):
        return
    newest = next((each for each in found if each.profile == profile), None)
    raise RefusedError(
        f"{commit[:7]} has not met every performance target on {environment}",
        where=WORKFLOW,
        why=_why(decides, newest, profile, targets),
        next_step=f"dispatch *Performance* for {environment} with the profile {profile!r} while this commit is live there, read its "
        "report, and start the release again; without `targets_required` releases are let in",
    )


def _why(decides: Measured | None, newest: Measured | None, profile: str, targets: Collection[str]) -> str:
    if newest is None:
        return f"no load test of this commit was made with the profile {profile!r}"
    message = "; ".join(_open(decides or newest, targets))
    if decides is None or decides is newest:
        return message
    return f"{message} (run {decides.run}); a newer one could not tell: {'; '.join(_open(newest, targets))} (run {newest.run})"


def _open(measured: Measured, targets: Collection[str]) -> list[str]:
    """What it did not find met, in words."""
    answers = {each.target: each for each in measured.answers}
    return [
        f"{name}: {answers[name].verdict}: {answers[name].says}" if name in answers else f"{name}: was not measured"
        for name in targets
        if name not in answers or answers[name].verdict != PASSED
    ]


def _read(document: Mapping[str, Any]) -> Measured:
    """Raises KeyError, TypeError, ValueError for what the suite did not write."""
    answers = tuple(Answer(**{f.name: str(each[f.name]) for f in fields(Answer)}) for each in document["answers"])
    plain = {f.name: str(document[f.name]) for f in fields(Measured) if f.name != "answers"}
    return Measured(**plain, answers=answers)
