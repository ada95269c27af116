"""Slack: a message of blocks, by an incoming webhook.

Sources: docs.slack.dev/reference/block-kit (limits), .../formatting-message-text (escaping), .../sending-messages-using-incoming-webhooks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from pipelines import faults
from pipelines.errors import ProviderError, ShipmateError
from pipelines.http import Http
from pipelines.roles import Message

_HEADER, _SECTION, _FIELD, _FIELDS = 150, 3000, 2000, 10
_SIGNS = {"deployment-failed": "🔴", "rolled-back": "↩️", "break-glass": "🚨", "released": "🚀"}


def body(message: Message) -> dict[str, Any]:
    """What is posted: blocks, and `text` for notifications."""
    title = f"{_SIGNS.get(message.kind, '•')} {message.title}"
    fields = [
        _mrkdwn(f"*{_escaped(name)}*\n{_escaped(value)}", _FIELD) for name, value in message.named.items() if value
    ]
    run = f"<{_escaped(message.run)}|Open the run>" if message.run.startswith("http") else _escaped(message.run)
    last = "\n".join(part for part in (f"*Next:* {_escaped(message.next_step)}", run) if part)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(title, _HEADER), "emoji": True}},
        {"type": "section", "text": _mrkdwn(_escaped(message.what), _SECTION)},
        {"type": "section", "fields": fields[:_FIELDS]},
        {"type": "section", "text": _mrkdwn(last, _SECTION)},
    ]
    return {"text": _escaped(_cut(title, _SECTION)), "blocks": [b for b in blocks if b.get("fields") != []]}


@dataclass(frozen=True)
class Webhook:
    """An incoming webhook. Its address is a secret, so errors do not show it."""

    name: ClassVar[str] = "slack"
    url: str = field(repr=False)
    http: Http = field(repr=False)

    def send(self, message: Message) -> None:
        """See roles.Messenger."""

        def write() -> bool:
            answer = self.http.request("POST", self.url, json=body(message))
            if answer.status_code != 200 or answer.text.strip() != "ok":
                raise _refused(answer.text.strip()[:200] or f"HTTP {answer.status_code}")
            return True

        _once(write, self.http)


def _once(write: Any, http: Http) -> None:
    """A lost answer is followed by another try: an alert seen twice is better than one never seen."""
    try:
        faults.once(write, lambda: None, policy=http.policy)
    except ShipmateError as error:
        error.where = "Slack"  # the webhook's address is a secret
        raise


def _refused(message: str) -> ProviderError:
    steps = {
        "no_service": "the webhook was removed: make a new one and replace the secret SLACK_WEBHOOK",
        "channel_not_found": "its channel is gone: make a webhook for another and replace the secret SLACK_WEBHOOK",
        "channel_is_archived": "make a webhook for another channel and replace the secret SLACK_WEBHOOK",
    }
    return ProviderError(
        f"Slack refused the message: {message}",
        where="incoming webhook",
        next_step=steps.get(message, "read Slack's word above"),
    )


def _mrkdwn(text: str, limit: int) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": _cut(text, limit) or " "}


def _cut(text: str, limit: int) -> str:
    """At most `limit` characters, never ending inside an escape."""
    if len(text) <= limit:
        return text
    short = text[: limit - 1]
    ampersand = short.rfind("&")
    if ampersand >= 0 and ";" not in short[ampersand:]:
        short = short[:ampersand]
    return short + "…"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
