"""Green only if each check succeeded, or was skipped by plan; the one check that branch protection requires."""

from __future__ import annotations

from pathlib import Path

from pipelines.ci import gate, needs
from pipelines.ci.rehearsing import is_rehearsal
from pipelines.errors import CheckFailed
from pipelines.runtime import Input, Output, Runtime

INPUTS = (
    Input(name="needs", doc="The jobs before, as toJSON(needs).", required=True),
    Input(name="results", doc="The folder with the results of the checks.", default="results"),
)
OUTPUTS: tuple[Output, ...] = ()


def main(runtime: Runtime) -> int:
    given = runtime.inputs(INPUTS)
    found = needs.parse(given["needs"], Path(given["results"]))
    for leg in found.legs:
        runtime.say(f"{leg.title}: {found.outcome(leg)}")
    for one in found.decided:
        if not one.runs:
            runtime.say(f"{one.title}: {one.skipped}: {one.why}")
    problems = list(gate.problems(found, rehearsal=is_rehearsal(runtime.environ)))
    if problems:
        raise CheckFailed(
            "\n".join(problems),
            where="CI",
            next_step="open the jobs named above; each says how to run it on your machine",
        )
    return 0
