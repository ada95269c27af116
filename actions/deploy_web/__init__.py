"""Deploy a candidate of the web without traffic, and check it at its own address."""

from __future__ import annotations

from actions.delivery import CANDIDATE, ENVIRONMENT, TOKEN, VERCEL
from pipelines.runtime import Output, Runtime

INPUTS = (ENVIRONMENT, *CANDIDATE, TOKEN, *VERCEL)
OUTPUTS = (
    Output(name="key", doc="The provider's name of the deployment."),
    Output(name="url", doc="Where it answers without traffic."),
)


def main(runtime: Runtime) -> int:
    """Raises what pipelines.delivery.deployment.stage raises."""
    values = runtime.inputs(INPUTS)
    from actions.staging import stage

    return stage(runtime, values, "web")
