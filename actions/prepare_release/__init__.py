"""Write the files of a release (SBOMs, checksums, notes), so that their provenance can be attested before they are out."""

from __future__ import annotations

from actions.delivery import ENVIRONMENT, PLAN, SOURCE, TOKEN
from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (ENVIRONMENT, PLAN, SOURCE, TOKEN)
OUTPUTS: tuple[Output, ...] = (Output(name="folder", doc="Where they are."),)


def main(runtime: Runtime) -> int:
    """Raises what pipelines.delivery.steps.publish.prepare raises."""
    values = runtime.inputs(INPUTS)
    from actions.delivery import planned
    from pipelines.delivery.steps.publish import prepare

    context, _ = planned(runtime, values)
    folder = prepare(context)
    names = sorted(file.name for file in folder.iterdir())
    runtime.summary(f"### The files of {context.delivered.name}\n\n" + "\n".join(f"- `{name}`" for name in names))
    runtime.output("folder", str(folder))
    return 0
