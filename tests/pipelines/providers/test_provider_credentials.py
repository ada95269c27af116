"""Becoming the deployer by OIDC, reading secrets, and the message when it cannot be."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines.errors import CredentialsError, ManifestError, ProviderUnavailable
from pipelines.faults import Policy as Retries
from pipelines.http import Http
from pipelines.manifest.mobile import PlayStore
from pipelines.manifest.model import Deployer
from pipelines.mobile import clients
from pipelines.overlay import Overlay
from pipelines.providers import Credentials, google_play, play_vitals, secret_manager
from pipelines.runtime import Runtime
from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.google_auth.app import IamCredentials, SecurityTokenService
from rehearsal.emulators.google_auth.policy import Policy, ServiceAccount
from rehearsal.emulators.google_auth.state import Tokens
from rehearsal.emulators.secret_manager.app import SecretManager
from rehearsal.faults import Fault, Faults, Faulty
from rehearsal.serving import running

ISSUER = "https://token.actions.example.test"
PROVIDER = "projects/1234/locations/global/workloadIdentityPools/github/providers/techmate"
DEPLOYER = "deploy@techmate-production.iam.gserviceaccount.com"
SUBJECT = "repo:techmate/platform:environment:production"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
BY_ENVIRONMENT = frozenset({("environment", "production")})
SETTINGS = Deployer(workload_identity=f"//iam.googleapis.com/{PROVIDER}", service_account=DEPLOYER)


async def keys() -> Mapping[str, Any]:
    key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
    return {"keys": [{**key, "kid": "k1", "alg": "RS256", "use": "sig"}]}


@dataclass(kw_only=True)
class Google:
    """Token services, Secret Manager, and GitHub's token endpoint for one job."""

    tokens: Tokens
    secrets: SecretManager
    faults: Faults = field(default_factory=Faults)
    violations: list[Violation] = field(default_factory=list)
    claims: dict[str, object] = field(default_factory=dict)
    audiences: list[str] = field(default_factory=list)
    may_ask: bool = True
    http: Http = field(default_factory=Http)
    url: str = ""

    async def oidc(self, request: Request) -> Response:
        """As GitHub's runner service: the query of the address is the caller's, `audience` is added."""
        if (
            not self.may_ask
            or request.headers["authorization"] != "Bearer runner"
            or request.query_params["api-version"] != "2.0"
        ):
            return JSONResponse({"message": "no"}, 401)
        self.audiences.append(request.query_params["audience"])
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": self.audiences[-1],
            "sub": SUBJECT,
            "repository": "techmate/platform",
            "event_name": "push",
            "iat": now,
            "nbf": now,
            "exp": now + 300,
        }
        return JSONResponse(
            {"value": jwt.encode({**claims, **self.claims}, KEY, algorithm="RS256", headers={"kid": "k1"})}
        )

    def credentials(self, **environ: str) -> tuple[Credentials, io.StringIO]:
        """Those of a job with the permission id-token, and its log."""
        log = io.StringIO()
        env = {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/oidc?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner",
        }
        runtime = Runtime(environ=environ or env, stream=log)
        return Credentials(http=self.http, runtime=runtime, deployer=SETTINGS), log


@contextlib.contextmanager
def google(clock: Any = time.time) -> Iterator[Google]:
    account = ServiceAccount(
        email=DEPLOYER, subjects=frozenset({SUBJECT}), grants={"techmate-production": frozenset({"secretmanager.*"})}
    )
    condition = "assertion.repository == 'techmate/platform' && assertion.event_name != 'pull_request'"
    policy = Policy(provider=PROVIDER, issuer=ISSUER, condition=condition, accounts=(account,))
    tokens = Tokens(policy, keys, clock=clock)
    world = Google(tokens=tokens, secrets=SecretManager(authorise=tokens.authorise))
    emulators = [SecurityTokenService(tokens), IamCredentials(tokens), world.secrets]
    with contextlib.ExitStack() as stack:
        hosts = {}
        for emulator in emulators:
            checked = Checked(emulator.app, load(str(emulator.contract)), world.violations)
            server = stack.enter_context(running(Faulty(checked, emulator.name, world.faults), emulator.name))
            hosts |= dict.fromkeys(emulator.hosts, server.url)
        world.url = stack.enter_context(running(Starlette(routes=[Route("/oidc", world.oidc)]))).url
        world.http = Http(overlay=Overlay(hosts=hosts, time_scale=0.001), policy=Retries(scale=0.001))
        yield world
        assert [violation.text for violation in world.violations] == []


