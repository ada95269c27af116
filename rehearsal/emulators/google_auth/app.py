"""The token services and IAM as emulators. They share one `Tokens`, whose `authorise` the other emulators ask."""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp

from rehearsal.emulator import ProviderEmulator
from rehearsal.emulators.google_auth.routes import iam_app, iam_credentials_app, sts_app
from rehearsal.emulators.google_auth.state import Tokens


class SecurityTokenService(ProviderEmulator):
    """sts.googleapis.com: a GitHub OIDC token becomes a federated Google token."""

    name = "google-sts"
    hosts: tuple[str, ...] = ("sts.googleapis.com",)
    contract: str | None = "sts"

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.app: ASGIApp = sts_app(tokens)

    def reset(self) -> None:
        """Forget every token given out."""
        self.tokens.clear()

    def save(self) -> dict[str, Any]:
        """Tokens given out, by both services."""
        return self.tokens.save()

    def load(self, saved: dict[str, Any]) -> None:
        """Replace them."""
        self.tokens.load(saved)


class IamCredentials(ProviderEmulator):
    """iamcredentials.googleapis.com: a federated token becomes a service account's access token.

    Its state is the `Tokens` it shares with SecurityTokenService, which saves and loads it.
    """

    name = "google-iam-credentials"
    hosts: tuple[str, ...] = ("iamcredentials.googleapis.com",)
    contract: str | None = "iamcredentials"

    def __init__(self, tokens: Tokens) -> None:
        self.app: ASGIApp = iam_credentials_app(tokens)
        self._tokens = tokens

    def reset(self) -> None:
        """Forget every token given out."""
        self._tokens.clear()


class Iam(ProviderEmulator):
    """iam.googleapis.com: the workload identity provider and the bindings of service accounts, to read.

    Its state is the policy of the `Tokens` it shares with SecurityTokenService.
    """

    name = "google-iam"
    hosts: tuple[str, ...] = ("iam.googleapis.com",)
    contract: str | None = "iam"

    def __init__(self, tokens: Tokens) -> None:
        self.app: ASGIApp = iam_app(tokens)

    def reset(self) -> None:
        """The policy is the world's, not a client's: there is nothing to forget."""
