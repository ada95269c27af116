"""Files of a repository."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from starlette.responses import Response

from rehearsal.github.git import trees
from rehearsal.github.problems import Problem, conflict, not_found, unprocessable
from rehearsal.github.pulls.service.merge import signature
from rehearsal.github.repositories.render.commits import git_commit
from rehearsal.github.repositories.service import refs
from rehearsal.github.rest.answers import Answer, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints
from rehearsal.github.view import quoted

endpoints = Endpoints()

_TYPES = {"blob": "file", "tree": "dir", "commit": "submodule"}


@endpoints.add("GET", "readme", "contents:read")
async def get_readme(call: Call) -> Answer | Response:
    sha = await _commit(call)
    names = {entry.path.lower(): entry.path for entry in await trees.entries(call.git, sha)}
    if "readme.md" not in names:
        raise not_found()
    return await _answer(call, sha, names["readme.md"])


@endpoints.add("GET", "contents", "contents:read")
async def get_root(call: Call) -> Answer | Response:
    return await _answer(call, await _commit(call), "")


@endpoints.add("GET", "contents/{path:path}", "contents:read")
async def get_contents(call: Call) -> Answer | Response:
    return await _answer(call, await _commit(call), call.path("path").strip("/"))


async def _commit(call: Call) -> str:
    name = call.query("ref", call.repository.default_branch)
    sha = await call.git.resolve(name)
    if sha is None:
        raise Problem(404, f"No commit found for the ref {name}")
    return sha


async def _answer(call: Call, sha: str, path: str) -> Answer | Response:
    found = await call.git.read(f"{sha}:{path}")
    if found is None:
        raise not_found()
    if found.type == "tree":
        listed = await trees.entries(call.git, found.sha)
        prefix = f"{path}/" if path else ""
        return ok([_entry(call, f"{prefix}{one.path}", one.sha, _TYPES[one.type], one.size or 0) for one in listed])
    if call.wants("raw"):
        return Response(found.data, media_type="application/vnd.github.raw; charset=utf-8")
    body = _entry(call, path, found.sha, "file", len(found.data))
    return ok({**body, "encoding": "base64", "content": base64.encodebytes(found.data).decode()})


def _entry(call: Call, path: str, sha: str, kind: str, size: int) -> dict[str, Any]:
    ref = call.query("ref", call.repository.default_branch)
    here, page = call.view.repo(call.repository), call.view.page(call.repository)
    url = f"{here}/contents/{quoted(path)}?ref={quoted(ref)}"
    git_url = f"{here}/git/{'trees' if kind == 'dir' else 'blobs'}/{sha}"
    html_url = f"{page}/{'tree' if kind == 'dir' else 'blob'}/{quoted(ref)}/{quoted(path)}"
    return {
        "type": kind,
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": sha,
        "size": size,
        "url": url,
        "git_url": git_url,
        "html_url": html_url,
        "download_url": None if kind == "dir" else f"{page}/raw/{quoted(ref)}/{quoted(path)}",
        "_links": {"self": url, "git": git_url, "html": html_url},
    }


@endpoints.add("PUT", "contents/{path:path}", "contents:write")
async def put_contents(call: Call) -> Answer:
    """Create or replace a file with one commit; a file that exists has to be named by its blob's SHA."""
    path, fields = call.path("path").strip("/"), call.fields
    branch = fields.text("branch", call.repository.default_branch)
    tip, known = await _known(call, branch, path)
    if known is not None and fields.maybe_text("sha") != known:
        if fields.maybe_text("sha") is None:
            raise unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.')
        raise conflict(f"{path} does not match {fields.text('sha')}")
    try:
        content = base64.b64decode(fields.required_text("content"))
    except binascii.Error as error:
        raise unprocessable("content is not valid Base64") from error
    blob = await trees.write_blob(call.git, content)
    commit = await _commit_change(call, tip, trees.TreeChange(path=path, mode="100644", sha=blob), branch)
    body = {"content": _entry(call, path, blob, "file", len(content)), "commit": commit}
    return Answer(status=201 if known is None else 200, body=body)


@endpoints.add("DELETE", "contents/{path:path}", "contents:write")
async def delete_contents(call: Call) -> Answer:
    path = call.path("path").strip("/")
    branch = call.fields.text("branch", call.repository.default_branch)
    tip, known = await _known(call, branch, path)
    if known is None:
        raise not_found()
    if call.fields.required_text("sha") != known:
        raise conflict(f"{path} does not match {call.fields.text('sha')}")
    commit = await _commit_change(call, tip, trees.TreeChange(path=path, mode="0", sha=None), branch)
    return ok({"content": None, "commit": commit})


async def _known(call: Call, branch: str, path: str) -> tuple[str, str | None]:
    tip = call.git.branch(branch)
    if tip is None:
        raise Problem(404, f"Branch {branch} not found")
    found = await call.git.look(f"{tip}:{path}")
    return tip, found.sha if found is not None else None


async def _commit_change(call: Call, tip: str, change: trees.TreeChange, branch: str) -> dict[str, Any]:
    by = signature(call.instance, call.identity)
    sha = await trees.write_commit(
        call.git,
        tree=await trees.write_tree(call.git, tip, [change]),
        parents=[tip],
        message=call.fields.required_text("message"),
        author=by,
        committer=by,
    )
    ref = f"refs/heads/{branch}"
    await refs.update(call.instance, call.repository, ref, sha, call.identity, force=False)
    return git_commit(call.view, call.repository, await call.git.commit(sha))
