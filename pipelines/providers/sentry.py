"""Sentry: which release runs where, so that errors are shown with the commit that brought them.

Source: docs.sentry.io/api/releases (create a release: 201, or 208 when it is there), .../api/releases/create-a-deploy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from pipelines import faults
from pipelines.http import Http, refused

ROOT = "https://sentry.io/api/0"


@dataclass(frozen=True, kw_only=True)
class Sentry:
    """One organisation's releases of some projects. All of it can be repeated."""

    http: Http = field(repr=False)
    token: str = field(repr=False)
    organisation: str
    projects: tuple[str, ...]

    @classmethod
    def from_environ(cls, http: Http, environ: Mapping[str, str] = os.environ) -> Sentry | None:
        """From SENTRY_AUTH_TOKEN, SENTRY_ORG and SENTRY_PROJECT (several with commas); None unless all are set."""
        token, organisation = environ.get("SENTRY_AUTH_TOKEN", ""), environ.get("SENTRY_ORG", "")
        projects = tuple(name.strip() for name in environ.get("SENTRY_PROJECT", "").split(",") if name.strip())
        if not (token and organisation and projects):
            return None
        return cls(http=http, token=token, organisation=organisation, projects=projects)

    def release(self, version: str, repository: str, commit: str, previous: str = "") -> None:
        """Record a release with the commits since the previous one. Raises CredentialsError, ProviderError."""
        reference = {"repository": repository, "commit": commit, **({"previousCommit": previous} if previous else {})}
        body = {"version": version, "projects": list(self.projects), "refs": [reference]}
        path = f"organizations/{self.organisation}/releases/"
        faults.once(
            lambda: self._call("POST", path, body, ok=(200, 201, 208)),
            lambda: self._call("GET", f"{path}{quote(version, safe='')}/", ok=(200, 404)),
            policy=self.http.policy,
        )

    def deployed(self, version: str, environment: str, name: str, url: str = "") -> bool:
        """Record that a release is live; `name` is our own key (the run). False when it was recorded before."""
        path = f"organizations/{self.organisation}/releases/{quote(version, safe='')}/deploys/"

        def find() -> Any:
            known = self._call("GET", path, ok=(200,))
            return next((d for d in known if (d["environment"], d.get("name")) == (environment, name)), None)

        if find() is not None:
            return False
        body = {"environment": environment, "name": name, **({"url": url} if url else {})}
        faults.once(lambda: self._call("POST", path, body, ok=(200, 201, 208)), find, policy=self.http.policy)
        return True

    def _call(self, method: str, path: str, body: Any = None, *, ok: tuple[int, ...]) -> Any:
        """None for a 404 that is expected."""
        url = f"{ROOT}/{path}"
        answer = self.http.request(method, url, json=body, headers={"Authorization": f"Bearer {self.token}"})
        if answer.status_code not in ok:
            raise refused(method, url, answer)
        return None if answer.status_code == 404 else answer.json()
