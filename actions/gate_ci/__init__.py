"""Green only if each job before succeeded, or was skipped by plan; the one check that branch protection requires."""

from __future__ import annotations

from pipelines.ci import needs
from pipelines.ci.matrix import gate
from pipelines.errors import CheckFailed
from pipelines.runtime import Input, Output, Runtime

INPUTS = (
    Input(name="needs", doc="The jobs before, as toJSON(needs).", required=True),
    Input(name="planner", doc="The job that ran plan_ci.", default="plan"),
)
OUTPUTS: tuple[Output, ...] = ()


def main(runtime: Runtime) -> int:
    given = runtime.inputs(INPUTS)
    found = needs.parse(given["needs"], given["planner"])
    problems = list(gate(found.results, found.decided, given["planner"]))
    for check in found.decided:
        runtime.say(f"{check:<16} {needs_word(found, check)}")
    if problems:
        raise CheckFailed(
            "\n".join(problems),
            where="CI",
            next_step="open the jobs named above; each says how to run it on your machine",
        )
    return 0


def needs_word(found: needs.Needs, check: str) -> str:
    """`passed`, or `skipped: nothing that web depends on changed`"""
    outcome = found.outcome(check)
    return f"{outcome}: {found.reasons.get(check, '')}" if outcome == needs.SKIPPED else outcome
