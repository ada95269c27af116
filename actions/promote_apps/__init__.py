"""Bring the apps to more people as a plan says; without a plan, watch what is being rolled out and take its next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.apps import APP_STORE_KEY, SENTRY_TOKEN
from actions.delivery import ALERTS, APPROVED
from pipelines.runtime import Input, Output, Runtime

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.manifest import Manifest
    from pipelines.mobile.promoted import Outcome
    from pipelines.mobile.promotion import Promotions
    from pipelines.mobile.promotion_plan import Plan

INPUTS: tuple[Input, ...] = (
    Input(name="plan", doc="SHA-256 of the plan; its document is in build/delivery. Empty to watch and go on."),
    *APPROVED,
    APP_STORE_KEY,
    SENTRY_TOKEN,
    *ALERTS,
)
OUTPUTS: tuple[Output, ...] = (Output(name="state", doc="'done', 'waiting', 'held' or 'nothing'."),)


def main(runtime: Runtime) -> int:
    """Raises CheckFailed when something was halted because it does badly, RefusedError for a plan that nobody approved, and what the
    stores refuse. That a roll-out is held is no failure."""
    values = runtime.inputs(INPUTS)
    from actions.apps import access
    from pipelines.manifest import load
    from pipelines.mobile import clients

    manifest = load()
    promotions = clients.promotions(manifest, access(runtime, values))
    outcomes = promotions.carry_out(_approved(manifest, promotions, values)) if values["plan"] else _watched(promotions)
    _notify(runtime, manifest, outcomes, values)
    return _report(runtime, outcomes)


def _approved(manifest: Manifest, promotions: Promotions, values: Mapping[str, str]) -> Plan:
    """The plan, which must still be the one that someone let pass. Raises RefusedError, InputError."""
    from datetime import UTC, datetime

    from pipelines.delivery.approval.gate import require_in_time
    from pipelines.delivery.context import WORK, settings_of
    from pipelines.errors import RefusedError
    from pipelines.mobile import promotion_plan
    from pipelines.mobile.clients import apps
    from pipelines.mobile.promotion import require_same

    plan = promotion_plan.read(promotion_plan.fetch(WORK), values["plan"])
    settings = settings_of(manifest, apps(manifest).promotion.approved_as)
    if any(each.to == "production" for each in plan.wanted) and settings.approval is not None:
        if not values["approved_by"]:
            raise RefusedError(
                "nobody approved this promotion",
                where=f"plan {plan.digest[:12]}",
                why="production needs an approval, and the job that asks for it did not run",
                next_step="start the workflow again",
            )
        require_in_time(values["approved_until"], datetime.now(UTC))
    require_same(promotions, plan)
    return plan


def _watched(promotions: Promotions) -> list[Outcome]:
    """What became of what is being rolled out; its next step is taken where nothing was halted or failed."""
    watched = promotions.watch()
    if any(each.problem is not None or (each.promoted is not None and each.promoted.halted) for each in watched):
        return watched
    step = promotions.continued()
    raised = promotions.carry_out(step)
    return [*(each for each in watched if each.platform not in {one.platform for one in raised}), *raised]


def _notify(runtime: Runtime, manifest: Manifest, outcomes: Sequence[Outcome], values: Mapping[str, str]) -> None:
    """People are notified of what happened. A notification that fails is logged, and is no failure of what did happen."""
    from pipelines import notify
    from pipelines.errors import ShipmateError
    from pipelines.http import Http
    from pipelines.mobile import notifications

    message = notifications.of_promotion(manifest, runtime, outcomes)
    if message is None:
        return
    secrets = (values["slack_webhook"], values["smtp_user"], values["smtp_password"])
    try:
        channels = notify.notified_by(runtime, message, notify.ways(manifest.alerts, Http(), runtime, *secrets))
    except ShipmateError as error:
        runtime.annotate("warning", str(error), title="Alerts")
        return
    runtime.summary(f"📣 {message.title} — notified by {', '.join(channels) or 'nothing'}")


def _report(runtime: Runtime, outcomes: Sequence[Outcome]) -> int:
    from pipelines.mobile import promoted

    lines = list(promoted.lines(outcomes))
    for line in lines:
        runtime.say(line)
    runtime.summary("### Apps\n\n" + "\n".join(f"- {line.strip()}" for line in lines))
    found = [each.promoted for each in outcomes if each.promoted is not None]
    held = [each for each in found if each.held]
    waiting = any(each.waits_for for each in found)
    runtime.output("state", "held" if held else "waiting" if waiting else "done" if found else "nothing")
    for each in held:
        runtime.annotate("warning", f"{each.build} is held on {each.platform}: {each.held}", title="Promotion")
    problem = promoted.problem_of([each for each in outcomes if each.promoted not in held])
    if problem is not None:
        raise problem
    return 0
