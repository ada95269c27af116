"""Give the staged release the traffic, in watched steps, backend first, then web."""

from __future__ import annotations

from actions.delivery import CANDIDATE, ENVIRONMENT, TOKEN, VERCEL
from pipelines.runtime import Runtime

INPUTS = (ENVIRONMENT, *CANDIDATE, TOKEN, *VERCEL)
OUTPUTS = ()


def main(runtime: Runtime) -> int:
    """Raises what pipelines.delivery.deployment.shift raises."""
    values = runtime.inputs(INPUTS)
    from actions.delivery import candidate, delivery
    from pipelines.delivery import deployment
    from pipelines.delivery.run import as_markdown

    delivered = delivery(runtime, values)
    wanted = candidate(delivered, values)
    done = deployment.shift(delivered, wanted)
    runtime.summary(f"### Traffic goes to {wanted.release}\n\n{as_markdown(done)}")
    return 0
