"""HTTP of the token services and of what IAM shows of them (discovery documents sts.v1, iamcredentials.v1, iam.v1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.emulators.google.errors import exception_handlers, invalid, not_found
from rehearsal.emulators.google.wire import duration, json_body, timestamp
from rehearsal.emulators.google_auth.state import ExchangeRefused, Tokens
from rehearsal.emulators.refusal import bearer

_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
_SUBJECT_TYPES = frozenset({"urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"})


def sts_app(tokens: Tokens) -> Starlette:
    """`POST /v1/token`: RFC 8693 token exchange, as a form (what google-auth sends) or as JSON (camel case)."""

    async def token(request: Request) -> Response:
        try:
            fields = await _exchange_fields(request)
            access, lifetime = await tokens.exchange(audience=fields["audience"], subject_token=fields["subject_token"])
        except ExchangeRefused as refused:
            body = {"error": refused.error, "error_description": refused.description}
            return JSONResponse(body, status_code=refused.http_status)
        return JSONResponse(
            {
                "access_token": access,
                "issued_token_type": _ACCESS_TOKEN,
                "token_type": "Bearer",
                "expires_in": lifetime,
            }
        )

    return Starlette(routes=[Route("/v1/token", token, methods=["POST"])], exception_handlers=exception_handlers())


def iam_credentials_app(tokens: Tokens) -> Starlette:
    """`POST /v1/projects/-/serviceAccounts/{email}:generateAccessToken`."""

    async def generate(request: Request) -> Response:
        body = await json_body(request)
        if request.path_params["project"] != "-":
            raise invalid("name", "the project must be the wildcard '-'; the account's address names its project.")
        scopes = body.get("scope", [])
        if not isinstance(scopes, list):
            raise invalid("scope", "must be a list of scopes.")
        if body.get("delegates"):
            raise invalid("delegates", "delegation chains are not part of this world.")
        access, expires = tokens.impersonate(
            bearer(request),
            request.path_params["email"],
            scopes=scopes,
            lifetime=duration(str(body.get("lifetime", "3600s")), field="lifetime"),
        )
        return JSONResponse({"accessToken": access, "expireTime": timestamp(expires)})

    path = "/v1/projects/{project}/serviceAccounts/{email}:generateAccessToken"
    return Starlette(routes=[Route(path, generate, methods=["POST"])], exception_handlers=exception_handlers())


def iam_app(tokens: Tokens) -> Starlette:
    """What administrators read: the workload identity provider, and who may become a service account."""

    async def provider(request: Request) -> Response:
        name = request.url.path.removeprefix("/v1/")
        tokens.authorise(bearer(request), "iam.workloadIdentityPoolProviders.get", name)
        policy = tokens.policy
        if name != policy.provider:
            raise not_found(name)
        body: dict[str, Any] = {
            "name": policy.provider,
            "displayName": "GitHub Actions",
            "state": "ACTIVE",
            "attributeMapping": dict(policy.mapping),
            "oidc": {"issuerUri": policy.issuer},
        }
        return JSONResponse({**body, "attributeCondition": policy.condition} if policy.condition else body)

    async def iam_policy(request: Request) -> Response:
        project, email = request.path_params["project"], request.path_params["email"]
        account = tokens.policy.account(email)
        owner = account.project if account is not None and project == "-" else project
        resource = f"projects/{owner}/serviceAccounts/{email}"
        tokens.authorise(bearer(request), "iam.serviceAccounts.getIamPolicy", resource)
        if account is None or account.project != owner:
            raise not_found(resource)
        return JSONResponse(tokens.policy.iam_policy(resource))

    pools = "/v1/projects/{project}/locations/{location}/workloadIdentityPools/{pool}/providers/{provider}"
    accounts = "/v1/projects/{project}/serviceAccounts/{email}:getIamPolicy"
    return Starlette(
        routes=[Route(pools, provider, methods=["GET"]), Route(accounts, iam_policy, methods=["POST"])],
        exception_handlers=exception_handlers(),
    )


async def _exchange_fields(request: Request) -> Mapping[str, str]:
    fields = await _fields(request)
    if fields.get("grant_type") != _EXCHANGE:
        raise ExchangeRefused("unsupported_grant_type", f"grant_type must be {_EXCHANGE}.")
    if fields.get("requested_token_type", _ACCESS_TOKEN) != _ACCESS_TOKEN:
        raise ExchangeRefused("invalid_request", f"requested_token_type must be {_ACCESS_TOKEN}.")
    if fields.get("subject_token_type") not in _SUBJECT_TYPES:
        raise ExchangeRefused("invalid_request", "subject_token_type must be a JWT or an ID token.")
    missing = [name for name in ("audience", "subject_token", "scope") if not fields.get(name)]
    if missing:
        raise ExchangeRefused("invalid_request", f"Missing required parameter: {', '.join(missing)}.")
    return fields


async def _fields(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").startswith("application/json"):
        body: dict[str, Any] = await json_body(request)
        return {_snake(name): str(value) for name, value in body.items()}
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
