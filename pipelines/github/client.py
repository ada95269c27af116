"""A repository on GitHub: documents as JSON by requests, and PyGithub for uploads, imported when it is first asked for.

Importing PyGithub takes longer than most actions work; most of them only read and write a few documents.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines import faults
from pipelines.errors import CredentialsError, ProviderError
from pipelines.faults import Policy
from pipelines.github import budget as budgets
from pipelines.github import errors
from pipelines.github.conditional import Documents
from pipelines.github.errors import GitHubRefused
from pipelines.overlay import current

if TYPE_CHECKING:
    import github
    import requests
    from github.GithubObject import GithubObject

T = TypeVar("T")
Known = TypeVar("Known", bound="GithubObject")

API_VERSION = "2022-11-28"
"""The version of GitHub's API this was written for; without it GitHub may one day choose a later one."""
BRIEF_WAIT = 3.0
"""Seconds between the two tries of `brief`, at most."""
_JSON = "application/vnd.github+json"


class GitHub:
    """A repository on GitHub as one account sees it. `json` makes a REST call, `call` one of PyGithub: under one policy, one mapping of
    errors and one budget of requests. A document that was read before is asked for under the condition that it changed."""

    def __init__(
        self,
        repository: str,
        token: str,
        *,
        api_url: str = "https://api.github.com",
        policy: Policy | None = None,
        timeout: int = 30,
        documents: Documents | None = None,
    ) -> None:
        self.name = repository
        self.token = token
        self.api_url = api_url
        self.policy = policy or Policy(scale=current().time_scale)
        self.budget = budgets.of_account(api_url, token)
        self._documents = documents or Documents()
        self._timeout = timeout

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
        return GitHub(self.name, self.token, api_url=self.api_url, policy=policy, timeout=5, documents=self._documents)

    # documents

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """A REST call; `path` starts with a slash below the API's root. The answer's JSON, None when it is empty.

        Raises CredentialsError (401, 403), GitHubRefused (other refusals, with `status`), MayHaveHappened, ProviderUnavailable.
        """
        where = f"GitHub {self.name}: {method} {path}"
        return self._retried(lambda: self._answer(method, path, body, where), method, where)

    def find_json(self, path: str) -> Any | None:
        """`json` GET for something that may not exist: None on 404."""
        try:
            return self.json("GET", path)
        except GitHubRefused as error:
            if error.status == 404:
                return None
            raise

    def role(self, login: str) -> str:
        """What someone may on the repository: none, read, triage, write, maintain, admin, or a role of the organisation's own.

        `permission` calls maintain write; `role_name` has the truth. Apps and strangers are not found: none.
        Source: docs.github.com/rest/collaborators/collaborators
        """
        found = self.find_json(f"/repos/{self.name}/collaborators/{login}/permission")
        if found is None:
            return "none"
        return str(found.get("role_name") or found.get("permission") or "none")

    def download(self, path: str, *, most: int, accept: str = _JSON) -> bytes:
        """The bytes behind a path, or behind what it redirects to. Raises ProviderError when they are more than `most`, and as `json`."""
        where = f"GitHub {self.name}: GET {path}"
        return self._retried(lambda: self._downloaded(path, most, accept, where), "GET", where)

    def find_file(self, path: str, *, most: int, accept: str = _JSON) -> bytes | None:
        """`download` of something that may not exist: None on 404."""
        try:
            return self.download(path, most=most, accept=accept)
        except GitHubRefused as error:
            if error.status == 404:
                return None
            raise

    # PyGithub

    @cached_property
    def library(self) -> github.Github:
        """PyGithub for the same account, without waits and retries of its own."""
        import github

        return github.Github(
            base_url=self.api_url,
            auth=github.Auth.Token(self.token),
            retry=None,
            timeout=self._timeout,
            lazy=True,
            api_version=API_VERSION,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )

    def known(self, kind: type[Known], document: Mapping[str, Any]) -> Known:
        """PyGithub's object for a document that `json` read: it is not read again."""
        return self.library.create_from_raw_data(kind, dict(document))

    def call(self, what: str, call: Callable[[], T], *, writes: bool = False) -> T:
        """Run one call of PyGithub that makes one request. `writes` says that a lost answer may have had its effect.

        Raises what `json` raises.
        """
        method, where = "POST" if writes else "GET", f"GitHub {self.name}: {what}"

        def made() -> T:
            try:
                return errors.adapted_library(call, method, where)
            finally:
                self._count_library()

        return self._retried(made, method, where)

    def _count_library(self) -> None:
        """PyGithub keeps what the last answer holds of the limit. Before the first answer it would have to ask, so nothing is read."""
        requester = self.library.requester
        left, limit = requester.rate_limiting
        values = {"limit": limit, "remaining": left, "reset": int(requester.rate_limiting_resettime)}
        self.budget.count(0, {f"x-ratelimit-{name}": str(value) for name, value in values.items()})

    # requests

    @cached_property
    def session(self) -> requests.Session:
        """The connection, with the token and the version of the API in every request."""
        from pipelines.http import Http

        session = Http().new_session()
        session.headers.update(
            {
                "Accept": _JSON,
                "Authorization": f"Bearer {self.token}",
                "User-Agent": "shipmate",
                "X-GitHub-Api-Version": API_VERSION,
            }
        )
        return session

    def _retried(self, request: Callable[[], T], method: str, where: str) -> T:
        """A request under the policy of retries and within the budget."""

        def once() -> T:
            self.budget.require(writes=method != "GET", where=where, patience=self.policy.cap)
            return request()

        return faults.retry(once, where=where, policy=self.policy)

    def _answer(self, method: str, path: str, body: Any, where: str) -> Any:
        known = self._documents.find(path) if method == "GET" else None
        headers = {"If-None-Match": known.etag} if known is not None else {}
        answer = self._send(method, path, body, headers, where)
        if answer.status_code == 304 and known is not None:
            return json.loads(known.body)
        if answer.status_code >= 400:
            raise errors.of_status(method, answer.status_code, answer.headers, _content(answer), where)
        found = _content(answer)
        if method == "GET" and not isinstance(found, str | None):
            self._documents.keep(path, answer.headers.get("ETag", ""), answer.content)
        return found

    def _send(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], where: str, *, stream: bool = False
    ) -> requests.Response:
        def send() -> requests.Response:
            return self.session.request(
                method, f"{self.api_url}{path}", json=body, headers=dict(headers), timeout=self._timeout, stream=stream
            )

        answer = errors.adapted(send, method, where)
        asked = answer.history[0] if answer.history else answer
        self.budget.count(asked.status_code, asked.headers)
        return answer

    def _downloaded(self, path: str, most: int, accept: str, where: str) -> bytes:
        answer = self._send("GET", path, None, {"Accept": accept}, where, stream=True)
        if answer.status_code >= 400:
            raise errors.of_status("GET", answer.status_code, answer.headers, _content(answer), where)
        return errors.adapted(lambda: _read(answer, most, where), "GET", where)


def _read(answer: requests.Response, most: int, where: str) -> bytes:
    found = b""
    for part in answer.iter_content(65_536):
        found += part
        if len(found) > most:
            raise ProviderError(
                f"is larger than {most} bytes", where=where, next_step="look at who made it: ours are small"
            )
    return found


def _content(answer: requests.Response) -> Any:
    """JSON, or the text where GitHub sends something else (a log, a page of a proxy); None when it is empty."""
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError:
        return answer.text
