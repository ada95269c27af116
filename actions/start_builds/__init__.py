"""Begin the builds of the apps at EAS: the one job that has code of the app beside a secret, which is the robot's token."""

from __future__ import annotations

from actions.apps import EXPO_TOKEN, PLAN, SOURCE
from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (PLAN, SOURCE, EXPO_TOKEN)
OUTPUTS: tuple[Output, ...] = ()


def main(runtime: Runtime) -> int:
    """Raises what the steps of the job `build` raise (pipelines.mobile.pipeline)."""
    values = runtime.inputs(INPUTS)
    from actions.apps import planned
    from pipelines.mobile.pipeline import steps_of
    from pipelines.steps import as_markdown, carry_out

    context = planned(runtime, values)
    done = carry_out(steps_of("build", context.release.platforms), context)
    runtime.summary(f"### The builds of {context.tag} are started\n\n{as_markdown(done)}")
    return 0
