"""OpenID Connect tokens for jobs: the claims as GitHub forms them, and the address a job asks.

https://docs.github.com/actions/reference/security/oidc
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from rehearsal.runner import contexts
from rehearsal.runner.model import Job, Run
from rehearsal.serving import Server


def subject(repository: str, *, ref: str, event_name: str, environment: str | None) -> str:
    """The `sub` claim: an environment beats a pull request beats a ref."""
    if environment:
        return f"repo:{repository}:environment:{environment}"
    if event_name == "pull_request":
        return f"repo:{repository}:pull_request"
    return f"repo:{repository}:ref:{ref}"


def claims(run: Run, job: Job, *, called_workflow: str | None, server_url: str) -> dict[str, Any]:
    """Everything but `iss`, `iat`, `exp` and the audience a job asks for.

    `called_workflow` is the path of the reusable workflow the job comes from, if it does.
    """
    event = run.event
    context = contexts.github(run, server_url=server_url, api_url="")
    owner = context["repository_owner"]
    found: dict[str, Any] = {
        "sub": subject(run.repository, ref=event.ref, event_name=event.name, environment=job.environment),
        "aud": f"{server_url}/{owner}",
        "jti": secrets.token_hex(16),
        "environment": job.environment,
        "repository": run.repository,
        "repository_id": context["repository_id"] or None,
        "repository_owner": owner,
        "repository_owner_id": context["repository_owner_id"] or None,
        "repository_visibility": "private" if (event.payload.get("repository") or {}).get("private") else "public",
        "actor": event.actor,
        "actor_id": context["actor_id"] or None,
        "event_name": event.name,
        "ref": event.ref,
        "ref_type": context["ref_type"],
        "ref_protected": "false",
        "head_ref": context["head_ref"],
        "base_ref": context["base_ref"],
        "sha": event.sha,
        "workflow": run.workflow_name,
        "workflow_ref": context["workflow_ref"],
        "workflow_sha": event.sha,
        "job_workflow_ref": f"{run.repository}/{called_workflow or run.workflow_path}@{event.ref}",
        "job_workflow_sha": event.sha,
        "run_id": str(run.id),
        "run_number": str(run.number),
        "run_attempt": str(run.attempt),
        "check_run_id": str(job.check_run_id),
        "runner_environment": "github-hosted",
    }
    return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a job with `id-token: write` finds in its environment."""

    url: str
    token: str

    def environment(self) -> dict[str, str]:
        return {"ACTIONS_ID_TOKEN_REQUEST_URL": self.url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.token}


class TokenService:
    """Answers `GET $ACTIONS_ID_TOKEN_REQUEST_URL&audience=X` for the jobs that are granted it, while they run."""

    def __init__(self, sign: Callable[[dict[str, Any]], str]) -> None:
        self._sign = sign
        self._granted: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self.app = Starlette(routes=[Route("/idtoken/{job}", self._answer)])
        self._server = Server(self.app, "oidc")

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    def grant(self, job_id: int, claims: Mapping[str, Any]) -> Grant:
        """Let a job ask for tokens with these claims until `retire`."""
        token = secrets.token_urlsafe(24)
        self._granted[str(job_id)] = (token, claims)
        return Grant(url=f"{self._server.url}/idtoken/{job_id}?api-version=2.0", token=token)

    def retire(self, job_id: int) -> None:
        self._granted.pop(str(job_id), None)

    async def _answer(self, request: Request) -> JSONResponse:
        token, claims = self._granted.get(request.path_params["job"], ("", {}))
        _, _, given = request.headers.get("authorization", "").partition(" ")
        if not token or not hmac.compare_digest(token, given):
            message = "This job may not ask for an OIDC token: it has ended, or the request token is not its own."
            return JSONResponse({"message": message}, status_code=401)
        audience = request.query_params.get("audience")
        value = self._sign({**claims, "aud": audience} if audience else dict(claims))
        return JSONResponse({"count": len(value), "value": value})
