"""Apply database migrations: expand before the candidate, contract in a later release."""

from __future__ import annotations

from actions.delivery import CANDIDATE, ENVIRONMENT, TOKEN
from pipelines.runtime import Input, Runtime

INPUTS = (
    ENVIRONMENT,
    Input(name="phase", doc="expand, contract, or due: both, in that order.", required=True),
    *CANDIDATE,
    TOKEN,
)
OUTPUTS = ()


def main(runtime: Runtime) -> int:
    """Raises what pipelines.delivery.migrations.due.apply raises."""
    values = runtime.inputs(INPUTS)
    from actions.delivery import candidate, delivery
    from pipelines.delivery import deployment
    from pipelines.delivery.migrations import due as migrations

    delivered = delivery(runtime, values)
    wanted = candidate(delivered, values)
    record = deployment.begin(delivered, wanted)
    for component in delivered.settings.targets:
        most = migrations.allowed(record, component)
        said = migrations.apply(delivered, component, phase=values["phase"], release=wanted.release, most=most)
        runtime.say(f"{component}: {said}")
        runtime.summary(f"**Migrations ({values['phase']})**, {component}: {said}")
    return 0
