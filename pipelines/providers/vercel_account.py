"""What an administrator reads of a team at Vercel: its plan, a project's settings, its domains. Nothing is written.

Paths: @vercel/sdk 1.28.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pipelines.http import Http
from pipelines.providers.vercel_api import VercelApi

_PAGE = "100"


class VercelAccount:
    """Reads for one team. Every method raises CredentialsError, VercelRefused, ProviderUnavailable."""

    def __init__(self, http: Http, token: str, team: str) -> None:
        self._api = VercelApi(http, token, team)

    def project(self, name: str) -> Mapping[str, Any] | None:
        """A project's settings; None when there is none of that name."""
        found: Mapping[str, Any] | None = self._api.find(f"/v9/projects/{quote(name, safe='')}")
        return found

    def domains(self, name: str) -> list[Mapping[str, Any]]:
        """The names that a project answers to: name, verified, and the records that would verify it. At most a hundred."""
        path = f"/v9/projects/{quote(name, safe='')}/domains"
        return list(self._api.call("GET", path, params={"limit": _PAGE})["domains"])

    def plan(self, team_id: str) -> str:
        """hobby, pro or enterprise; empty where the token is not shown it."""
        billing = self._api.call("GET", f"/v2/teams/{quote(team_id, safe='')}").get("billing") or {}
        return str(billing.get("plan", ""))
