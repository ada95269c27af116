"""Who asks, and for which team."""

from __future__ import annotations

from starlette.requests import Request

from rehearsal.emulators.refusal import bearer
from rehearsal.emulators.vercel.errors import ApiError
from rehearsal.emulators.vercel.state import Account


class Access:
    """The tokens that open one team's account."""

    def __init__(self, account: Account, tokens: dict[str, str]) -> None:
        self._account = account
        self._tokens = tokens

    def user(self, request: Request) -> str:
        """The user a request acts as.

        Raises ApiError (403) without a valid token, and without the team: a token alone means the user's own account,
        in which the team's projects do not exist.
        """
        user = self._tokens.get(_bearer(request))
        if user is None:
            raise ApiError(403, "forbidden", "Not authorized", invalidToken=True)
        query = request.query_params
        asked = query.get("teamId") or query.get("slug")
        if asked is None:
            raise ApiError(
                404,
                "not_found",
                "Nothing here belongs to the user's own account: name the team with teamId= or slug= in the query.",
            )
        if asked not in (self._account.team_id, self._account.team):
            raise ApiError(403, "forbidden", f"Not authorized: the user is not a member of the team {asked!r}.")
        return user


def _bearer(request: Request) -> str:
    if "authorization" not in request.headers:
        raise ApiError(403, "forbidden", "The request is missing an authentication token", missingToken=True)
    return bearer(request) or ""
