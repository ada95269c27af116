"""The token services, driven by the real google-auth library."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import google.auth.exceptions
import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import identity_pool
from google.auth.transport.requests import Request as GoogleRequest
from requests.adapters import HTTPAdapter

from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.google.errors import GoogleError
from rehearsal.emulators.google_auth.app import Iam, IamCredentials, SecurityTokenService
from rehearsal.emulators.google_auth.policy import Policy, ServiceAccount
from rehearsal.emulators.google_auth.state import ExchangeRefused, Tokens
from rehearsal.serving import Server

ISSUER = "https://token.actions.example.test"
PROVIDER = "projects/1234/locations/global/workloadIdentityPools/github/providers/techmate"
DEPLOYER = "deploy@techmate-production.iam.gserviceaccount.com"
BOUND_BY_ATTRIBUTE = "publish@techmate-production.iam.gserviceaccount.com"
READER = "on-call@techmate-production.iam.gserviceaccount.com"
PRODUCTION = "repo:techmate/platform:environment:production"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)

POLICY = Policy(
    provider=PROVIDER,
    issuer=ISSUER,
    condition="assertion.repository == 'techmate/platform' && assertion.event_name != 'pull_request'",
    mapping={"google.subject": "assertion.sub", "attribute.environment": "assertion.environment"},
    accounts=(
        ServiceAccount(
            email=READER,
            grants={
                "techmate-production": frozenset({"iam.serviceAccounts.getIamPolicy"}),
                "1234": frozenset({"iam.workloadIdentityPoolProviders.get"}),
            },
        ),
        ServiceAccount(email=BOUND_BY_ATTRIBUTE, attributes=frozenset({("environment", "production")})),
        ServiceAccount(
            email=DEPLOYER,
            subjects=frozenset({PRODUCTION}),
            grants={"techmate-production": frozenset({"run.*"}), "techmate-delivery": frozenset({"run.services.get"})},
        ),
    ),
)


async def fetch_keys() -> Mapping[str, Any]:
    key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
    return {"keys": [{**key, "kid": "k1", "alg": "RS256", "use": "sig"}]}


def oidc(*, key: rsa.RSAPrivateKey = KEY, **changed: object) -> str:
    now = int(time.time())
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": f"https://iam.googleapis.com/{PROVIDER}",
        "sub": PRODUCTION,
        "repository": "techmate/platform",
        "event_name": "workflow_dispatch",
        "iat": now,
        "nbf": now,
        "exp": now + 7200,
    }
    return jwt.encode({**claims, **changed}, key, algorithm="RS256", headers={"kid": "k1"})


def tokens(clock: Callable[[], float] = time.time) -> Tokens:
    return Tokens(POLICY, fetch_keys, clock=clock)


class Redirected(HTTPAdapter):
    """Connects a Google host to a loopback server."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = self._base + request.path_url
        return super().send(request, *args, **kwargs)


async def with_services(state: Tokens, use: Callable[[requests.Session], None]) -> None:
    violations: list[Violation] = []
    servers = [
        Server(Checked(app.app, load(str(app.contract)), violations, strict=False), app.name)
        for app in (SecurityTokenService(state), IamCredentials(state), Iam(state))
    ]
    for server in servers:
        await server.start()
    with requests.Session() as session:
        for server, host in zip(servers, ("sts", "iamcredentials", "iam"), strict=True):
            session.mount(f"https://{host}.googleapis.com", Redirected(server.url))
        try:
            await asyncio.to_thread(use, session)
        finally:
            for server in servers:
                await server.stop()
    # google-auth sends `"delegates": null`, which is "not set" in Google's JSON mapping.
    assert [violation.text for violation in violations if "body/delegates: None" not in violation.text] == []


class Supplier(identity_pool.SubjectTokenSupplier):  # type: ignore[misc]
    def __init__(self, token: str) -> None:
        self._token = token

    def get_subject_token(self, context: object, request: object) -> str:
        return self._token


def credentials(token: str, account: str = DEPLOYER) -> identity_pool.Credentials:
    return identity_pool.Credentials(
        audience=f"//iam.googleapis.com/{PROVIDER}",
        subject_token_type="urn:ietf:params:oauth:token-type:jwt",
        token_url="https://sts.googleapis.com/v1/token",
        subject_token_supplier=Supplier(token),
        service_account_impersonation_url=(
            f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
        ),
        service_account_impersonation_options={"token_lifetime_seconds": 900},
        scopes=["https://www.googleapis.com/auth/cloud-platform"],
    )


def test_google_auth_gets_an_access_token_for_the_production_environment() -> None:
    state = tokens()

    def use(session: requests.Session) -> None:
        holder = credentials(oidc())
        holder.refresh(GoogleRequest(session))
        resource = "projects/techmate-production/locations/europe-west1/services/api"
        assert state.authorise(holder.token, "run.services.update", resource) == DEPLOYER
        with pytest.raises(GoogleError, match="denied on resource"):
            state.authorise(holder.token, "run.services.update", "projects/techmate-delivery/locations/x")

    asyncio.run(with_services(state, use))


def test_another_subject_gets_a_federated_token_but_no_account() -> None:
    def use(session: requests.Session) -> None:
        holder = credentials(oidc(sub="repo:techmate/platform:environment:staging"))
        with pytest.raises(google.auth.exceptions.RefreshError, match=r"iam\.serviceAccounts\.getAccessToken"):
            holder.refresh(GoogleRequest(session))

    asyncio.run(with_services(tokens(), use))


