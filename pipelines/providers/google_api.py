"""Google's REST APIs: one call with a token, errors in the form of google.rpc.Status (cloud.google.com/apis/design/errors)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pipelines.errors import CredentialsError, ProviderError
from pipelines.http import Http

if TYPE_CHECKING:
    import requests


class GoogleRefused(ProviderError):
    """Google answered with a failure that is not about who we are. `status` is HTTP's, `code` google.rpc's (ABORTED, ...)."""

    def __init__(self, status: int, code: str, message: str, *, where: str) -> None:
        super().__init__(
            f"HTTP {status} {code}: {message}", where=where, next_step="read Google's words above: they name the field"
        )
        self.status = status
        self.code = code
        self.message = message

    @property
    def missing(self) -> bool:
        return self.status == 404

    @property
    def conflict(self) -> bool:
        """Somebody else changed it first. Google's rule for a stale etag is 409 ABORTED; the other two are seen as well."""
        stale = self.status == 400 and self.code == "FAILED_PRECONDITION" and "etag" in self.message.lower()
        return self.status == 412 or self.code == "ABORTED" or stale


class GoogleApi:
    """Calls below one API's address."""

    def __init__(self, http: Http, token: Callable[[], str], root: str) -> None:
        self.http = http
        self._token = token
        self._root = root

    def call(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: Any = None
    ) -> dict[str, Any]:
        """The answer's JSON. Raises GoogleRefused, CredentialsError, MayHaveHappened (writes), ProviderUnavailable."""
        url = f"{self._root}/{path}"
        headers = {"Authorization": f"Bearer {self._token()}"}
        answer = self.http.request(method, url, params=params, json=body, headers=headers)
        if answer.status_code != 200:
            raise _refusal(answer, f"{method} {path}")
        found: dict[str, Any] = answer.json()
        return found

    def find(self, path: str) -> dict[str, Any] | None:
        """GET for something that may not be there."""
        try:
            return self.call("GET", path)
        except GoogleRefused as error:
            if error.missing:
                return None
            raise


def _refusal(answer: requests.Response, where: str) -> ProviderError | CredentialsError:
    code, message = _read(answer)
    if answer.status_code == 401:
        return CredentialsError(
            f"Google does not accept the token: {message}",
            where=where,
            why="it is wrong, or it expired while the job was waiting",
            next_step="re-run the job: it fetches a new one",
        )
    if answer.status_code == 403:
        return CredentialsError(
            f"Google refuses: {message}",
            where=where,
            why="the account deployments run as lacks a permission (or the resource does not exist)",
            next_step="grant what is named above to the deployer of this environment",
        )
    return GoogleRefused(answer.status_code, code, message, where=where)


def _read(answer: requests.Response) -> tuple[str, str]:
    try:
        error = answer.json()["error"]
        return str(error.get("status", "")), str(error.get("message", ""))[:800]
    except (ValueError, LookupError, AttributeError, TypeError):
        return "", answer.text.strip()[:300]
