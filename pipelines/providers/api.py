"""What the REST APIs of all providers have in common: an address, a token, JSON in and out, refusals in our words, and pages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.errors import CredentialsError, ProviderError, ShipmateError

if TYPE_CHECKING:
    import requests

    from pipelines.http import Http

Query = Mapping[str, str] | Sequence[tuple[str, str]]
"""Of a request; as pairs where a name comes more than once."""
SHOWN = 300
"""Characters that are shown of an answer in no form we know."""


class Refused(ProviderError):
    """A provider answered with a failure that is not about who we are. `status` is HTTP's, `code` the provider's own word for it."""

    def __init__(self, status: int, code: str, message: str, *, where: str, next_step: str) -> None:
        super().__init__(
            f"HTTP {status} {code}: {message}" if code else f"HTTP {status}: {message}",
            where=where,
            next_step=next_step,
        )
        self.status = status
        self.code = code
        self.message = message

    @property
    def missing(self) -> bool:
        return self.status == 404


class Api(ABC):
    """Calls below one address, each with a token. A provider's own is a subclass that says how it refuses and how its lists go on."""

    provider: ClassVar[str]
    """Its name in messages."""
    redirects: ClassVar[bool] = True
    """Whether redirects are followed. They may lead to another host, so not where nothing is redirected."""
    query: Mapping[str, str] = {}
    """What goes with every request."""

    def __init__(self, http: Http, token: Callable[[], str], root: str) -> None:
        self.http = http
        self.root = root.rstrip("/")
        self._token = token

    def require_token(self) -> None:
        """Raises CredentialsError where there is none."""
        self._token()

    def answer(
        self,
        method: str,
        path: str,
        *,
        params: Query = (),
        body: Any = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        ok: Sequence[int] = (200, 201, 202, 204),
    ) -> requests.Response:
        """One call. `path` is below the root, or a whole address there. Raises what `refusal` makes of another status than `ok`,
        MayHaveHappened (writes), ProviderUnavailable."""
        pairs = [*(params.items() if isinstance(params, Mapping) else params), *self.query.items()]
        answer = self.http.request(
            method,
            path if path.startswith(f"{self.root}/") else f"{self.root}/{path.lstrip('/')}",
            params=pairs,
            json=body,
            data=data,
            headers={**(headers or {}), "Authorization": f"Bearer {self._token()}"},
            allow_redirects=self.redirects,
        )
        if answer.status_code in ok:
            return answer
        raise self.refusal(answer, self.where(method, path))

    def call(self, method: str, path: str, **request: Any) -> Any:
        """`answer`, as JSON; None when it is empty. Raises ProviderError too for what is no JSON."""
        answer = self.answer(method, path, **request)
        return self.read(answer, self.where(method, path)) if answer.content else None

    def find(self, path: str) -> Any:
        """GET for something that may not be there: None on 404."""
        try:
            return self.call("GET", path)
        except Refused as error:
            if error.missing:
                return None
            raise

    def pages(self, path: str, params: Query = (), *, most: int) -> Iterator[Any]:
        """The pages of a list, at most so many."""
        for _ in range(most):
            answer = self.answer("GET", path, params=params)
            page = self.read(answer, self.where("GET", path))
            yield page
            following = self.following(answer, page, path, params)
            if following is None:
                return
            path, params = following

    def following(self, answer: requests.Response, page: Any, path: str, params: Query) -> tuple[str, Query] | None:
        """Path and query of the page after this one; None after the last."""
        return None

    @abstractmethod
    def refusal(self, answer: requests.Response, where: str) -> ShipmateError:
        """The error for an answer that says no, in the provider's words and ours."""

    def where(self, method: str, path: str) -> str:
        """Of a request, for messages: without its query, which can hold keys."""
        return f"{self.provider}, {method} {path.removeprefix(self.root).partition('?')[0]}"

    def read(self, answer: requests.Response, where: str) -> Any:
        """The JSON of an answer. Raises ProviderError."""
        try:
            return answer.json()
        except ValueError as error:
            raise ProviderError(
                f"the answer is no JSON: {body_text(answer)}",
                where=where,
                why="something between here and the provider answered in its place, or its interface changed",
                next_step="run this again; where it stays, look at the proxy of this machine",
            ) from error


def body_text(answer: requests.Response) -> str:
    """The beginning of an answer, for messages."""
    return str(answer.text).strip()[:SHOWN]


def error_of(answer: requests.Response) -> Mapping[str, Any]:
    """What stands at `error` of a refusal's JSON, as Google and Vercel have it; `message` alone where it has another form."""
    try:
        found = answer.json()["error"]
    except (ValueError, LookupError, TypeError):
        found = None
    return found if isinstance(found, Mapping) else {"message": body_text(answer)}


def given(secret: str, missing: CredentialsError) -> Callable[[], str]:
    """A token that is a secret of ours; `missing` is raised by the first call without one."""

    def token() -> str:
        if not secret:
            raise missing
        return secret

    return token
