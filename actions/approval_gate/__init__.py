"""Let a plan pass when someone else approved it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.delivery import ALERTS, ENVIRONMENT, TOKEN
from pipelines.runtime import Input, Output, Runtime, as_number, fenced

if TYPE_CHECKING:
    from pipelines.delivery.plan import Recorded

INPUTS: tuple[Input, ...] = (
    ENVIRONMENT,
    Input(name="plan", doc="SHA-256 of the plan to approve; its document is in build/delivery.", required=True),
    Input(name="of", doc="'release', or 'promotion' of the apps.", default="release"),
    Input(name="break_glass", doc="Reason to go without approval; a person on call must review that."),
    Input(name="wait_minutes", doc="How long to wait for a comment.", default="50"),
    TOKEN,
    *ALERTS,
)
OUTPUTS: tuple[Output, ...] = (
    Output(name="plan", doc="The plan that was approved: the deploying jobs take it from here."),
    Output(name="by", doc="Who approved."),
    Output(name="until", doc="Until when it counts, ISO 8601; empty where nobody has to approve."),
)


def main(runtime: Runtime) -> int:
    """Raises RefusedError when nobody approved, or someone rejected."""
    values = runtime.inputs(INPUTS)
    minutes = as_number("wait_minutes", values["wait_minutes"])
    from actions.delivery import policy
    from pipelines.delivery import notifications, tag
    from pipelines.delivery.approval import gate, rules
    from pipelines.delivery.context import WORK, require_github
    from pipelines.history import History

    context = policy(runtime, values)
    hub, reason = require_github(context), values["break_glass"]
    name, recorded = _planned(values["of"], values["plan"])
    rule = gate.rule_of(hub, context.manifest, context.environment)
    runtime.output("plan", values["plan"])
    if rule is None:
        runtime.summary(f"nobody has to approve: {context.settings.unapproved}")
        return 0
    if recorded is not None:
        tag.require_unmoved(hub, recorded.release, recorded.commit)
    door = gate.Gate(github=hub, rule=rule, runtime=runtime, environment=context.environment)
    asked = rules.Asked(
        release=name,
        plan=values["plan"],
        since=door.since(),
        starters=door.starters(),
        authors=gate.authors_of(recorded.unreviewed) if recorded is not None else frozenset(),
    )
    try:
        granted = door.obtain(asked, reason=reason, wait_seconds=60.0 * minutes)
    finally:
        door.write_seen(WORK / "approval")
    how = "⚠️ goes without approval, let through by" if granted.broke_glass else "✅ approved by"
    message = granted.text or reason
    runtime.summary(
        f"**{name}** {how} **{granted.by}** for plan `{values['plan']}`" + (f"\n\n{fenced(message)}" if message else "")
    )
    runtime.output("by", granted.by)
    runtime.output("until", granted.until.isoformat(timespec="seconds"))
    if recorded is not None:
        history = History(context)
        history.open(recorded.release, recorded.commit, {}, plan=values["plan"])
        word = "break-glass by" if granted.broke_glass else "approved by"
        history.note("queued", f"{word} {granted.by}: {message}" if message else f"{word} {granted.by}")
    if granted.broke_glass:
        notifications.announce_break_glass(context, name, reason, granted.by, values)
    return 0


def _planned(of: str, digest: str) -> tuple[str, Recorded | None]:
    """What people are asked about, and of a release what its plan records. Raises InputError, RefusedError."""
    from pipelines.delivery import plan
    from pipelines.delivery.context import WORK
    from pipelines.errors import InputError
    from pipelines.mobile import promotion_plan

    if of == "promotion":
        return f"apps {promotion_plan.read(promotion_plan.fetch(WORK), digest).release}", None
    if of != "release":
        raise InputError(f"{of!r} is neither release nor promotion", where="input of", next_step="write one of them")
    recorded = plan.read(plan.fetch(WORK), digest)
    return recorded.release, recorded
