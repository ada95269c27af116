"""Every path of the API, and which class answers it."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Route

from rehearsal.emulators.refusal import exception_handlers
from rehearsal.emulators.vercel.access import Access
from rehearsal.emulators.vercel.deployments import DeploymentsApi
from rehearsal.emulators.vercel.errors import not_routed
from rehearsal.emulators.vercel.names import NamesApi
from rehearsal.emulators.vercel.projects import ProjectsApi
from rehearsal.emulators.vercel.state import Account
from rehearsal.emulators.vercel.variables import VariablesApi


def api(account: Account, access: Access) -> Starlette:
    """The API of one account."""
    deployments = DeploymentsApi(account, access)
    projects = ProjectsApi(account, access)
    names = NamesApi(account, access)
    variables = VariablesApi(account, access)
    return Starlette(
        routes=[
            Route("/v2/files", deployments.upload, methods=["POST"]),
            Route("/v13/deployments", deployments.create, methods=["POST"]),
            Route("/v7/deployments", deployments.listed, methods=["GET"]),
            Route("/v13/deployments/{id}", deployments.get, methods=["GET"]),
            Route("/v13/deployments/{id}", deployments.delete, methods=["DELETE"]),
            Route("/v12/deployments/{id}/cancel", deployments.cancel, methods=["PATCH"]),
            Route("/v3/deployments/{id}/events", deployments.events, methods=["GET"]),
            Route("/v6/deployments/{id}/files", deployments.files, methods=["GET"]),
            Route("/v2/deployments/{id}/aliases", names.of_deployment, methods=["GET"]),
            Route("/v2/deployments/{id}/aliases", names.assign, methods=["POST"]),
            Route("/v4/aliases", names.listed, methods=["GET"]),
            Route("/v4/aliases/{alias}", names.get, methods=["GET"]),
            Route("/v2/aliases/{alias}", names.delete, methods=["DELETE"]),
            Route("/v2/teams/{team}", projects.team, methods=["GET"]),
            Route("/v10/projects", projects.listed, methods=["GET"]),
            Route("/v11/projects", projects.create, methods=["POST"]),
            Route("/v9/projects/{project}", projects.get, methods=["GET"]),
            Route("/v9/projects/{project}", projects.update, methods=["PATCH"]),
            Route("/v1/projects/{project}/protection-bypass", projects.bypass, methods=["PATCH"]),
            Route("/v10/projects/{project}/promote/{id}", projects.promote, methods=["POST"]),
            Route("/v1/projects/{project}/promote/aliases", projects.promoted_aliases, methods=["GET"]),
            Route("/v1/projects/{project}/rollback/{id}", projects.roll_back, methods=["POST"]),
            Route("/v9/projects/{project}/domains", names.domains, methods=["GET"]),
            Route("/v10/projects/{project}/domains", names.add_domain, methods=["POST"]),
            Route("/v9/projects/{project}/domains/{domain}", names.domain, methods=["GET"]),
            Route("/v9/projects/{project}/domains/{domain}", names.remove_domain, methods=["DELETE"]),
            Route("/v9/projects/{project}/domains/{domain}/verify", names.verify_domain, methods=["POST"]),
            Route("/v10/projects/{project}/env", variables.listed, methods=["GET"]),
            Route("/v10/projects/{project}/env", variables.add, methods=["POST"]),
            Route("/v9/projects/{project}/env/{id}", variables.update, methods=["PATCH"]),
            Route("/v9/projects/{project}/env/{id}", variables.remove, methods=["DELETE"]),
        ],
        exception_handlers=exception_handlers(not_routed),
    )
