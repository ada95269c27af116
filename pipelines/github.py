"""GitHub under our policy: plain REST calls by requests, and PyGithub for what it knows better, imported when first asked.

Importing PyGithub takes longer than most actions work; most of them only read and write a few JSON documents.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines import faults
from pipelines.errors import CredentialsError, ProviderError
from pipelines.faults import Faulted, Policy
from pipelines.overlay import current

if TYPE_CHECKING:
    import github
    import requests
    from github.Repository import Repository

T = TypeVar("T")

API_VERSION = "2022-11-28"
"""The version of GitHub's API this was written for; without it GitHub may one day choose a later one."""
BRIEF_WAIT = 3.0
"""Seconds between the two tries of `brief`, at most."""


class GitHub:
    """A repository on GitHub as one account sees it. `json` makes a REST call, `call` any call of PyGithub, under one policy."""

    def __init__(
        self,
        repository: str,
        token: str,
        *,
        api_url: str = "https://api.github.com",
        policy: Policy | None = None,
        timeout: int = 30,
    ) -> None:
        self.name = repository
        self.token = token
        self.api_url = api_url
        self.policy = policy or Policy(scale=current().time_scale)
        self._timeout = timeout
        self._session: requests.Session | None = None
        self._client: github.Github | None = None
        self._repository: Repository | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> GitHub:
        """From GITHUB_REPOSITORY, GITHUB_TOKEN (or GH_TOKEN) and GITHUB_API_URL. Raises CredentialsError naming all that is missing."""
        token = environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or ""
        repository = environ.get("GITHUB_REPOSITORY", "")
        missing = [name for name, value in (("GITHUB_TOKEN", token), ("GITHUB_REPOSITORY", repository)) if not value]
        if missing:
            raise CredentialsError(
                f"not set: {', '.join(missing)}",
                where="GitHub",
                next_step="in a workflow pass `token: ${{ github.token }}`; on a laptop export them (a fine-grained token is enough)",
            )
        return cls(repository, token, api_url=environ.get("GITHUB_API_URL") or "https://api.github.com")

    def brief(self) -> GitHub:
        """The same for what must not wait for GitHub: two tries, seconds each, and no limit is waited for."""
        policy = replace(self.policy, tries=2, cap=min(self.policy.cap, BRIEF_WAIT))
        return GitHub(self.name, self.token, api_url=self.api_url, policy=policy, timeout=5)

    @property
    def session(self) -> requests.Session:
        """The connection, with the token and the version of the API in every request."""
        if self._session is None:
            import requests

            self._session = requests.Session()
            self._session.headers.update(
                {
                    "Accept": "application/vnd.github+json",
                    "Authorization": f"Bearer {self.token}",
                    "User-Agent": "shipmate",
                    "X-GitHub-Api-Version": API_VERSION,
                }
            )
        return self._session

    @property
    def client(self) -> github.Github:
        if self._client is None:
            import github

            self._client = github.Github(
                base_url=self.api_url,
                auth=github.Auth.Token(self.token),
                retry=None,
                timeout=self._timeout,
                lazy=True,
                api_version=API_VERSION,
                seconds_between_requests=None,
                seconds_between_writes=None,
            )
        return self._client

    @property
    def repository(self) -> Repository:
        """The repository, read lazily: no call is made for it."""
        if self._repository is None:
            self._repository = self.client.get_repo(self.name)
        return self._repository

    def call(self, what: str, call: Callable[[], T], *, writes: bool = False) -> T:
        """Run one PyGithub call. `writes` says that a lost answer may have had its effect.

        Raises CredentialsError (401, 403), ProviderError (other refusals, with `status`), MayHaveHappened, ProviderUnavailable.
        """
        method = "POST" if writes else "GET"
        where = f"GitHub {self.name}: {what}"
        return faults.retry(lambda: _adapted(call, method, where), where=where, policy=self.policy)

    def find(self, what: str, call: Callable[[], T]) -> T | None:
        """`call` for something that may not exist: None on 404."""
        try:
            return self.call(what, call)
        except GitHubRefused as error:
            if error.status == 404:
                return None
            raise

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """A REST call; `path` starts with a slash below the API's root. The answer's JSON, None when it is empty.

        Raises what `call` raises.
        """
        where = f"GitHub {self.name}: {method} {path}"
        return faults.retry(lambda: self._answer(method, path, body, where), where=where, policy=self.policy)

    def _answer(self, method: str, path: str, body: Any, where: str) -> Any:
        answer = self._send(method, path, body)
        if answer.status_code < 400:
            return _content(answer)
        raise self._refused(answer, method, where)

    def _send(self, method: str, path: str, body: Any, *, stream: bool = False) -> requests.Response:
        import requests

        try:
            return self.session.request(
                method, f"{self.api_url}{path}", json=body, timeout=self._timeout, stream=stream
            )
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _broken(_repeatable(method), error) from error

    def _refused(self, answer: requests.Response, method: str, where: str) -> Exception:
        data = _content(answer)
        text = str(data.get("message", data)) if isinstance(data, dict) else answer.text
        fault = faults.of_status(_repeatable(method), answer.status_code, answer.headers, text)
        return Faulted(fault) if fault is not None else _refusal(answer.status_code, text, data, where)

    def find_json(self, path: str) -> Any | None:
        """`json` GET for something that may not exist: None on 404."""
        try:
            return self.json("GET", path)
        except GitHubRefused as error:
            if error.status == 404:
                return None
            raise

    def role(self, login: str) -> str:
        """What somebody may on the repository: none, read, triage, write, maintain, admin, or a role of the organisation's own.

        `permission` calls maintain write; `role_name` has the truth. Apps and strangers are not found: none.
        Source: docs.github.com/rest/collaborators/collaborators
        """
        found = self.find_json(f"/repos/{self.name}/collaborators/{login}/permission")
        if found is None:
            return "none"
        return str(found.get("role_name") or found.get("permission") or "none")

    def download(self, path: str, *, most: int) -> bytes:
        """The bytes behind a path that redirects to a file. Raises ProviderError when they are more than `most`, and as `json` does."""
        where = f"GitHub {self.name}: GET {path}"
        return faults.retry(lambda: self._fetched(path, most, where), where=where, policy=self.policy)

    def _fetched(self, path: str, most: int, where: str) -> bytes:
        import requests

        answer = self._send("GET", path, None, stream=True)
        if answer.status_code >= 400:
            raise self._refused(answer, "GET", where)
        found = b""
        try:
            for part in answer.iter_content(65_536):
                found += part
                if len(found) > most:
                    raise ProviderError(
                        f"is larger than {most} bytes", where=where, next_step="look at who made it: ours are small"
                    )
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _broken("GET", error) from error
        return found


