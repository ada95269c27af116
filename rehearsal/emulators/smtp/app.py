"""The mail server as an emulator."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp

from rehearsal.emulator import Notification, ProviderEmulator
from rehearsal.emulators import saving
from rehearsal.emulators.smtp.routes import app
from rehearsal.emulators.smtp.server import MailServer
from rehearsal.emulators.smtp.state import Mail, Mailbox


class Smtp(ProviderEmulator):
    """smtp.techmate.ai. Mail goes to `address` (what the overlay's "smtp" says); `app` shows what came: GET /mails."""

    name = "smtp"
    hosts: tuple[str, ...] = ()
    """It is reached by SMTP, not under an HTTP host."""
    contract: str | None = None
    """The protocol is RFC 5321, spoken by aiosmtpd."""

    def __init__(
        self,
        *,
        users: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        port: int = 0,
    ) -> None:
        self.mailbox = Mailbox()
        self._server = MailServer(self.mailbox, users=users, tls=tls, implicit=implicit)
        self._port = port
        self.app: ASGIApp = app(self.mailbox)

    @property
    def mails(self) -> list[Mail]:
        """Everything that came, oldest first."""
        return self.mailbox.mails

    @property
    def address(self) -> str:
        """host:port of the mail server; `start` must have returned."""
        return f"127.0.0.1:{self._server.port}"

    async def start(self) -> None:
        """Listen for mail. Raises OSError when a wanted port is taken."""
        await self._server.start(self._port)

    async def stop(self) -> None:
        """Stop listening."""
        await self._server.stop()

    def reset(self) -> None:
        """Forget all mails and refusals."""
        self.mailbox.mails.clear()
        self.mailbox.refusals.clear()

    def save(self) -> dict[str, Any]:
        """Mails and refusals."""
        return saving.to_json(self.mailbox)

    def load(self, saved: dict[str, Any]) -> None:
        """Replace them."""
        loaded = saving.from_json(Mailbox, saved)
        self.mailbox.mails, self.mailbox.refusals = loaded.mails, loaded.refusals

    def notifications(self) -> list[Notification]:
        """Every mail; of one that has no text, the source of its HTML."""
        return [
            Notification(
                mail.received,
                f"{mail.subject}\n\n{mail.text}",
                title=mail.subject,
                sender=mail.sender,
                to=", ".join(mail.recipients),
                body=mail.text or mail.html,
            )
            for mail in self.mails
        ]