def test_a_job_becomes_the_deployer_once_and_its_tokens_are_masked() -> None:
    with google() as world:
        credentials, log = world.credentials()
        token = credentials.google()
        assert world.tokens.holder(token).account == DEPLOYER
        assert credentials.google() == token
        assert world.audiences == [f"https://iam.googleapis.com/{PROVIDER}"]
        masked = [line for line in log.getvalue().splitlines() if line.startswith("::add-mask::")]
        assert len(masked) == 2
        assert f"::add-mask::{token}" in masked


def test_an_app_of_the_play_store_asks_for_the_scopes_of_its_interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = PlayStore(
        package="test.acme.shop", workload_identity=SETTINGS.workload_identity, service_account=DEPLOYER
    )
    with google() as world:
        asked: list[list[str]] = []
        impersonate = world.tokens.impersonate

        def recorded(token: str | None, email: str, *, scopes: list[str], lifetime: float) -> tuple[str, float]:
            asked.append(scopes)
            return impersonate(token, email, scopes=scopes, lifetime=lifetime)

        monkeypatch.setattr(world.tokens, "impersonate", recorded)
        credentials, log = world.credentials()
        runtime = credentials.runtime
        access = clients.Access(http=world.http, environ=runtime.environ, mask=runtime.mask)
        token = clients.google(settings, access)()
        assert world.tokens.holder(token).account == DEPLOYER
        assert asked == [[google_play.SCOPE, play_vitals.SCOPE]]
        assert f"::add-mask::{token}" in log.getvalue()


def test_a_terminal_without_an_account_is_reported_the_scopes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    settings = PlayStore(package="test.acme.shop", workload_identity="//iam/x", service_account=DEPLOYER)
    with pytest.raises(CredentialsError) as caught:
        clients.google(settings, clients.Access(http=Http(policy=Retries(tries=1)), environ={}))()
    assert f"--scopes={google_play.SCOPE},{play_vitals.SCOPE}" in caught.value.next_step


def test_a_token_near_its_end_is_fetched_again() -> None:
    # Google's clock is 59 minutes behind: what it gives out is nearly over here.
    with google(clock=lambda: time.time() - 3540) as world:
        world.claims = {"iat": int(time.time()) - 3600, "nbf": int(time.time()) - 3600}
        credentials, _ = world.credentials()
        assert credentials.google() != credentials.google()


@pytest.mark.parametrize("emulator", ["google-sts", "google-iam-credentials"])
@pytest.mark.parametrize("kind", ["cut", "lose_answer", "status", "throttle"])
def test_giving_out_tokens_is_tried_again(kind: Any, emulator: str) -> None:
    with google() as world:
        world.faults.add(Fault(kind=kind, emulator=emulator, times=2, retry_after=0))
        credentials, _ = world.credentials()
        assert world.tokens.holder(credentials.google()).account == DEPLOYER


def test_a_service_that_stays_down_is_reported() -> None:
    with google() as world:
        world.faults.add(Fault(kind="status", emulator="google-sts", times=None))
        credentials, _ = world.credentials()
        with pytest.raises(ProviderUnavailable, match="still failing after 5 tries"):
            credentials.google()


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"repository": "someone/else"}, "takes no token of this job"),
        ({"event_name": "pull_request"}, "takes no token of this job"),
        ({"sub": "repo:techmate/platform:environment:staging"}, "may not become this service account"),
    ],
)
def test_a_refusal_says_which_rule_it_was(claims: dict[str, object], why: str) -> None:
    with google() as world:
        world.claims = claims
        credentials, _ = world.credentials()
        with pytest.raises(CredentialsError, match="Google refuses") as caught:
            credentials.google()
        assert why in caught.value.why
        for name, value in claims.items():
            assert f"{name}={value}" in caught.value.why


