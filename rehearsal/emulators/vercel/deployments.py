"""HTTP of uploads and deployments."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rehearsal.emulators.vercel.access import Access
from rehearsal.emulators.vercel.errors import ApiError, bad_request
from rehearsal.emulators.vercel.model import Deployment, File, Project
from rehearsal.emulators.vercel.state import Account
from rehearsal.emulators.vercel.views import deployment_json, event_json, listed_deployment_json, page_json

_MOST_LISTED = 100
# How the facts of a commit appear among a deployment's `meta`; lists filter by them.
_GIT_META = {
    "commitSha": "githubCommitSha",
    "commitRef": "githubCommitRef",
    "commitMessage": "githubCommitMessage",
    "commitAuthorName": "githubCommitAuthorName",
}


class DeploymentsApi:
    """`/v2/files` and `/…/deployments`."""

    def __init__(self, account: Account, access: Access) -> None:
        self._account = account
        self._access = access

    async def upload(self, request: Request) -> Response:
        """POST /v2/files"""
        self._access.user(request)
        digest = request.headers.get("x-vercel-digest") or request.headers.get("x-now-digest")
        if not digest:
            raise bad_request("The header x-vercel-digest (SHA-1 of the content) is missing.")
        self._account.upload(await request.body(), digest)
        return JSONResponse({"urls": []})

    async def create(self, request: Request) -> Response:
        """POST /v13/deployments"""
        user = self._access.user(request)
        body = await json_object(request)
        target = body.get("target")
        if target not in (None, "production", "staging", "preview"):
            raise bad_request(f"`target` should be production, staging or absent; got {target!r}.")
        deployment = self._account.create(
            self._project(body),
            files=self._wanted_files(body),
            target=None if target == "preview" else target,
            creator=user,
            meta=_meta(body),
        )
        return JSONResponse(deployment_json(self._account, deployment))

    async def get(self, request: Request) -> Response:
        """GET /v13/deployments/{idOrUrl}"""
        return JSONResponse(deployment_json(self._account, self._asked(request)))

    async def cancel(self, request: Request) -> Response:
        """PATCH /v12/deployments/{id}/cancel"""
        deployment = self._asked(request)
        self._account.cancel(deployment)
        return JSONResponse(deployment_json(self._account, deployment))

    async def delete(self, request: Request) -> Response:
        """DELETE /v13/deployments/{id}"""
        deployment = self._asked(request)
        self._account.delete(deployment)
        return JSONResponse({"uid": deployment.id, "state": "DELETED"})

    async def events(self, request: Request) -> Response:
        """GET /v3/deployments/{idOrUrl}/events: the build's log"""
        deployment = self._asked(request)
        numbers = list(range(len(deployment.events)))
        if request.query_params.get("direction") == "backward":
            numbers.reverse()
        limit = int(request.query_params.get("limit", "-1"))
        return JSONResponse([event_json(deployment, number) for number in numbers[: limit if limit >= 0 else None]])

    async def files(self, request: Request) -> Response:
        """GET /v6/deployments/{id}/files: a tree"""
        return JSONResponse(_tree(self._asked(request).files))

    async def listed(self, request: Request) -> Response:
        """GET /v7/deployments: newest first, filtered and paged"""
        self._access.user(request)
        self._account.advance()
        query = request.query_params
        limit = min(int(query.get("limit", "20")), _MOST_LISTED)
        chosen = [d for d in self._account.deployments.values() if self._is_wanted(d, dict(query))]
        chosen.sort(key=lambda deployment: -deployment.created)
        shown = chosen[:limit]
        return JSONResponse(
            {
                "deployments": [listed_deployment_json(self._account, deployment) for deployment in shown],
                "pagination": page_json([deployment.created for deployment in shown], more=len(chosen) > limit),
            }
        )

    def _asked(self, request: Request) -> Deployment:
        self._access.user(request)
        return self._account.deployment(request.path_params["id"])

    def _project(self, body: dict[str, Any]) -> Project:
        """The project named, which must exist; or the one called like the deployment, made when it does not."""
        if body.get("project"):
            return self._account.project(str(body["project"]))
        name = body.get("name")
        if not isinstance(name, str) or not name:
            raise bad_request("`name` is missing.")
        try:
            return self._account.project(name)
        except ApiError:
            return self._account.add_project(name)

    def _wanted_files(self, body: dict[str, Any]) -> list[File]:
        if body.get("deploymentId"):
            return list(self._account.deployment(str(body["deploymentId"])).files)
        return [self._file(item) for item in body.get("files", [])]

    def _file(self, item: dict[str, Any]) -> File:
        path = str(item.get("file", ""))
        if not path or path.startswith("/") or ".." in path.split("/"):
            raise bad_request(f"`files[].file` is no path inside the deployment: {path!r}.")
        if "data" in item:
            content = _inlined(item)
            sha = hashlib.sha1(content, usedforsecurity=False).hexdigest()
            self._account.blobs[sha] = content
            return File(path=path, sha=sha, size=len(content))
        return File(path=path, sha=str(item.get("sha", "")).lower(), size=int(item.get("size") or 0))

    def _is_wanted(self, deployment: Deployment, query: dict[str, str]) -> bool:
        project = self._account.projects[deployment.project_id]
        wanted_projects = {query[key] for key in ("projectId", "app") if key in query}
        wanted_projects |= set(query["projectIds"].split(",")) if "projectIds" in query else set()
        target = deployment.target or "preview"
        known = (("sha", "githubCommitSha"), ("branch", "githubCommitRef"))
        meta = {name: query[short] for short, name in known if short in query}
        candidate = self._account.can_roll_back_to(project, deployment)
        return (
            (not wanted_projects or bool(wanted_projects & {project.id, project.name}))
            and ("target" not in query or query["target"] == target)
            and ("state" not in query or deployment.state in query["state"].upper().split(","))
            and (query.get("rollbackCandidate") != "true" or candidate)
            and all(deployment.meta.get(name) == value for name, value in meta.items())
            and deployment.created < int(query.get("until") or query.get("to") or deployment.created + 1)
            and deployment.created > int(query.get("since") or query.get("from") or -1)
        )


async def json_object(request: Request) -> dict[str, Any]:
    """The request's JSON object. Raises ApiError (400) for anything else."""
    try:
        body = await request.json()
    except ValueError:
        raise bad_request("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise bad_request("The body should be an object.")
    return body


def _inlined(item: dict[str, Any]) -> bytes:
    if item.get("encoding") != "base64":
        return str(item["data"]).encode()
    try:
        return base64.b64decode(item["data"], validate=True)
    except binascii.Error:
        raise bad_request(f"`files[].data` of {item.get('file')} is not base64.") from None


def _meta(body: dict[str, Any]) -> dict[str, str]:
    git = body.get("gitMetadata") or {}
    from_git = {_GIT_META[name]: str(value) for name, value in git.items() if name in _GIT_META}
    if git.get("dirty"):
        from_git["gitDirty"] = "1"
    return from_git | {str(name): str(value) for name, value in (body.get("meta") or {}).items()}


def _tree(files: list[File]) -> list[dict[str, Any]]:
    top: list[dict[str, Any]] = []
    for file in sorted(files, key=lambda item: item.path):
        *folders, name = file.path.split("/")
        level = top
        for folder in folders:
            found = next((node for node in level if node["name"] == folder and node["type"] == "directory"), None)
            if found is None:
                found = {"name": folder, "type": "directory", "mode": 0o40755, "children": []}
                level.append(found)
            level = found["children"]
        level.append({"name": name, "type": "file", "mode": 0o100644, "uid": file.sha})
    return top
