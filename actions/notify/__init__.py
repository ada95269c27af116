"""Tell people what became of a deployment or a rollback: what, where, who, the run, and what to do."""

from __future__ import annotations

from actions.delivery import ENVIRONMENT, TOKEN
from pipelines.runtime import Input, Runtime

INPUTS = (
    ENVIRONMENT,
    Input(name="kind", doc="deployment-failed, rolled-back, break-glass or released; empty: told from `needs`."),
    Input(name="version", doc="The release."),
    Input(name="needs", doc="toJSON(needs): the results of the jobs before.", default="{}"),
    Input(name="break_glass", doc="The reason, when somebody went without approval."),
    TOKEN,
    Input(name="slack_webhook", doc="Slack incoming webhook.", secret=True),
    Input(name="smtp_user", doc="User at the mail server.", secret=True),
    Input(name="smtp_password", doc="Password at the mail server.", secret=True),
)
OUTPUTS = ()


def main(runtime: Runtime) -> int:
    """Fails when nobody could be told, or a way that is configured is missing its secret."""
    values = runtime.inputs(INPUTS)
    from actions.delivery import delivery
    from pipelines.delivery import notifications as telling

    delivered = delivery(runtime, values)
    messages = telling.messages(
        delivered,
        kind=values["kind"],
        release=values["version"],
        needs=values["needs"],
        break_glass=values["break_glass"],
    )
    ways = telling.ways(delivered, values["slack_webhook"], values["smtp_user"], values["smtp_password"])
    for message in messages:
        told = telling.tell(delivered, message, ways)
        runtime.summary(f"📣 {message.title} — told by {', '.join(told) or 'nothing'}")
    return 0
