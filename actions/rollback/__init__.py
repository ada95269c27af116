"""Take an environment back to an earlier release, and verify it from outside."""

from __future__ import annotations

from actions.delivery import ENVIRONMENT, TOKEN, VERCEL
from pipelines.runtime import Input, Output, Runtime

INPUTS = (
    ENVIRONMENT,
    Input(name="components", doc="Components, separated by commas; empty means all together."),
    Input(name="to", doc="The release to go back to; empty means the one before."),
    Input(name="failed", doc="A release whose deployment failed; if it has no traffic, nothing is done."),
    TOKEN,
    *VERCEL,
)
OUTPUTS = (
    Output(name="release", doc="The release that is live now."),
    Output(name="changed", doc="'true' if traffic was moved."),
)


def main(runtime: Runtime) -> int:
    """Raises what pipelines.delivery.rollback raises."""
    values = runtime.inputs(INPUTS)
    from actions.delivery import delivery
    from pipelines.delivery.rollback import Request, roll_back
    from pipelines.delivery.run import as_markdown

    delivered = delivery(runtime, values)
    components = tuple(name.strip() for name in values["components"].split(",") if name.strip())
    rolled = roll_back(delivered, Request(components=components, to=values["to"] or None, failed=values["failed"]))
    if rolled.changed:
        runtime.summary(
            f"### ↩️ {delivered.environment} is back to {rolled.release} (was {rolled.was})\n\n{as_markdown(rolled.done)}"
        )
    else:
        runtime.summary(f"{delivered.environment} serves {rolled.release}; there was nothing to take back.")
    runtime.output("release", rolled.release)
    runtime.output("changed", "true" if rolled.changed else "false")
    return 0
