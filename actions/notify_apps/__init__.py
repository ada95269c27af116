"""Notify people of what became of a release of the apps: what, who, where to install it, and what is left to do."""

from __future__ import annotations

import json

from actions.apps import PLAN, TOKEN
from actions.delivery import ALERTS
from pipelines.runtime import Input, Output, Runtime

INPUTS: tuple[Input, ...] = (
    PLAN,
    Input(name="needs", doc="toJSON(needs): the results of the jobs before.", default="{}"),
    TOKEN,
    *ALERTS,
)
OUTPUTS: tuple[Output, ...] = ()


def main(runtime: Runtime) -> int:
    """Fails when nobody could be notified. Raises InputError for results that are no JSON."""
    values = runtime.inputs(INPUTS)
    from actions.apps import planned
    from pipelines import notify
    from pipelines.errors import InputError
    from pipelines.mobile import notifications, results

    context = planned(runtime, values)
    context.results = results.read(context.work)
    try:
        jobs = {name: str(job["result"]) for name, job in json.loads(values["needs"]).items()}
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise InputError("`needs` is not what it should be", next_step="pass `needs: ${{ toJSON(needs) }}`") from error
    message = notifications.message(context, jobs)
    if message is None:
        return 0
    ways = notify.ways(
        context.manifest.alerts,
        context.http,
        runtime,
        values["slack_webhook"],
        values["smtp_user"],
        values["smtp_password"],
    )
    channels = notify.notified_by(runtime, message, ways)
    runtime.summary(f"📣 {message.title} — notified by {', '.join(channels) or 'nothing'}")
    return 0
