"""Vercel's REST API: one call with token and team, errors in its own form (vercel.com/docs/rest-api/errors)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipelines.errors import CredentialsError, ProviderError
from pipelines.http import Http

if TYPE_CHECKING:
    import requests

ROOT = "https://api.vercel.com"


class VercelRefused(ProviderError):
    """Vercel answered with a failure that is not about the token."""

    def __init__(self, status: int, error: Mapping[str, Any], *, where: str) -> None:
        self.status = status
        self.code = str(error.get("code", ""))
        self.error = error
        super().__init__(
            f"HTTP {status} {self.code}: {error.get('message', '')}",
            where=where,
            next_step="read Vercel's words above; its dashboard shows the deployment",
        )


class VercelApi:
    """Calls for one team."""

    def __init__(self, http: Http, token: str, team: str) -> None:
        self.http = http
        self._token = token
        self._team = team

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        ok: tuple[int, ...] = (200, 201, 202),
    ) -> Any:
        """The answer's JSON, None when it is empty.

        Raises VercelRefused, CredentialsError, MayHaveHappened (writes), ProviderUnavailable.
        """
        if not self._token:
            raise CredentialsError(
                "there is no Vercel token",
                where="Vercel",
                why="the secret VERCEL_TOKEN does not exist in this environment, or is not passed to the step",
                next_step="add it under Settings → Environments → secrets; on a laptop export VERCEL_TOKEN",
            )
        answer = self.http.request(
            method,
            f"{ROOT}{path}",
            params={**(params or {}), "slug": self._team},
            json=body,
            data=data,
            headers={**(headers or {}), "Authorization": f"Bearer {self._token}"},
        )
        if answer.status_code in ok:
            return answer.json() if answer.content else None
        raise _refusal(answer, f"{method} {path}")

    def find(self, path: str) -> Any:
        """GET for something that may not be there."""
        try:
            return self.call("GET", path)
        except VercelRefused as error:
            if error.status == 404:
                return None
            raise


def _refusal(answer: requests.Response, where: str) -> ProviderError | CredentialsError:
    try:
        error: Mapping[str, Any] = answer.json()["error"]
    except (ValueError, LookupError, TypeError):
        error = {"message": answer.text.strip()[:300]}
    said = f"{error.get('code', '')}: {error.get('message', '')}"
    if answer.status_code == 401 or (answer.status_code == 403 and error.get("invalidToken")):
        return CredentialsError(
            f"Vercel does not accept the token ({said})",
            where=where,
            why="it is wrong, expired or revoked",
            next_step="make a new one (Vercel → Account Settings → Tokens) and replace the secret VERCEL_TOKEN",
        )
    if answer.status_code in (402, 403):
        return CredentialsError(
            f"Vercel refuses ({said})",
            where=where,
            why="the token's account is not in the team, or may not do this",
            next_step="give the token the scope of the team named in shipmate.yml",
        )
    return VercelRefused(answer.status_code, error, where=where)
