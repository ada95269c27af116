"""Which message the results of a run call for, and to whom it goes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines.errors import InputError, ShipmateError
from pipelines.roles import Message, Messenger

if TYPE_CHECKING:
    from pipelines.delivery.context import Context

NEXT = {
    "deployment-failed": "open the run, read the first red step; `shipmate status` says what is live",
    "rolled-back": "users have the earlier release; fix the bad one on main, then make a new version",
    "break-glass": "read the reason, and review the release afterwards",
    "released": "nothing; `shipmate rollback` goes back",
}

ROLLBACK = "roll-back"
"""The job that takes a failed release back."""
APPROVAL = "approval"
"""The job that asks for one."""


def messages(context: Context, *, kind: str, release: str, needs: str) -> list[Message]:
    """The messages of a run, of the kinds the manifest asks for; empty when all is as usual and that is not notified."""
    results = _results(needs)
    kinds = [kind] if kind else _kinds(results)
    wanted = [k for k in kinds if k in context.manifest.alerts.when and (k != "rolled-back" or _moved(results))]
    return [_message(context, k, release, results) for k in wanted]


def announce_break_glass(context: Context, release: str, reason: str, by: str, secrets: Mapping[str, str]) -> None:
    """Tell everybody that a release goes without approval, as it begins. A notice that fails is logged, and blocks nothing."""
    if "break-glass" not in context.manifest.alerts.when:
        return
    env = context.runtime.environ
    message = Message(
        kind="break-glass",
        title=f"{release} goes to {context.environment} without approval",
        what=f"{reason} (let through by {by})",
        where=context.environment,
        who=env.get("GITHUB_TRIGGERING_ACTOR") or env.get("GITHUB_ACTOR", "someone"),
        run=context.runtime.run_url,
        next_step=NEXT["break-glass"],
        facts={"release": release},
    )
    try:
        found = ways(context, secrets["slack_webhook"], secrets["smtp_user"], secrets["smtp_password"])
        channels = send(context, message, found)
    except ShipmateError as error:
        context.runtime.annotate("warning", str(error), title="Alerts")
        return
    context.runtime.summary(f"📣 {message.title} — notified by {', '.join(channels) or 'nothing'}")


def _results(needs: str) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = json.loads(needs or "{}")
    except ValueError as error:
        raise InputError("`needs` is not JSON", next_step="pass `needs: ${{ toJSON(needs) }}`") from error
    return loaded


def _kinds(results: Mapping[str, Any]) -> list[str]:
    """What a production run calls for. That it goes without approval was notified when it began."""
    kinds = []
    if _of(results, ROLLBACK, "result") == "success":
        kinds.append("rolled-back")
    if _failed(results):
        kinds.append("deployment-failed")
    elif _of(results, "release", "result") == "success":
        kinds.append("released")
    return kinds


def _of(results: Mapping[str, Any], job: str, key: str) -> str:
    found = results.get(job)
    return str(found.get(key) or "") if isinstance(found, dict) else ""


def _output(results: Mapping[str, Any], job: str, key: str) -> str:
    found = results.get(job)
    outputs = found.get("outputs") if isinstance(found, dict) else None
    return str(outputs.get(key) or "") if isinstance(outputs, dict) else ""


def _moved(results: Mapping[str, Any]) -> bool:
    """False when a rollback says that it found nothing to roll back."""
    outputs = [job.get("outputs") or {} for job in results.values() if isinstance(job, dict)]
    return all(found.get("changed") != "false" for found in outputs)


def _failed(results: Mapping[str, Any]) -> list[str]:
    """Jobs that did not succeed. One that is out of time ends as cancelled; an approval that was cancelled began nothing."""
    unwell = {name: ("failure", "cancelled") if name != APPROVAL else ("failure",) for name in results}
    return [
        name
        for name, job in results.items()
        if isinstance(job, dict) and {job.get("result"), job.get("outcome")} & set(unwell[name])
    ]


def _broke(results: Mapping[str, Any]) -> bool:
    """Whether a job failed by itself, and was not only ended."""
    jobs = [job for job in results.values() if isinstance(job, dict)]
    return any("failure" in (job.get("result"), job.get("outcome")) for job in jobs)


def _summary(results: Mapping[str, Any], failed: Sequence[str]) -> str:
    cancelled = [name for name in failed if _of(results, name, "result") == "cancelled"]
    broken = [name for name in failed if name not in cancelled]
    parts = [
        f"{word}: {', '.join(names)}"
        for word, names in (("failed", broken), ("cancelled or out of time", cancelled))
        if names
    ]
    return "; ".join(parts) or "all checks passed"


def _message(context: Context, kind: str, release: str, results: Mapping[str, Any]) -> Message:
    env = context.runtime.environ
    failed = _failed(results)
    what = _summary(results, failed)
    # The job that goes back failed, or the rollback that someone asked for did: users may be on the bad release.
    stuck = ROLLBACK in failed or (kind == "rolled-back" and ROLLBACK not in results and failed)
    return Message(
        kind=kind,
        title=_title(context.environment, kind, release, results, bool(stuck)),
        what=what,
        where=context.environment,
        who=env.get("GITHUB_TRIGGERING_ACTOR") or env.get("GITHUB_ACTOR", "someone"),
        run=context.runtime.run_url,
        next_step=f"now: `shipmate rollback --environment {context.environment}`; {NEXT['deployment-failed']}"
        if stuck
        else NEXT[kind],
        facts={"release": release} if release else {},
    )


def _title(environment: str, kind: str, release: str, results: Mapping[str, Any], stuck: bool) -> str:
    if kind == "released":
        return f"{release} is live in {environment}"
    if kind == "deployment-failed":
        ended = "failed" if _broke(results) else "was cancelled or ran out of time"
        return f"{release or 'A deployment'} to {environment} {ended}" + (" and was not rolled back" if stuck else "")
    if ROLLBACK in results:
        to = _output(results, ROLLBACK, "release")
        return f"{environment} was rolled back from {release}" + (f" to {to}" if to else "")
    return f"The rollback of {environment} failed" if stuck else f"{environment} was rolled back to {release}"


def ways(context: Context, slack_webhook: str, smtp_user: str, smtp_password: str) -> list[Messenger]:
    """The ways the manifest asks for. A channel without its secret is reported and left out."""
    from pipelines import notify

    return notify.ways(context.manifest.alerts, context.http, context.runtime, slack_webhook, smtp_user, smtp_password)


def send(context: Context, message: Message, messengers: Sequence[Messenger]) -> list[str]:
    """Tell by every way; the names of those that worked. Raises ProviderError when there are ways and none worked."""
    from pipelines import notify

    return notify.notified_by(context.runtime, message, messengers)


def notify_of_rollback(
    context: Context, release: str, was: str, problem: ShipmateError | None = None, *, how: str = "by command"
) -> list[str]:
    """Notify people of a rollback made at a terminal, by the ways it has access to (SLACK_WEBHOOK; SMTP_USER, SMTP_PASSWORD).

    The names of those that worked. It never raises: what was rolled back stays so, also where nobody could be notified.
    """
    if "rolled-back" not in context.manifest.alerts.when:
        return []
    env = context.runtime.environ
    message = Message(
        kind="rolled-back",
        title=f"{context.environment} was rolled back from {was or 'an unknown release'} to {release}",
        what=f"{how}; but {problem.what}" if problem else f"{how}, verified from outside",
        where=context.environment,
        who=env.get("GITHUB_ACTOR") or env.get("USER") or "someone at a terminal",
        run=context.runtime.run_url,
        next_step=NEXT["rolled-back"],
        facts={"release": release},
    )
    found = ways(context, env.get("SLACK_WEBHOOK", ""), env.get("SMTP_USER", ""), env.get("SMTP_PASSWORD", ""))
    try:
        return send(context, message, found)
    except ShipmateError as error:
        context.runtime.annotate("warning", str(error), title="Alerts")
        return []
