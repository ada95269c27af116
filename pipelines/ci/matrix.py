"""Which checks run for a change, and why; and whether what came out is what was planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.ci.affected import Affected

if TYPE_CHECKING:
    from pipelines.manifest.model import Manifest

RUN, SKIP = "run", "skip"


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One check of the manifest: whether it runs, and why (not)."""

    check: str
    runs: bool
    why: str


def plan(manifest: Manifest, affected: Affected, *, earlier: str = "") -> tuple[Planned, ...]:
    """Every check of the manifest, in its order. `earlier` is the run in which this very commit passed, if there is one."""
    if earlier:
        why = f"this very commit passed in {earlier}"
        return tuple(Planned(check=name, runs=False, why=why) for name in manifest.ci.checks)
    return tuple(_planned(name, check.components, affected) for name, check in manifest.ci.checks.items())


def _planned(name: str, components: tuple[str, ...], affected: Affected) -> Planned:
    if affected.everything:
        return Planned(check=name, runs=True, why=affected.everything)
    hit = [component for component in components if component in affected]
    if hit:
        return Planned(check=name, runs=True, why=f"{hit[0]}: {affected.reasons[hit[0]]}")
    listed = " or ".join(filter(None, [", ".join(components[:-1]), components[-1]]))
    return Planned(check=name, runs=False, why=f"nothing that {listed} depends on changed")


def as_outputs(planned: tuple[Planned, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """What jobs are told: check -> run or skip, and check -> why."""
    return {p.check: RUN if p.runs else SKIP for p in planned}, {p.check: p.why for p in planned}


def gate(results: Mapping[str, str], decided: Mapping[str, str], planner: str) -> Iterator[str]:
    """Why the required check must be red; nothing when each job succeeded, or was skipped by plan.

    `results` is what GitHub says of each job before: success, failure, cancelled or skipped. On GitHub a skipped job counts as
    passed, so that a job whose condition is wrong would pass: here only the plan may skip. `planner` is the job that planned.
    """
    if results.get(planner) != "success":
        yield f"{planner}: {results.get(planner, 'missing')}, so nobody knows what had to run"
        return
    if not decided:
        yield f"{planner}: told of no check at all"
    for job in sorted(results.keys() - decided.keys() - {planner}):
        yield f"{job}: is not in the plan; name it in shipmate.yml under ci/checks"
    for check, decision in decided.items():
        if check not in results:
            yield f"{check}: is in the plan, but this job does not wait for it; add it to `needs:`"
        elif results[check] != ("success" if decision == RUN else "skipped"):
            yield f"{check}: {results[check]}, was to {'succeed' if decision == RUN else 'be skipped'}"
