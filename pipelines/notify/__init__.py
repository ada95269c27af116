"""Notifies people: every channel is tried, and failures are reported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.errors import ProviderError, ShipmateError
from pipelines.roles import Message, Messenger

if TYPE_CHECKING:
    from pipelines.http import Http
    from pipelines.manifest.model import Alerts
    from pipelines.runtime import Runtime

__all__ = ["PartlyNotified", "notified_by", "send", "ways"]


class PartlyNotified(ProviderError):
    """Some people were notified, others were not."""


def send(message: Message, messengers: Sequence[Messenger]) -> list[str]:
    """Tell by every way; one line for each that failed, beginning with its name. No way at all is no failure.

    Raises ProviderError when there are ways and nobody was notified.
    """
    failures: list[str] = []
    nobody = 0
    for messenger in messengers:
        try:
            messenger.send(message)
        except ShipmateError as error:
            failures.append(f"{messenger.name}: {error}")
            nobody += not isinstance(error, PartlyNotified)
    if messengers and nobody == len(messengers):
        raise ProviderError(
            f"nobody was notified of {message.title!r}: " + " | ".join(failures),
            where="alerts",
            why="every way failed, each for its own reason",
            next_step="notify people yourself, then fix what failed above",
        )
    return failures


def notified_by(runtime: Runtime, message: Message, messengers: Sequence[Messenger]) -> list[str]:
    """Tell by every way; the names of those that worked, with a warning for each that did not. Raises ProviderError as `send` does."""
    failures = send(message, messengers)
    for failure in failures:
        runtime.annotate("warning", failure, title="Alerts")
    return [each.name for each in messengers if not any(failure.startswith(each.name) for failure in failures)]


def ways(
    alerts: Alerts, http: Http, runtime: Runtime, slack_webhook: str, smtp_user: str, smtp_password: str
) -> list[Messenger]:
    """The ways that the manifest asks for. One without its secrets is reported and left out."""
    from pipelines.notify import email, slack

    found: list[Messenger] = []
    if alerts.slack_channel and slack_webhook:
        found.append(slack.Webhook(slack_webhook, http))
    elif alerts.slack_channel:
        runtime.annotate("warning", "Slack is not notified: the secret SLACK_WEBHOOK is missing", title="Alerts")
    if alerts.email and alerts.email.login and not smtp_user:
        runtime.annotate(
            "warning", "No mail is sent: the secrets SMTP_USER and SMTP_PASSWORD are missing", title="Alerts"
        )
    elif alerts.email:
        found.append(email.Mail(alerts.email, user=smtp_user, password=smtp_password))
    return found
