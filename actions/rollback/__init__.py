"""Roll an environment back to an earlier release, or a failed delivery to what was live before it; verified from outside."""

from __future__ import annotations

from actions.delivery import ENVIRONMENT, PLAN, SOURCE, TOKEN, VERCEL
from pipelines.runtime import Input, Output, Runtime

TITLE = "Roll back"
INPUTS: tuple[Input, ...] = (
    ENVIRONMENT,
    Input(name="components", doc="Components, separated by commas; empty means all together."),
    Input(name="to", doc="The release to go back to; empty means the one before."),
    Input(name="accept_schema_risk", doc="'true': go back although a contract migration ran since.", default="false"),
    PLAN,
    SOURCE,
    TOKEN,
    *VERCEL,
)
OUTPUTS: tuple[Output, ...] = (
    Output(name="release", doc="The release that is live now."),
    Output(name="was", doc="The release that was live before."),
    Output(
        name="changed",
        doc="'true' if people must be notified: traffic was moved, now or by a rollback that was killed before it notified them.",
    ),
)


def main(runtime: Runtime) -> int:
    """With a plan: the rollback of its delivery. Raises what pipelines.delivery.rollback raises."""
    values = runtime.inputs(INPUTS)
    from actions.delivery import planned, policy
    from pipelines.delivery.rollback import Request, mark_announced, return_to_base, roll_back
    from pipelines.steps import as_markdown

    if values["plan"]:
        context, made = planned(runtime, values)
        result = return_to_base(context, made)
    else:
        context = policy(runtime, values)
        components = tuple(name.strip() for name in values["components"].split(",") if name.strip())
        asked = Request(
            components=components, to=values["to"] or None, accept_schema_risk=values["accept_schema_risk"] == "true"
        )
        result = roll_back(context, asked)
    if result.changed:
        runtime.summary(
            f"### ↩️ {context.environment} is back to {result.release} (was {result.was})\n\n{as_markdown(result.done)}"
        )
    else:
        runtime.summary(f"{context.environment} serves {result.release}; there was nothing to roll back.")
    runtime.output("release", result.release)
    runtime.output("was", result.was if result.changed else result.unannounced)
    runtime.output("changed", "true" if result.changed or result.unannounced else "false")
    if result.unannounced:
        # The outputs are what the job that tells goes by, whatever becomes of this one.
        mark_announced(context)
    if result.problem is not None:
        raise result.problem
    return 0
