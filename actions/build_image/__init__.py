"""Build a component and push it by digest; or, with `expect`, prove that what was built before is there and unchanged."""

from __future__ import annotations

from actions.delivery import ENVIRONMENT
from pipelines.runtime import Input, Output, Runtime

INPUTS = (
    ENVIRONMENT,
    Input(name="component", doc="Component of shipmate.yml.", required=True),
    Input(name="expect", doc="A reference by digest that must exist: nothing is built then."),
)
OUTPUTS = (Output(name="reference", doc="host/path@sha256:…"),)


def main(runtime: Runtime) -> int:
    """Raises what pipelines.delivery.building raises."""
    values = runtime.inputs(INPUTS)
    from actions.delivery import delivery
    from pipelines.delivery import building

    delivered = delivery(runtime, values)
    if values["expect"]:
        reference = building.require(delivered, values["component"], values["expect"])
        runtime.summary(f"**{values['component']}**: `{reference}` is there, as staging proved it")
    else:
        reference = building.build_and_push(delivered, values["component"])
        runtime.summary(f"**{values['component']}** is built: `{reference}`")
    runtime.output("reference", reference)
    return 0
