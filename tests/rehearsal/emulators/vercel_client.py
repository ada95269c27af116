"""A client of the Vercel emulator, for tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.vercel.app import Vercel
from rehearsal.emulators.vercel.state import Pace
from rehearsal.serving import running

PAGE = b"<!doctype html><div id=root></div>"
SHA = hashlib.sha1(PAGE).hexdigest()  # noqa: S324 - the digest Vercel asks for


class Clock:
    """Stands still until the test moves it."""

    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def forward(self, seconds: float = 1.0) -> None:
        self.seconds += seconds


class Client:
    """Asks the emulator through the checks against Vercel's own types; a violation would come back as 400 or 500."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.vercel = Vercel(
            tokens={"token-of-dev-1": "dev-1"}, pace=Pace(queue=100, build=300, promote=500), clock=self.clock
        )
        self.violations: list[Violation] = []
        self.app = Checked(self.vercel.app, load("vercel"), self.violations)
        self.url = ""

    def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = "token-of-dev-1",
        team: str | None = "techmate",
        **options: Any,
    ) -> requests.Response:
        headers = {**options.pop("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        params = {**options.pop("params", {}), **({"slug": team} if team else {})}
        return requests.request(method, self.url + path, headers=headers, params=params, timeout=10, **options)

    def get(self, path: str, **params: Any) -> Any:
        answer = self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def upload(self, content: bytes = PAGE) -> requests.Response:
        digest = hashlib.sha1(content).hexdigest()  # noqa: S324
        return self.ask("POST", "/v2/files", data=content, headers={"x-vercel-digest": digest})

    def deploy(
        self, *, target: str | None = "production", ready: bool = True, content: bytes = PAGE, **more: Any
    ) -> Any:
        self.upload(content)
        digest = hashlib.sha1(content).hexdigest()  # noqa: S324
        files = [{"file": "index.html", "sha": digest, "size": len(content)}]
        body = {"name": "techmate-web", "project": "techmate-web", "files": files, **more}
        answer = self.ask("POST", "/v13/deployments", json=body | ({"target": target} if target else {}))
        assert answer.status_code == 200, answer.text
        if ready:
            self.clock.forward()
            return self.get(f"/v13/deployments/{answer.json()['id']}")
        return answer.json()

    def stage(self, **more: Any) -> Any:
        """A production deployment that waits for its promotion, in a project that otherwise assigns domains by itself."""
        self._assign_domains(False)
        made = self.deploy(**more)
        self._assign_domains(True)
        return made

    def _assign_domains(self, on: bool) -> None:
        self.ask("PATCH", "/v9/projects/techmate-web", json={"autoAssignCustomDomains": on})

    def promote(self, deployment: Any) -> requests.Response:
        return self.ask("POST", f"/v10/projects/techmate-web/promote/{deployment['id']}")

    def shown(self, host: str = "techmate.ai") -> str | None:
        self.vercel.account.advance()
        found = self.vercel.account.at(host)
        return found.id if found else None


@contextmanager
def vercel_client() -> Iterator[Client]:
    """A running emulator; at the end nothing may have violated Vercel's own description."""
    client = Client()
    with running(client.app) as server:
        client.url = server.url
        yield client
    assert client.violations == []
