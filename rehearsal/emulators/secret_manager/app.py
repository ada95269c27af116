"""Secret Manager as an emulator, and as what Cloud Run asks at the start of an instance."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp

from rehearsal.emulator import ProviderEmulator
from rehearsal.emulators.google.access import Allows, Authorise, anyone
from rehearsal.emulators.google.errors import GoogleError
from rehearsal.emulators.secret_manager.routes import IamPolicy, SecretRoutes
from rehearsal.emulators.secret_manager.state import Secrets


def nobody(_secret: str) -> dict[str, Any]:
    """An `IamPolicy` by which nobody was given anything."""
    return {"version": 1}


class SecretManager(ProviderEmulator):
    """secretmanager.googleapis.com."""

    name = "secret-manager"
    hosts: tuple[str, ...] = ("secretmanager.googleapis.com",)
    contract: str | None = "secretmanager"

    def __init__(
        self,
        *,
        authorise: Authorise = anyone,
        allows: Allows | None = None,
        iam_policy: IamPolicy = nobody,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.secrets = Secrets(clock=clock)
        self.app: ASGIApp = SecretRoutes(self.secrets, authorise, iam_policy).app()
        self._allows = allows

    def read(self, account: str, secret: str, version: str) -> bytes:
        """The payload for a workload that runs as `account`; `secret` is `projects/P/secrets/S`.

        Raises LookupError (no such secret or version, or it is disabled) and PermissionError.
        """
        if self._allows is not None and not self._allows(account, "secretmanager.versions.access", secret):
            raise PermissionError(f"{account} may not access {secret} (secretmanager.versions.access).")
        try:
            return self.secrets.access(secret, version)[1]
        except GoogleError as error:
            raise LookupError(error.message) from error

    def reset(self) -> None:
        """Forget every secret."""
        self.secrets.clear()

    def save(self) -> dict[str, Any]:
        """Every secret with its payloads."""
        return self.secrets.save()

    def load(self, saved: dict[str, Any]) -> None:
        """Replace them."""
        self.secrets.load(saved)
