"""The OIDC tokens of jobs: the form of their subject, and the issuer's discovery."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.github.instance import GitHubInstance
from rehearsal.github.oidc import subject_prefix
from rehearsal.github.problems import Problem
from rehearsal.github.rest.answers import Answer, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints

endpoints = Endpoints()


_OIDC_SUBJECT = "actions/oidc/customization/sub"


@endpoints.add("GET", _OIDC_SUBJECT, "actions:read")
async def get_oidc_subject(call: Call) -> Answer:
    """Which form the subject of this repository's OIDC tokens has. Other claims than the usual ones are not emulated."""
    repository, ids = call.repository, call.repository.settings.immutable_subject
    prefix = subject_prefix(call.instance.database, repository)
    return ok({"use_default": True, "use_immutable_subject": ids, "sub_claim_prefix": prefix})


@endpoints.add("PUT", _OIDC_SUBJECT, "actions:write", role="admin")
async def put_oidc_subject(call: Call) -> Answer:
    fields = call.fields
    if not fields.flag("use_default", True):
        raise Problem(422, "Subjects are made of the usual claims here: use_default has to be true.")
    settings = call.repository.settings
    settings.immutable_subject = fields.flag("use_immutable_subject", settings.immutable_subject)
    return Answer(status=201, body={})


def oidc_routes(instance: GitHubInstance) -> list[Route]:
    """The issuer's discovery document and keys."""

    async def configuration(request: Request) -> Response:
        return JSONResponse(instance.oidc.configuration(instance.issuer))

    async def keys(request: Request) -> Response:
        return JSONResponse(instance.oidc.jwks())

    base = "/_oidc/.well-known"
    return [Route(f"{base}/openid-configuration", configuration), Route(f"{base}/jwks", keys)]
