"""Vercel's REST API for one team, errors in its own form (vercel.com/docs/rest-api/errors)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipelines.errors import CredentialsError, ShipmateError
from pipelines.providers.api import Api, Refused, error_of, given

if TYPE_CHECKING:
    import requests

    from pipelines.http import Http

ROOT = "https://api.vercel.com"


class VercelRefused(Refused):
    """Vercel answered with a failure that is not about the token. `error` is all that it says of it."""

    def __init__(self, status: int, error: Mapping[str, Any], *, where: str) -> None:
        super().__init__(
            status,
            str(error.get("code", "")),
            str(error.get("message", "")),
            where=where,
            next_step="read Vercel's words above; its dashboard shows the deployment",
        )
        self.error = error


class VercelApi(Api):
    """Calls for one team; they raise VercelRefused and CredentialsError."""

    provider = "Vercel"

    def __init__(self, http: Http, token: str, team: str) -> None:
        missing = CredentialsError(
            "there is no Vercel token",
            where="Vercel",
            why="the secret VERCEL_TOKEN does not exist in this environment, or is not passed to the step",
            next_step="add it under Settings → Environments → secrets; on a laptop export VERCEL_TOKEN",
        )
        super().__init__(http, given(token, missing), ROOT)
        self.query = {"slug": team}

    def refusal(self, answer: requests.Response, where: str) -> ShipmateError:
        error = error_of(answer)
        words = f"{error.get('code', '')}: {error.get('message', '')}"
        if answer.status_code == 401 or (answer.status_code == 403 and error.get("invalidToken")):
            return CredentialsError(
                f"Vercel does not accept the token ({words})",
                where=where,
                why="it is wrong, expired or revoked",
                next_step="make a new one (Vercel → Account Settings → Tokens) and replace the secret VERCEL_TOKEN",
            )
        if answer.status_code == 403:
            return CredentialsError(
                f"Vercel refuses ({words})",
                where=where,
                why="the token's account is not in the team, or may not do this",
                next_step="give the token the scope of the team named in shipmate.yml",
            )
        return VercelRefused(answer.status_code, error, where=where)