@pytest.mark.parametrize(
    "subject", [SUBJECT, "repo:techmate@4021/platform@901:environment:production"], ids=["by name", "by number"]
)
def test_both_forms_of_a_subject_are_let_in_by_the_environment(subject: str) -> None:
    """Repositories made since July 2026 send the form with numbers; what is bound are attributes, so either does."""
    with google() as world:
        account = replace(world.tokens.policy.accounts[0], subjects=frozenset(), attributes=BY_ENVIRONMENT)
        mapping = {"google.subject": "assertion.sub", "attribute.environment": "assertion.environment"}
        condition = "assertion.repository_id == '901'"
        world.tokens.policy = replace(world.tokens.policy, accounts=(account,), mapping=mapping, condition=condition)
        world.claims = {"sub": subject, "environment": "production", "repository_id": "901"}
        credentials, _ = world.credentials()
        assert world.tokens.holder(credentials.google()).account == DEPLOYER
        world.claims = {"sub": subject, "environment": "staging", "repository_id": "901"}
        credentials, _ = world.credentials()
        with pytest.raises(CredentialsError, match="Google refuses") as caught:
            credentials.google()
        assert f"sub={subject}" in caught.value.why
        assert "environment=staging" in caught.value.why


def test_a_pool_that_does_not_exist_is_named() -> None:
    with google() as world:
        credentials, _ = world.credentials()
        credentials.deployer = Deployer(
            workload_identity="//iam.googleapis.com/projects/1/nothing", service_account=DEPLOYER
        )
        with pytest.raises(CredentialsError) as caught:
            credentials.google()
        assert "does not exist or is disabled" in caught.value.why


def test_without_the_permission_the_yaml_to_add_is_named() -> None:
    with google() as world:
        credentials, _ = world.credentials(GITHUB_ACTIONS="true")
        with pytest.raises(CredentialsError, match="no OIDC token") as caught:
            credentials.google()
        assert "id-token: write" in caught.value.next_step
        world.may_ask = False
        credentials, _ = world.credentials()
        with pytest.raises(CredentialsError, match="no identity token: HTTP 401"):
            credentials.google()


def test_a_laptop_can_pass_a_token() -> None:
    with google() as world:
        credentials, log = world.credentials(GOOGLE_OAUTH_ACCESS_TOKEN="from-gcloud")
        assert credentials.google() == "from-gcloud"
        assert log.getvalue() == ""


def test_a_laptop_without_an_account_is_reported_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    with google() as world:
        credentials, _ = world.credentials(HOME=str(tmp_path))
        with pytest.raises(CredentialsError, match="no Google account here") as caught:
            credentials.google()
        assert "gcloud auth application-default login" in caught.value.next_step


def test_a_secret_is_read_by_number() -> None:
    with google() as world:
        project = "techmate-production"
        world.secrets.secrets.create(project, "database-url", {"replication": {"automatic": {}}})
        world.secrets.secrets.add_version(f"projects/{project}/secrets/database-url", b"postgres://x")
        credentials, _ = world.credentials()
        assert secret_manager.access(world.http, credentials, project, "database-url@1") == "postgres://x"
        with pytest.raises(CredentialsError, match="database-url@2 of techmate-production cannot be read"):
            secret_manager.access(world.http, credentials, project, "database-url@2")
        with pytest.raises(CredentialsError, match="Google refuses") as caught:
            secret_manager.access(world.http, credentials, "techmate-staging", "database-url@1")
        assert "lacks a permission" in caught.value.why


@pytest.mark.parametrize("written", ["database-url", "database-url@latest", "@1", ""])
def test_a_secret_without_a_number_is_refused(written: str) -> None:
    with pytest.raises(ManifestError, match="is no secret version"):
        secret_manager.parse(written)


def test_a_token_google_does_not_know_is_reported() -> None:
    with google() as world:
        credentials, _ = world.credentials(GOOGLE_OAUTH_ACCESS_TOKEN="old")
        with pytest.raises(CredentialsError, match="does not accept the token"):
            secret_manager.access(world.http, credentials, "techmate-production", "database-url@1")
