"""Access to Google without keys: GitHub's OIDC token becomes a federated token, and that a service account's access token.

Sources: docs.github.com "OpenID Connect reference"; cloud.google.com "Workload Identity Federation with deployment pipelines".
"""

from __future__ import annotations

import base64
import json
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipelines import faults
from pipelines.errors import CredentialsError, ShipmateError
from pipelines.faults import Fault, Faulted, Meaning
from pipelines.http import Http
from pipelines.manifest.model import Deployer

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""For everything at Google Cloud; the Play Store's interfaces have scopes of their own."""
VARIABLE = "GOOGLE_OAUTH_ACCESS_TOKEN"
_IMPERSONATE = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{}:generateAccessToken"
_STS = "https://sts.googleapis.com/v1/token"
_SHOWN = (
    "sub",
    "repository",
    "repository_id",
    "repository_owner_id",
    "environment",
    "ref",
    "workflow_ref",
    "event_name",
)
_EARLY = 120.0  # seconds before its end at which a token counts as expired


class GoogleAuth:
    """Gives the access token of the account deployments run as; fetched when first asked for, kept until it expires.

    Order: the deployer by OIDC where a workflow offers it, then GOOGLE_OAUTH_ACCESS_TOKEN, then the machine's own default
    credentials. `scopes` is what the token is asked for; one that was given has those that it has. `mask` hides a value in the log.
    """

    def __init__(
        self,
        http: Http,
        deployer: Deployer | None,
        *,
        scopes: Sequence[str] = (SCOPE,),
        environ: Mapping[str, str] = os.environ,
        mask: Callable[[str], None] = lambda value: None,
    ) -> None:
        self._http = http
        self._deployer = deployer
        self._scopes = list(scopes)
        self._environ = environ
        self._mask = mask
        self._token = ""
        self._expires = 0.0
        self._claims: Mapping[str, Any] = {}
        """The claims of the last identity token of the job, for a refusal to show."""

    def token(self) -> str:
        """An access token, good for two minutes at least. Raises CredentialsError, ProviderUnavailable."""
        if not self._token or time.time() >= self._expires - _EARLY:
            self._token, self._expires = self._fetched()
            self._mask(self._token)
        return self._token

    __call__ = token

    def forget(self) -> None:
        """The next `token` is a new one."""
        self._token = ""

    def _fetched(self) -> tuple[str, float]:
        given = self._environ.get(VARIABLE)
        if self._deployer is not None and self._environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"):
            return self._federated(self._deployer)
        if given:
            return given, float("inf")
        if self._environ.get("GITHUB_ACTIONS") == "true":
            raise _no_permission() if self._deployer else _no_deployer()
        return self._default()

    def _federated(self, deployer: Deployer) -> tuple[str, float]:
        from google.auth import identity_pool

        made: Any = identity_pool.Credentials
        credentials = made(
            audience=deployer.workload_identity,
            subject_token_type="urn:ietf:params:oauth:token-type:jwt",  # noqa: S106 - a type, not a token
            subject_token_supplier=_Supplier(self._oidc),
            token_url=_STS,
            service_account_impersonation_url=_IMPERSONATE.format(deployer.service_account),
            scopes=self._scopes,
        )
        return self._refreshed(credentials, f"Google access as {deployer.service_account}")

    def _oidc(self, audience: str) -> str:
        """The job's identity token from GitHub."""
        url = self._environ["ACTIONS_ID_TOKEN_REQUEST_URL"]
        bearer = {"Authorization": f"Bearer {self._environ.get('ACTIONS_ID_TOKEN_REQUEST_TOKEN', '')}"}
        # The address has a query of its own, which is kept.
        answer = self._http.request("GET", url, params={"audience": f"https:{audience}"}, headers=bearer)
        if answer.status_code != 200:
            raise CredentialsError(
                f"GitHub gives this job no identity token: HTTP {answer.status_code} {answer.text.strip()[:200]}",
                where="GitHub OIDC",
                why="the job's token has ended, or the job lacks the permission id-token",
                next_step="give the job `permissions: id-token: write`, then re-run it",
            )
        token = str(answer.json()["value"])
        self._mask(token)
        self._claims = _claims(token)
        return token

    def _default(self) -> tuple[str, float]:
        import google.auth
        from google.auth.exceptions import DefaultCredentialsError

        try:
            credentials, _ = google.auth.default(scopes=self._scopes, request=self._transport())
        except DefaultCredentialsError as error:
            raise CredentialsError(
                "there is no Google account here",
                where="Google",
                why=f"neither {VARIABLE} nor default credentials are set",
                next_step=f"run `gcloud auth application-default login{self._flag}`, "
                f"or `export {VARIABLE}=$(gcloud auth print-access-token{self._flag})`",
            ) from error
        return self._refreshed(credentials, "Google default credentials")

    @property
    def _flag(self) -> str:
        """what gcloud must be given besides, where its own scopes do not do."""
        return "" if self._scopes == [SCOPE] else f" --scopes={','.join([*self._scopes, SCOPE])}"

    def _refreshed(self, credentials: Any, where: str) -> tuple[str, float]:
        """Both calls behind a refresh only give out tokens, so they can be made again whatever became of them."""
        transport = self._transport()

        def refresh() -> tuple[str, float]:
            from google.auth.exceptions import GoogleAuthError, TransportError

            try:
                credentials.refresh(transport)
            except TransportError as error:
                raise Faulted(Fault(meaning=Meaning.TRY_AGAIN, text=_plain(error)), error) from error
            except GoogleAuthError as error:
                if error.retryable or re.search(r"\b(429|50[0-4])\b", str(error)[:200]):
                    raise Faulted(Fault(meaning=Meaning.TRY_AGAIN, text=_plain(error)), error) from error
                raise _refused(str(error), where, self._claims) from error
            expiry = credentials.expiry
            return str(credentials.token), expiry.timestamp() if expiry and expiry.tzinfo else _utc(expiry)

        return faults.retry(refresh, where=where, policy=self._http.policy)

    def _transport(self) -> Any:
        """google-auth's transport over our session, with our time-outs."""
        from google.auth.transport.requests import Request

        send: Any = Request(self._http.session)

        def call(url: str, **options: Any) -> Any:
            return send(url, **{**options, "timeout": 30.0})

        return call


