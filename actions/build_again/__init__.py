"""Where a build number turned out to be used by something else, start the release again, once, above that number."""

from __future__ import annotations

import json

from actions.apps import PLAN, TOKEN
from pipelines.runtime import Input, Output, Runtime

WORKFLOW = "mobile-release.yml"
INPUTS: tuple[Input, ...] = (PLAN, TOKEN)
OUTPUTS: tuple[Output, ...] = (
    Output(name="above", doc="What the new run begins above, JSON; empty where none was started."),
)


def main(runtime: Runtime) -> int:
    """Does nothing where no number was used. Raises what GitHub's calls raise."""
    values = runtime.inputs(INPUTS)
    from actions.apps import planned
    from pipelines.faults import once
    from pipelines.mobile import results

    context = planned(runtime, values)
    used = {name: result.number for name, result in results.read(context.work).items() if result.used}
    if not used:
        runtime.say("no build number was used by something else: nothing to build again")
        runtime.output("above", "")
        return 0
    above = json.dumps(used)
    path = f"/repos/{context.hub.name}/actions/workflows/{WORKFLOW}/dispatches"
    body = {"ref": context.tag, "inputs": {"above": above}}

    def dispatch() -> bool:
        context.hub.json("POST", path, body)
        return True

    # A run that was started twice finds everything delivered.
    once(dispatch, lambda: None, policy=context.hub.policy)
    text = ", ".join(f"{name} {number}" for name, number in used.items())
    runtime.annotate(
        "warning",
        f"{text} is used by something else: {context.tag} is built again with the next number",
        title="Builds",
    )
    runtime.output("above", above)
    return 0