def test_an_account_is_bound_to_a_mapped_attribute() -> None:
    def use(session: requests.Session) -> None:
        held = credentials(oidc(sub="repo:techmate@7/platform@101:x", environment="production"), BOUND_BY_ATTRIBUTE)
        held.refresh(GoogleRequest(session))
        assert held.token
        for claims in ({"environment": "staging"}, {}):
            other = credentials(oidc(**claims), BOUND_BY_ATTRIBUTE)
            with pytest.raises(google.auth.exceptions.RefreshError, match=r"iam\.serviceAccounts\.getAccessToken"):
                other.refresh(GoogleRequest(session))

    asyncio.run(with_services(tokens(), use))


def test_administrators_read_the_provider_and_the_bindings() -> None:
    state = tokens()
    may = {"Authorization": f"Bearer {state.access_token(READER)}"}
    may_not = {"Authorization": f"Bearer {state.access_token(DEPLOYER)}"}
    provider = f"https://iam.googleapis.com/v1/{PROVIDER}"

    def policy_of(account: str, project: str = "-") -> str:
        return f"https://iam.googleapis.com/v1/projects/{project}/serviceAccounts/{account}:getIamPolicy"

    def use(session: requests.Session) -> None:
        read = session.get(provider, headers=may).json()
        assert read["attributeCondition"] == POLICY.condition
        assert read["attributeMapping"]["attribute.environment"] == "assertion.environment"
        assert (read["state"], read["oidc"]["issuerUri"]) == ("ACTIVE", ISSUER)
        assert session.get(provider + "x", headers=may).status_code == 404
        assert session.get(provider, headers=may_not).status_code == 403
        assert session.get(provider).status_code == 401
        pool = f"iam.googleapis.com/{PROVIDER.partition('/providers/')[0]}"
        bindings = session.post(policy_of(BOUND_BY_ATTRIBUTE), headers=may, json={}).json()["bindings"]
        members = [f"principalSet://{pool}/attribute.environment/production"]
        assert bindings == [{"role": "roles/iam.workloadIdentityUser", "members": members}]
        by_subject = session.post(policy_of(DEPLOYER, "techmate-production"), headers=may).json()["bindings"]
        assert by_subject[0]["members"] == [f"principal://{pool}/subject/{PRODUCTION}"]
        assert "bindings" not in session.post(policy_of(READER), headers=may).json()
        assert session.post(policy_of(DEPLOYER), headers=may_not).status_code == 403
        nobody = policy_of("nobody@techmate-production.iam.gserviceaccount.com", "techmate-production")
        assert session.post(nobody, headers=may).status_code == 404

    asyncio.run(with_services(state, use))


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (oidc(sub="x" * 128), "127 bytes limit"),
        (oidc(sub="repo:techmate/platform:pull_request", event_name="pull_request"), "attribute condition"),
        (oidc(event_name="pull_request"), "attribute condition"),
        (oidc(repository="someone/fork"), "attribute condition"),
        (oidc(aud="https://example.test"), "audience"),
        (oidc(iss="https://elsewhere.test"), "issuer"),
        (oidc(exp=int(time.time()) - 120), "expired"),
        (oidc(nbf=int(time.time()) + 86_400), "future"),
        (oidc(key=rsa.generate_private_key(public_exponent=65537, key_size=2048)), "verifying"),
        ("not.a.token", "verifying"),
    ],
)
def test_google_auth_is_refused(token: str, reason: str) -> None:
    def use(session: requests.Session) -> None:
        with pytest.raises(google.auth.exceptions.OAuthError, match=reason):
            credentials(token).refresh(GoogleRequest(session))

    asyncio.run(with_services(tokens(), use))


def test_an_unknown_pool_is_an_invalid_target() -> None:
    async def scenario() -> None:
        with pytest.raises(ExchangeRefused) as refused:
            await tokens().exchange(audience="//iam.googleapis.com/projects/1/other", subject_token=oidc())
        assert refused.value.error == "invalid_target"

    asyncio.run(scenario())


def test_an_access_token_expires_and_survives_a_snapshot() -> None:
    now = [1000.0]
    state = tokens(clock=lambda: now[0])
    token = state.access_token(DEPLOYER, lifetime=60)
    loaded = tokens(clock=lambda: now[0])
    loaded.load(json.loads(json.dumps(state.save())))
    assert loaded.authorise(token, "run.services.get", "projects/techmate-production") == DEPLOYER
    now[0] = 1061.0
    with pytest.raises(GoogleError, match="invalid authentication"):
        loaded.authorise(token, "run.services.get", "projects/techmate-production")


@pytest.mark.parametrize(
    ("body", "field"),
    [({"scope": []}, "scope"), ({"scope": ["x"], "lifetime": "7200s"}, "lifetime"), ({"lifetime": "soon"}, "lifetime")],
)
def test_bad_impersonation_requests_name_the_field(body: dict[str, Any], field: str) -> None:
    def use(session: requests.Session) -> None:
        url = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{DEPLOYER}:generateAccessToken"
        answer = session.post(url, json=body)
        assert answer.status_code == 400
        assert answer.json()["error"]["details"][0]["fieldViolations"][0]["field"] == field

    asyncio.run(with_services(tokens(), use))


def test_json_exchange_and_wrong_grant_types() -> None:
    def use(session: requests.Session) -> None:
        body = {
            "grantType": "urn:ietf:params:oauth:grant-type:token-exchange",
            "audience": f"//iam.googleapis.com/{PROVIDER}",
            "scope": "https://www.googleapis.com/auth/cloud-platform",
            "subjectToken": oidc(),
            "subjectTokenType": "urn:ietf:params:oauth:token-type:id_token",
        }
        answer = session.post("https://sts.googleapis.com/v1/token", json=body)
        assert answer.json()["token_type"] == "Bearer"
        refused = session.post("https://sts.googleapis.com/v1/token", data={"grant_type": "password"})
        assert (refused.status_code, refused.json()["error"]) == (400, "unsupported_grant_type")

    asyncio.run(with_services(tokens(), use))