def _utc(expiry: Any) -> float:
    """google-auth's expiry is UTC without saying so; without one, an hour is what Google gives."""
    from datetime import UTC

    return float(expiry.replace(tzinfo=UTC).timestamp()) if expiry else time.time() + 3600


def _plain(error: BaseException) -> str:
    return str(error)[:200]


class _Supplier:
    """What identity_pool asks for the subject token (its SubjectTokenSupplier, duck-typed to keep google-auth's import late)."""

    def __init__(self, fetch: Callable[[str], str]) -> None:
        self._fetch = fetch

    def get_subject_token(self, context: Any, request: Any) -> str:
        return self._fetch(context.audience)


def _claims(token: str) -> dict[str, Any]:
    """The claims that a pool may bind, of a JSON Web Token (RFC 7519); unverified, they are only shown."""
    try:
        payload = token.split(".")[1]
        document = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return {name: document[name] for name in _SHOWN if name in document} if isinstance(document, dict) else {}


def _refused(message: str, where: str, claims: Mapping[str, Any]) -> ShipmateError:
    shown = "; the job's token says " + ", ".join(f"{name}={value}" for name, value in claims.items()) if claims else ""
    if "attribute condition" in message or "unauthorized_client" in message:
        why = (
            "the pool takes no token of this job: its repository, branch, event or environment is not the one it trusts"
        )
        step = "deploy from a job of the right environment and workflow; `shipmate doctor` shows the condition that the pool should have"
    elif "invalid_target" in message or "audience" in message:
        why = "the pool or provider in `deployer/workload_identity` does not exist or is disabled"
        step = "correct it in shipmate.yml: //iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/P/providers/X"
    else:
        why = "the pool knows the job, but it may not become this service account"
        step = "grant roles/iam.workloadIdentityUser on the service account to the job's principal"
    return CredentialsError(f"Google refuses: {message[:400]}", where=where, why=f"{why}{shown}", next_step=step)


def _no_permission() -> CredentialsError:
    return CredentialsError(
        "this job has no OIDC token to show to Google",
        where="GitHub OIDC",
        why="ACTIONS_ID_TOKEN_REQUEST_URL is not set: the job lacks the permission id-token, or it runs for a fork",
        next_step="give the job `permissions: id-token: write`",
    )


def _no_deployer() -> CredentialsError:
    return CredentialsError(
        "the environment names no deployer",
        where="shipmate.yml",
        why="without it there is no Google account to become",
        next_step="add `deployer:` to the environment in shipmate.yml",
    )
