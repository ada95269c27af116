"""Mail by SMTP (RFC 5321): encrypted from the start on port 465 (RFC 8314), else by STARTTLS where the server offers it (RFC 3207).

A password is only sent encrypted.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import ClassVar
from urllib.parse import urlsplit

from pipelines import faults
from pipelines.errors import CredentialsError, ProviderError
from pipelines.faults import Fault, Faulted, Meaning, Policy
from pipelines.manifest.model import Email
from pipelines.notify import PartlyNotified
from pipelines.overlay import Overlay, current
from pipelines.roles import Message

_TIMEOUT = 15.0
IMPLICIT_TLS = 465
"""The port on which TLS comes before the first word (RFC 8314)."""


@dataclass(frozen=True)
class Mail:
    """Mail to the people the manifest names."""

    name: ClassVar[str] = "email"
    settings: Email
    user: str = ""
    password: str = field(default="", repr=False)
    overlay: Overlay = field(default_factory=current, repr=False)
    policy: Policy | None = field(default=None, repr=False)

    def send(self, message: Message) -> None:
        """See roles.Messenger. Raises PartlyNotified when some recipients were refused."""
        mail = compose(message, self.settings)
        where = f"mail by {self.settings.server}"
        policy = self.policy or Policy(tries=3, scale=self.overlay.time_scale)
        refused = faults.retry(lambda: self._attempt(mail, where), where=where, policy=policy)
        if refused:
            raise PartlyNotified(
                f"{len(refused)} of {len(self.settings.to)} recipients were refused: {_shown(refused)}",
                where=where,
                next_step="correct alerts/email/to in shipmate.yml",
            )

    def _attempt(self, mail: EmailMessage, where: str) -> Mapping[str, tuple[int, bytes]]:
        """The recipients the server refused."""
        try:
            return self._send(mail)
        except smtplib.SMTPAuthenticationError as error:
            raise CredentialsError(
                f"the mail server refuses user and password: {_text(error.smtp_error)}",
                where=where,
                next_step="replace the secrets SMTP_USER and SMTP_PASSWORD",
            ) from error
        except smtplib.SMTPRecipientsRefused as error:
            _try_again_if(all(code < 500 for code, _ in error.recipients.values()), _shown(error.recipients), error)
            raise _refused(f"every recipient: {_shown(error.recipients)}", where) from error
        except smtplib.SMTPResponseException as error:
            _try_again_if(error.smtp_code < 500, f"{error.smtp_code} {_text(error.smtp_error)}", error)
            raise _refused(f"{error.smtp_code} {_text(error.smtp_error)}", where) from error
        except ssl.SSLError as error:
            raise _refused(f"TLS: {error}", where) from error
        except (OSError, smtplib.SMTPException) as error:
            # Resending what may have been taken means a mail twice at worst.
            _try_again_if(True, str(error) or type(error).__name__, error)
            raise

    def _send(self, mail: EmailMessage) -> Mapping[str, tuple[int, bytes]]:
        host, _, port = self.settings.server.rpartition(":")
        context = ssl.create_default_context(cafile=self.overlay.ca if self.overlay.smtp else None)
        encrypted = int(port) == IMPLICIT_TLS
        with _Client(host, int(port), self.overlay, context if encrypted else None) as client:
            client.ehlo()
            if not encrypted and client.has_extn("starttls"):
                client.starttls(context=context)
                client.ehlo()
                encrypted = True
            if self.user and not encrypted:
                raise _unencrypted(f"mail by {self.settings.server}")
            if self.user:
                client.login(self.user, self.password)
            return client.send_message(mail)


class _Client(smtplib.SMTP):
    """Connects where the overlay says, while the certificate is still checked against the published name. `tls` comes before the
    first word, where it is given."""

    def __init__(self, host: str, port: int, overlay: Overlay, tls: ssl.SSLContext | None) -> None:
        self._mapped = urlsplit(f"smtp://{overlay.smtp}") if overlay.smtp else None
        self._tls = tls
        super().__init__(host, port, timeout=_TIMEOUT)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        address = (self._mapped.hostname or host, self._mapped.port or port) if self._mapped else (host, port)
        connection = socket.create_connection(address, timeout)
        return self._tls.wrap_socket(connection, server_hostname=host) if self._tls else connection


def compose(message: Message, settings: Email) -> EmailMessage:
    """The mail. Text from outside is kept in one line where a header needs it."""
    mail = EmailMessage()
    mail["From"] = settings.sender
    mail["To"] = ", ".join(settings.to)
    mail["Subject"] = " ".join(f"[{message.where}] {message.title}".split())[:200]
    mail["X-Shipmate-Kind"] = " ".join(message.kind.split())
    lines = message.named
    facts = [f"{name}: {value}" for name, value in {**lines, "Run": message.run}.items() if value]
    mail.set_content("\n".join([message.what, "", *facts, "", f"Next: {message.next_step}", ""]))
    return mail


def _try_again_if(condition: bool, text: str, cause: Exception) -> None:
    if condition:
        raise Faulted(Fault(meaning=Meaning.TRY_AGAIN, text=text), cause) from cause


def _refused(message: str, where: str) -> ProviderError:
    return ProviderError(
        f"the mail server refuses {message}",
        where=where,
        why="sender or recipients are not accepted there, or its certificate is not trusted",
        next_step="correct alerts/email in shipmate.yml, or ask the operator of the server",
    )


def _unencrypted(where: str) -> ProviderError:
    """Someone between here and there may have taken STARTTLS out of the server's answer."""
    return ProviderError(
        "the mail server offers no encryption: user and password were not sent",
        where=where,
        why="without STARTTLS anyone on the network path reads them",
        next_step="name a port with encryption in alerts/email/server (587, or 465); or `login: false` for a server without one",
    )


def _shown(refused: Mapping[str, tuple[int, bytes]]) -> str:
    return ", ".join(f"{address} ({code} {_text(message)})" for address, (code, message) in refused.items())


def _text(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer
