"""Who asks. Whether an account may use the API at all is Google Cloud's matter, what it may do in an app is Play's own."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from rehearsal.emulators.google.access import Authorise
from rehearsal.emulators.google.errors import GoogleError
from rehearsal.emulators.google_play.errors import no_permission
from rehearsal.emulators.refusal import bearer

_PERMISSION = "serviceusage.services.use"


@dataclass(frozen=True, kw_only=True)
class Access:
    """The Google Cloud project through which the account's API is used, and who holds tokens for it."""

    authorise: Authorise
    project: str

    def user(self, request: Request) -> str:
        """The address that a request acts as. Raises GoogleError (401) and PlayError (403)."""
        try:
            return self.authorise(bearer(request), _PERMISSION, f"projects/{self.project}")
        except GoogleError as refused:
            if refused.status == "PERMISSION_DENIED":
                raise no_permission() from refused
            raise
