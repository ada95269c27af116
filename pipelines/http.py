"""HTTP to the outside: requests, with one policy of time-outs and retries, through the overlay when there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipelines import faults
from pipelines.errors import CredentialsError, ProviderError
from pipelines.faults import Faulted, Policy
from pipelines.overlay import Overlay, current

if TYPE_CHECKING:
    import requests

TIMEOUT = (5.0, 30.0)
"""Seconds to connect, and to wait for the next byte."""


class Http:
    """One requests session for a process. Answers are returned for any status the policy does not handle."""

    def __init__(self, *, overlay: Overlay | None = None, policy: Policy | None = None) -> None:
        self.overlay = overlay if overlay is not None else current()
        self.policy = policy or Policy(scale=self.overlay.time_scale)

    @cached_property
    def session(self) -> requests.Session:
        """The session, for libraries that bring their own calls (google-auth). Carries the overlay, not the retries."""
        return self.new_session()

    def new_session(self) -> requests.Session:
        """One with connections and cookies of its own, through the overlay as well; close it after use."""
        import requests

        session = requests.Session()
        session.trust_env = not self.overlay.active
        if self.overlay.active:
            adapter = _overlay_adapter(self.overlay)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
        return session

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        json: Any = None,
        data: Any = None,
        timeout: tuple[float, float] = TIMEOUT,
        stream: bool = False,
        retry: bool = True,
        allow_redirects: bool = True,
    ) -> requests.Response:
        """One call with retries as `faults` says. Raises MayHaveHappened or ProviderUnavailable; no status raises here.

        `data` must be bytes or re-readable: a retry sends it again. `retry=False` makes one try.
        """
        policy = self.policy if retry else Policy(tries=1)
        where = f"{method} {_shown(url)}"

        def call() -> requests.Response:
            return self._once(method, url, headers, params, json, data, timeout, stream, allow_redirects)

        return faults.retry(call, where=where, policy=policy)

    def _once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None,
        json: Any,
        data: Any,
        timeout: tuple[float, float],
        stream: bool,
        allow_redirects: bool,
    ) -> requests.Response:
        import requests

        try:
            answer = self.session.request(
                method,
                url,
                headers=dict(headers or {}),
                params=params,
                json=json,
                data=data,
                timeout=timeout,
                stream=stream,
                allow_redirects=allow_redirects,
            )
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise Faulted(faults.of_connection(method, error, sent=was_sent(error)), error) from error
        text = "" if stream and answer.ok else answer.text
        fault = faults.of_status(method, answer.status_code, answer.headers, text)
        if fault is not None:
            raise Faulted(fault)
        return answer

    def json(self, method: str, url: str, *, ok: tuple[int, ...] = (200,), **request: Any) -> Any:
        """`request`, its status checked and its body read as JSON (None if empty). Raises ProviderError, CredentialsError."""
        answer = self.request(method, url, **request)
        if answer.status_code not in ok:
            raise refused(method, url, answer)
        return answer.json() if answer.content else None


def refused(method: str, url: str, answer: requests.Response) -> ProviderError | CredentialsError:
    """The error for an answer that says no, with the provider's own words."""
    where = f"{method} {_shown(url)}"
    message = answer.text.strip()[:500]
    if answer.status_code == 401:
        return CredentialsError(
            f"HTTP 401: {message}",
            where=where,
            why="the token is wrong, expired or revoked",
            next_step="replace the secret that holds it, then run this again",
        )
    if answer.status_code == 403:
        return CredentialsError(
            f"HTTP 403: {message}",
            where=where,
            why="the token is valid but lacks a permission",
            next_step="grant the permission named above to the account this runs as, then run this again",
        )
    return ProviderError(
        f"HTTP {answer.status_code}: {message}", where=where, next_step="read the provider's words above"
    )


def _shown(url: str) -> str:
    """A URL without its query: queries can carry keys."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def was_sent(error: BaseException) -> bool:
    import requests
    from urllib3.exceptions import NewConnectionError

    if isinstance(error, (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError)):
        return False
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return not isinstance(reason, NewConnectionError)


@cache
def _trusting(ca: str | None) -> Any:
    """The TLS of all sessions of an overlay: each visit has a session of its own, and to read the authority takes as long as to ask."""
    from urllib3.util.ssl_ import create_urllib3_context

    context = create_urllib3_context()
    if ca is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(ca)
    return context


def _overlay_adapter(overlay: Overlay) -> Any:
    """A transport that connects to the mapped address while URL, Host, SNI and the checked name stay the real ones."""
    from requests.adapters import HTTPAdapter

    class OverlayAdapter(HTTPAdapter):
        def get_connection_with_tls_context(
            self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
        ) -> Any:
            host = urlsplit(request.url).hostname or ""
            target = overlay.target(host)
            if target is None:
                return super().get_connection_with_tls_context(request, verify, {}, cert)
            parts = urlsplit(target)
            tls = {"server_hostname": host, "assert_hostname": host, "ssl_context": _trusting(overlay.ca)}
            return self.poolmanager.connection_from_host(
                parts.hostname,
                port=parts.port,
                scheme=parts.scheme,
                pool_kwargs=tls if parts.scheme == "https" else None,
            )

        def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
            if overlay.target(urlsplit(url).hostname or "") is None:
                super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]

        def add_headers(self, request: Any, **_: Any) -> None:
            request.headers.setdefault("Host", urlsplit(request.url).netloc)

    return OverlayAdapter()