class GitHubRefused(ProviderError):
    """GitHub answered with a failure status that is not about the token."""

    def __init__(self, status: int, what: str, *, where: str, next_step: str = "read GitHub's words above") -> None:
        super().__init__(what, where=where, next_step=next_step)
        self.status = status


def _adapted(call: Callable[[], T], method: str, where: str) -> T:
    """Translate PyGithub's and requests' failures into ours."""
    import github
    import requests
    from requests.structures import CaseInsensitiveDict

    try:
        return call()
    except github.GithubException as error:
        headers = CaseInsensitiveDict(error.headers or {})
        text = str((error.data or {}).get("message", error.data) if isinstance(error.data, dict) else error.data)
        fault = faults.of_status(method, error.status, headers, text)
        if fault is not None:
            raise Faulted(fault, error) from error
        raise _refusal(error.status, text, error.data, where) from error
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
        raise _broken(method, error) from error


def _broken(method: str, error: requests.RequestException) -> Faulted:
    """A connection that failed, before its answer or in the middle of it."""
    from pipelines.http import was_sent

    return Faulted(faults.of_connection(method, error, sent=was_sent(error)), error)


def _repeatable(method: str) -> str:
    """What the policy of outside calls takes it for: PUT is idempotent at GitHub."""
    return "GET" if method in ("GET", "HEAD", "PUT") else "POST"


def _content(answer: requests.Response) -> Any:
    """JSON, or the text where GitHub sends something else (a log, a page of a proxy); None when it is empty."""
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError:
        return answer.text


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
