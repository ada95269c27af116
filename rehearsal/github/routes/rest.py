"""All endpoints of the REST API, in the order in which paths are tried."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.github.accounts import rest as accounts
from rehearsal.github.attestations import rest as attestations
from rehearsal.github.checks import rest as checks
from rehearsal.github.deployments import rest as deployments
from rehearsal.github.environments import rest as environments
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.issues import rest as issues
from rehearsal.github.problems import not_found
from rehearsal.github.protection import rest as protection
from rehearsal.github.pulls import rest as pulls
from rehearsal.github.releases.rest import releases, source_archives
from rehearsal.github.repositories.rest import commits, contents, git_data, repositories
from rehearsal.github.rest import root
from rehearsal.github.rest.endpoint import Endpoint, Endpoints, routes
from rehearsal.github.routes import downloads, graphql
from rehearsal.github.runs.rest import jobs, oidc, runs, workflows
from rehearsal.github.secrets import rest as secrets

_DOMAINS = (
    repositories,
    git_data,
    checks,
    commits,
    contents,
    pulls,
    issues,
    workflows,
    runs,
    jobs,
    deployments,
    environments,
    secrets,
    releases,
    protection,
    accounts,
    oidc,
    attestations,
    source_archives,
    root,
    graphql,
)


def all_endpoints() -> list[Endpoint]:
    """Every endpoint; the catch-all forms of a path come last."""
    last = Endpoints()
    last.add("GET", "commits/{ref:path}", "contents:read")(commits.get_commit)
    return [*(one for domain in _DOMAINS for one in domain.endpoints.all), *last.all]


def api_routes(instance: GitHubInstance) -> list[Route]:
    """The REST API, and what its answers lead to."""
    missing = Route("/repos/{rest:path}", _missing, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    return [*routes(instance, all_endpoints()), *downloads.routes(instance), *oidc.oidc_routes(instance), missing]


async def _missing(request: Request) -> Response:
    problem = not_found()
    return JSONResponse(problem.body(), problem.status)
