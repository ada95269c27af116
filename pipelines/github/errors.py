"""How GitHub's failures become ours, no matter who made the request: the JSON client or PyGithub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines import faults
from pipelines.errors import CredentialsError, ProviderError
from pipelines.faults import Faulted

if TYPE_CHECKING:
    import requests

T = TypeVar("T")


class GitHubRefused(ProviderError):
    """GitHub answered with a failure status that is not about the token."""

    def __init__(self, status: int, what: str, *, where: str, next_step: str = "read GitHub's words above") -> None:
        super().__init__(what, where=where, next_step=next_step)
        self.status = status


def of_status(method: str, status: int, headers: Mapping[str, str], data: Any, where: str) -> Exception:
    """The error for an answer that is a failure: Faulted for what may be tried again, else CredentialsError or GitHubRefused.

    `data`: its JSON, or its text. `headers` must look names up case-insensitively.
    """
    text = str(data.get("message", data)) if isinstance(data, dict) else str(data or "")
    fault = faults.of_status(_repeatable(method), status, headers, text)
    return Faulted(fault) if fault is not None else _refusal(status, text, data, where)


def of_connection(method: str, error: requests.RequestException) -> Faulted:
    """A connection that failed, before its answer or in the middle of it."""
    from pipelines.http import was_sent

    return Faulted(faults.of_connection(_repeatable(method), error, sent=was_sent(error)), error)


def adapted(call: Callable[[], T], method: str, where: str) -> T:
    """Make a call by requests or by PyGithub. Raises what `of_status` and `of_connection` return."""
    import requests

    try:
        return call()
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
        raise of_connection(method, error) from error


def adapted_library(call: Callable[[], T], method: str, where: str) -> T:
    """`adapted` for a call of PyGithub, whose exceptions carry the answer."""
    import github
    from requests.structures import CaseInsensitiveDict

    try:
        return adapted(call, method, where)
    except github.GithubException as error:
        raise of_status(method, error.status, CaseInsensitiveDict(error.headers or {}), error.data, where) from error


def _repeatable(method: str) -> str:
    """What the policy of outside calls takes it for: PUT is idempotent at GitHub."""
    return "GET" if method in ("GET", "HEAD", "PUT") else "POST"


def _refusal(status: int, text: str, data: Any, where: str) -> Exception:
    details = "; ".join(_detail(item) for item in data.get("errors", [])) if isinstance(data, dict) else ""
    what = f"HTTP {status}: {text}" + (f" ({details})" if details else "")
    if status == 401:
        return CredentialsError(
            what,
            where=where,
            why="the token is wrong, expired or revoked",
            next_step="pass a fresh token, then run this again",
        )
    if status == 403:
        return CredentialsError(
            what,
            where=where,
            why="the token lacks a permission",
            next_step="widen `permissions:` of the job (or the token) by what is named above, then run this again",
        )
    return GitHubRefused(status, what, where=where)


def _detail(item: Any) -> str:
    if isinstance(item, dict):
        return str(
            item.get("message") or " ".join(str(item[key]) for key in ("resource", "field", "code") if key in item)
        )
    return str(item)
