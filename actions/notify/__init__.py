"""Notify people of what became of a deployment or a rollback: what, where, who, the run, and what to do."""

from __future__ import annotations

from actions.delivery import ALERTS, ENVIRONMENT, TOKEN
from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (
    ENVIRONMENT,
    Input(name="kind", doc="deployment-failed, rolled-back or released; empty: derived from `needs`."),
    Input(name="version", doc="The release."),
    Input(name="needs", doc="toJSON(needs): the results of the jobs before.", default="{}"),
    TOKEN,
    *ALERTS,
)
OUTPUTS: tuple[Output, ...] = ()


def main(runtime: Runtime) -> int:
    """Fails when nobody could be notified, or a way that is configured is missing its secret."""
    values = runtime.inputs(INPUTS)
    from actions.delivery import policy
    from pipelines.delivery import notifications

    context = policy(runtime, values)
    messages = notifications.messages(context, kind=values["kind"], release=values["version"], needs=values["needs"])
    ways = notifications.ways(context, values["slack_webhook"], values["smtp_user"], values["smtp_password"])
    for message in messages:
        channels = notifications.send(context, message, ways)
        runtime.summary(f"📣 {message.title} — notified by {', '.join(channels) or 'nothing'}")
    return 0
