"""The public registry: anybody may read it, so often in six hours.

Source: the Docker registry token protocol (distribution docs, "Token Authentication Specification"), and what
docs.docker.com/docker-hub/usage/pulls says of pulls: a GET of a manifest is one, a HEAD is none, and unauthenticated ones are counted
by address.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from starlette.requests import Request

from rehearsal.emulators.refusal import bearer
from rehearsal.emulators.registry.access import PULL, Gate, basic_credentials
from rehearsal.emulators.registry.app import Registry
from rehearsal.emulators.registry.errors import RegistryError

_WINDOW = 6 * 3600
_ANONYMOUS = ""


class HubGate(Gate):
    """Everybody gets a token, and every token counts for its account, or for the one address that all come from."""

    def __init__(self) -> None:
        super().__init__(None)
        self.pulls: dict[str, int] = {}
        """Account ("" for nobody's) -> pulls that are left; without a number there is no end."""
        self.logins: dict[str, str] = {}
        self._accounts: dict[str, str] = {}

    def issue(self, request: Request) -> str:
        """A token of an account, or of nobody. Raises RegistryError 401 for a wrong password."""
        user, password = basic_credentials(request) or (_ANONYMOUS, "")
        if user != _ANONYMOUS and self.logins.get(user) != password:
            raise RegistryError(401, "UNAUTHORIZED", "incorrect username or password")
        token = f"rehearsal-hub-{secrets.token_urlsafe(24)}"
        self._accounts[token] = user
        return token

    def check(self, request: Request, repository: str, action: str) -> None:
        """Raises RegistryError 401 without a token, 403 for a write, 429 when the pulls are used up."""
        account = self._accounts.get(bearer(request) or "")
        if account is None:
            scope = f'scope="repository:{repository}:pull"'
            challenge = f'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",{scope}'
            raise RegistryError(401, "UNAUTHORIZED", "authentication required", headers={"WWW-Authenticate": challenge})
        if action != PULL:
            raise RegistryError(403, "DENIED", "requested access to the resource is denied")
        if request.method == "GET" and "/manifests/" in request.url.path:
            self._count(account)

    def _count(self, account: str) -> None:
        left = self.pulls.get(account)
        if left is None:
            return
        if not left:
            kind = "pull" if account else "unauthenticated pull"
            message = f"You have reached your {kind} rate limit. https://www.docker.com/increase-rate-limit"
            raise RegistryError(429, "TOOMANYREQUESTS", message, headers={"ratelimit-remaining": f"0;w={_WINDOW}"})
        self.pulls[account] = left - 1


class Control:
    """What `POST /_control/docker-hub/<method>` sets."""

    def __init__(self, gate: HubGate) -> None:
        self._gate = gate

    def limit(self, pulls: int, account: str = _ANONYMOUS) -> None:
        """So many pulls are left to an account, or to all who have none."""
        self._gate.pulls[account] = pulls

    def login(self, user: str, password: str) -> None:
        """Make an account."""
        self._gate.logins[user] = password


class DockerHub(Registry):
    """registry-1.docker.io, and where its tokens come from."""

    name = "docker-hub"
    hosts: tuple[str, ...] = ("registry-1.docker.io", "auth.docker.io")

    def __init__(self, root: Path) -> None:
        gate = HubGate()
        super().__init__(root, gate=gate)
        self.control: Control = Control(gate)
