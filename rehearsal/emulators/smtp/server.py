"""SMTP (RFC 5321) in the world's own event loop, by aiosmtpd."""

from __future__ import annotations

import asyncio
import hmac
import ssl
import time
import warnings
from collections.abc import Mapping
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from rehearsal.emulators.smtp.state import Mailbox, read


class MailServer:
    """Takes mail on a loopback port. With `tls` STARTTLS is offered, or with `implicit` too TLS comes before the first word, as on port
    465; with `users` (name -> password) a login is required.

    A password is only taken over TLS, unless there is no TLS at all.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        *,
        users: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
    ) -> None:
        self._mailbox = mailbox
        self._users = dict(users or {})
        self._tls = tls
        self._implicit = tls is not None and implicit
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, port: int = 0) -> int:
        """Listen; the port. Raises OSError when a wanted one is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._protocol, "127.0.0.1", port, ssl=self._tls if self._implicit else None
        )
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def stop(self) -> None:
        """Stop listening. Idempotent."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def _protocol(self) -> asyncio.Protocol:
        with warnings.catch_warnings():
            # aiosmtpd warns of a server that takes passwords in the clear; such servers exist, and clients must hold against them.
            warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")
            return self._made()

    def _made(self) -> asyncio.Protocol:
        protocol: asyncio.Protocol = SMTP(
            _Handler(self._mailbox, self._implicit),
            hostname="smtp.techmate.ai",
            ident="the rehearsal's mail server",
            tls_context=None if self._implicit else self._tls,
            auth_required=bool(self._users),
            auth_require_tls=self._tls is not None and not self._implicit,
            authenticator=self._log_in,
            timeout=30,
        )
        return protocol

    def _log_in(self, _server: Any, session: Any, _envelope: Any, _mechanism: str, given: Any) -> Any:
        if not isinstance(given, LoginPassword):
            return AuthResult(success=False, handled=False)
        user = given.login.decode()
        known = hmac.compare_digest(self._users.get(user, "").encode(), given.password) and user in self._users
        session.user = user if known else None
        return AuthResult(success=known, handled=False)


class _Handler:
    """aiosmtpd calls these by name."""

    def __init__(self, mailbox: Mailbox, secure: bool) -> None:
        self._mailbox = mailbox
        self._secure = secure

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        refusal = self._mailbox.refusals.get(address.lower())
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        self._mailbox.mails.append(
            read(
                envelope.content,
                received=time.time(),
                sender=envelope.mail_from,
                recipients=tuple(envelope.rcpt_tos),
                secure=self._secure or session.ssl is not None,
                user=getattr(session, "user", None),
            )
        )
        return "250 OK: kept"
