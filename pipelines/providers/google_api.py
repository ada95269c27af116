"""Google's REST APIs: errors in the form of google.rpc.Status (cloud.google.com/apis/design/errors), pages by `nextPageToken`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.errors import CredentialsError, ShipmateError
from pipelines.providers.api import Api, Query, Refused, error_of

if TYPE_CHECKING:
    import requests

_LONGEST = 800


class GoogleRefused(Refused):
    """Google answered with a failure that is not about who we are. `code` is google.rpc's (ABORTED, ...)."""

    @property
    def conflict(self) -> bool:
        """Someone else changed it first. Google's rule for a stale etag is 409 ABORTED; the other two are seen as well."""
        stale = self.status == 400 and self.code == "FAILED_PRECONDITION" and "etag" in self.message.lower()
        return self.status == 412 or self.code == "ABORTED" or stale


class GoogleApi(Api):
    """One API of Google's; its calls raise GoogleRefused and CredentialsError."""

    provider = "Google"
    refused: ClassVar[type[GoogleRefused]] = GoogleRefused

    def following(self, answer: requests.Response, page: Any, path: str, params: Query) -> tuple[str, Query] | None:
        token = page.get("nextPageToken")
        return (path, {**dict(params), "pageToken": token}) if token else None

    def refusal(self, answer: requests.Response, where: str) -> ShipmateError:
        error = error_of(answer)
        code, message = str(error.get("status", "")), str(error.get("message", ""))[:_LONGEST]
        if answer.status_code == 401:
            return CredentialsError(
                f"Google does not accept the token: {message}",
                where=where,
                why="it is wrong, or it expired while the job was waiting",
                next_step="in a workflow re-run the job, which fetches a new one; in a terminal `gcloud auth application-default login`",
            )
        if answer.status_code == 403:
            forbidden = self.forbidden(code, message, where)
            if forbidden is not None:
                return forbidden
        return self.refused(
            answer.status_code,
            code,
            message,
            where=where,
            next_step="read Google's words above: they name the field",
        )

    def forbidden(self, code: str, message: str, where: str) -> CredentialsError | None:
        """The error for a 403 that is about who we are; None for one that is not."""
        return CredentialsError(
            f"Google refuses: {message}",
            where=where,
            why="the account deployments run as lacks a permission (or the resource does not exist)",
            next_step="grant what is named above to the deployer of this environment",
        )
