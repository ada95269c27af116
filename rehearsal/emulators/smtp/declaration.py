"""The mail server of a world: the account that alerts are sent with."""

from __future__ import annotations

import secrets

from rehearsal.definition import Definition
from rehearsal.emulators.capabilities import SERVER_TLS
from rehearsal.emulators.declaration import Declaration, WorldContext, alerting
from rehearsal.emulators.smtp.app import Smtp

_USER, _PASSWORD = "SMTP_USER", "SMTP_PASSWORD"


def _build(context: WorldContext) -> Smtp:
    return Smtp(
        users={context.secrets[_USER]: context.secrets[_PASSWORD]},
        tls=context.need(SERVER_TLS),
        implicit=(context.definition.mail_server or "").endswith(":465"),
    )


def _secrets() -> dict[str, str]:
    """A secret is masked wherever it stands, so the user is no word that logs are full of."""
    return {_USER: f"alerts-{secrets.token_hex(4)}", _PASSWORD: secrets.token_hex(12)}


def _used(definition: Definition) -> bool:
    return definition.mail_server is not None


EMULATOR = Declaration(
    name=Smtp.name,
    build=_build,
    needs=(SERVER_TLS,),
    secrets=_secrets,
    used=_used,
    environments=alerting,
    overlay=lambda smtp, context: {"smtp": smtp.address},
)
