"""Mails that arrived."""

from __future__ import annotations

from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail as it came in, and read."""

    received: float
    """Seconds since the epoch."""
    sender: str
    """Of the envelope (MAIL FROM)."""
    recipients: tuple[str, ...]
    """Of the envelope: those who were accepted."""
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    secure: bool
    """It came over TLS."""
    user: str | None
    """Who had logged in."""


@dataclass(kw_only=True)
class Mailbox:
    """Everything the server took, and whom it refuses."""

    mails: list[Mail] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    """Address -> SMTP answer ("550 5.1.1 no such user"). 4xx asks to try later, 5xx is final (RFC 5321 section 4.2.1)."""


def read(content: bytes, **envelope: Any) -> Mail:
    """A mail from its bytes (RFC 5322); `envelope` gives the fields that are not in them."""
    message = message_from_bytes(content, policy=policy.default)
    if not isinstance(message, EmailMessage):
        raise TypeError("the default policy gives EmailMessage")
    return Mail(
        subject=str(message.get("Subject", "")),
        text=_part(message, "plain"),
        html=_part(message, "html"),
        headers={name: str(value) for name, value in message.items()},
        **envelope,
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")
