"""The git database: refs, tag objects, commits, trees, blobs."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any

from rehearsal.github.git import trees
from rehearsal.github.git.bare import GitError
from rehearsal.github.git.objects import Signature
from rehearsal.github.problems import Problem, conflict, not_found, unprocessable
from rehearsal.github.pulls.service.merge import signature
from rehearsal.github.repositories.render import commits as render
from rehearsal.github.repositories.service import refs
from rehearsal.github.rest.answers import Answer, created, no_content, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints
from rehearsal.github.rest.fields import Fields

endpoints = Endpoints()


async def _ref(call: Call, ref: str) -> dict[str, Any]:
    sha = call.git.refs[ref]
    found = await call.git.look(sha)
    return render.git_ref(call.view, call.repository, ref, sha, found.type if found is not None else "commit")


@endpoints.add("GET", "git/ref/{ref:path}", "contents:read")
async def get_ref(call: Call) -> Answer:
    ref = f"refs/{call.path('ref')}"
    if ref not in call.git.refs:
        raise not_found()
    return ok(await _ref(call, ref))


@endpoints.add("GET", "git/matching-refs/{ref:path}", "contents:read")
async def matching_refs(call: Call) -> Answer:
    prefix = f"refs/{call.path('ref')}"
    # The one list without pages (github.com/google/go-github/pull/3924).
    return ok([await _ref(call, ref) for ref in sorted(call.git.refs) if ref.startswith(prefix)])


@endpoints.add("POST", "git/refs", "contents:write")
async def create_ref(call: Call) -> Answer:
    ref, sha = call.fields.required_text("ref"), call.fields.required_text("sha")
    if not ref.startswith("refs/") or ref.count("/") < 2:
        raise unprocessable("Reference name must start with 'refs/' and have two slashes.")
    if await call.git.look(sha) is None:
        raise unprocessable("Object does not exist")
    await refs.create(call.instance, call.repository, ref, sha, call.identity)
    body = await _ref(call, ref)
    return created(body, body["url"])


@endpoints.add("PATCH", "git/refs/{ref:path}", "contents:write")
async def update_ref(call: Call) -> Answer:
    ref, sha = f"refs/{call.path('ref')}", call.fields.required_text("sha")
    if await call.git.look(sha) is None:
        raise unprocessable("Object does not exist")
    force = call.fields.flag("force", False)
    await refs.update(call.instance, call.repository, ref, sha, call.identity, force=force)
    return ok(await _ref(call, ref))


@endpoints.add("DELETE", "git/refs/{ref:path}", "contents:write")
async def delete_ref(call: Call) -> Answer:
    await refs.delete(call.instance, call.repository, f"refs/{call.path('ref')}", call.identity)
    return no_content()


@endpoints.add("GET", "git/tags/{sha}", "contents:read")
async def get_tag(call: Call) -> Answer:
    found = await call.git.tag_object(call.path("sha"))
    if found is None:
        raise not_found()
    return ok(render.git_tag(call.view, call.repository, found))


@endpoints.add("POST", "git/tags", "contents:write")
async def create_tag(call: Call) -> Answer:
    """Makes the object only; a ref has to be made as well."""
    fields = call.fields
    target, kind = fields.required_text("object"), fields.choice("type", ("commit", "tree", "blob"))
    found = await call.git.look(target)
    if found is None or found.type != kind:
        raise unprocessable(f"Object {target} is not a {kind} of this repository.")
    sha = await trees.write_tag(
        call.git,
        name=fields.required_text("tag"),
        target=target,
        target_type=kind,
        message=fields.required_text("message"),
        tagger=_person(fields.part("tagger"), signature(call.instance, call.identity)),
    )
    made = await call.git.tag_object(sha)
    if made is None:
        raise conflict("The tag object could not be read back.")
    body = render.git_tag(call.view, call.repository, made)
    return created(body, body["url"])


@endpoints.add("GET", "git/commits/{sha}", "contents:read")
async def get_commit(call: Call) -> Answer:
    try:
        return ok(render.git_commit(call.view, call.repository, await call.git.commit(call.path("sha"))))
    except KeyError as error:
        raise not_found() from error


@endpoints.add("POST", "git/commits", "contents:write")
async def create_commit(call: Call) -> Answer:
    """Makes the object only; a ref has to be moved to it as well."""
    fields = call.fields
    author = _person(fields.part("author"), signature(call.instance, call.identity))
    try:
        sha = await trees.write_commit(
            call.git,
            tree=fields.required_text("tree"),
            parents=fields.texts("parents"),
            message=fields.required_text("message"),
            author=author,
            committer=_person(fields.part("committer"), author),
        )
    except GitError as error:
        raise unprocessable("Tree SHA or a parent does not exist") from error
    body = render.git_commit(call.view, call.repository, await call.git.commit(sha))
    return created(body, body["url"])


@endpoints.add("GET", "git/trees/{sha:path}", "contents:read")
async def get_tree(call: Call) -> Answer:
    name = call.path("sha")
    treeish = await call.git.resolve(name) or name
    found = await call.git.look(f"{treeish}^{{tree}}")
    if found is None:
        raise not_found()
    listed = await trees.entries(call.git, found.sha, recursive=bool(call.query("recursive")))
    return ok(render.git_tree(call.view, call.repository, found.sha, listed))


@endpoints.add("POST", "git/trees", "contents:write")
async def create_tree(call: Call) -> Answer:
    listed = [await _tree_change(call, entry) for entry in call.fields.objects("tree")]
    try:
        sha = await trees.write_tree(call.git, call.fields.maybe_text("base_tree"), listed)
    except GitError as error:
        raise unprocessable("tree.sha or base_tree does not exist") from error
    body = render.git_tree(call.view, call.repository, sha, await trees.entries(call.git, sha))
    return created(body, body["url"])


async def _tree_change(call: Call, entry: dict[str, Any]) -> trees.TreeChange:
    fields = Fields(entry)
    sha = fields.maybe_text("sha")
    if "content" in fields:
        sha = await trees.write_blob(call.git, fields.text("content").encode())
    return trees.TreeChange(path=fields.required_text("path"), mode=fields.text("mode", "100644"), sha=sha)


@endpoints.add("GET", "git/blobs/{sha}", "contents:read")
async def get_blob(call: Call) -> Answer:
    found = await call.git.read(call.path("sha"))
    if found is None or found.type != "blob":
        raise not_found()
    return ok(render.blob(call.view, call.repository, found.sha, found.data))


@endpoints.add("POST", "git/blobs", "contents:write")
async def create_blob(call: Call) -> Answer:
    content = call.fields.required_text("content").encode()
    if call.fields.choice("encoding", ("utf-8", "base64"), "utf-8") == "base64":
        try:
            content = base64.b64decode(content)
        except binascii.Error as error:
            raise unprocessable("content is not valid Base64") from error
    sha = await trees.write_blob(call.git, content)
    url = f"{call.view.repo(call.repository)}/git/blobs/{sha}"
    return created({"sha": sha, "url": url}, url)


def _person(given: Fields | None, default: Signature) -> Signature:
    if given is None:
        return default
    at = given.maybe_text("date")
    try:
        when = datetime.fromisoformat(at) if at is not None else default.at
    except ValueError as error:
        raise Problem(422, f"Invalid request.\n\n{at!r} is not a valid ISO 8601 date.") from error
    return Signature(name=given.required_text("name"), email=given.required_text("email"), at=when)
