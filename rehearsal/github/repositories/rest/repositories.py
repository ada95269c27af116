"""Repositories, forks, branches, tags."""

from __future__ import annotations

from rehearsal.github.accounts.rules import role_in
from rehearsal.github.problems import not_found, unprocessable
from rehearsal.github.protection import render as render_branches
from rehearsal.github.protection.rules import rules_for
from rehearsal.github.repositories.render.repositories import full_repository
from rehearsal.github.repositories.render.repositories import repository as render_repository
from rehearsal.github.repositories.service.repositories import fork
from rehearsal.github.rest.answers import Answer, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints
from rehearsal.github.view import node_id, quoted

endpoints = Endpoints()


@endpoints.add("GET", "", "metadata:read")
async def get_repository(call: Call) -> Answer:
    return ok(full_repository(call.view, call.repository, role_in(call.identity, call.repository)))


@endpoints.add("PATCH", "", "administration:write")
async def update_repository(call: Call) -> Answer:
    repository, fields = call.repository, call.fields
    settings = repository.settings
    for name in ("allow_merge_commit", "allow_squash_merge", "allow_rebase_merge", "delete_branch_on_merge"):
        setattr(settings, name, fields.flag(name, getattr(settings, name)))
    branch = fields.text("default_branch", repository.default_branch)
    if call.git.branch(branch) is None:
        raise unprocessable(f"The branch {branch} was not found.")
    repository.default_branch = branch
    repository.private = fields.flag("private", repository.private)
    repository.description = fields.maybe_text("description") or repository.description
    repository.updated_at = call.instance.now()
    return ok(full_repository(call.view, repository, role_in(call.identity, repository)))


@endpoints.add("GET", "/user/repos")
async def list_my_repositories(call: Call) -> Answer:
    login = call.user.login
    mine = [one for one in call.instance.database.repositories.values() if login in (*one.roles, one.owner)]
    page = call.page(mine)
    return page.answer([render_repository(call.view, one, one.role_of(login)) for one in page.items])


@endpoints.add("POST", "forks", "metadata:read")
async def create_fork(call: Call) -> Answer:
    made = await fork(call.instance, call.repository, call.user.login)
    return Answer(status=202, body=full_repository(call.view, made, "admin"))


@endpoints.add("GET", "branches", "contents:read")
async def list_branches(call: Call) -> Answer:
    wanted = call.query("protected")
    found = [
        (name, sha)
        for name, sha in call.git.branches().items()
        if not wanted or rules_for(call.repository, f"refs/heads/{name}").protected == (wanted == "true")
    ]
    page = call.page(found)
    return page.answer([render_branches.short_branch(call.view, call.repository, *one) for one in page.items])


async def get_branch(call: Call) -> Answer:
    """Registered by `rest.protection`, behind the longer paths below a branch."""
    name = call.path("branch")
    sha = call.git.branch(name)
    if sha is None:
        raise not_found()
    return ok(render_branches.branch(call.view, call.repository, name, await call.git.commit(sha)))


@endpoints.add("GET", "tags", "contents:read")
async def list_tags(call: Call) -> Answer:
    """Newest name first, as on GitHub; a new tag may be missing for a while."""
    page = call.page(_visible_tags(call))
    here = call.view.repo(call.repository)
    rendered = []
    for name, target in page.items:
        sha = await call.git.peel(target) or target
        rendered.append(
            {
                "name": name,
                "commit": {"sha": sha, "url": f"{here}/commits/{sha}"},
                "zipball_url": f"{here}/zipball/refs/tags/{quoted(name)}",
                "tarball_url": f"{here}/tarball/refs/tags/{quoted(name)}",
                "node_id": node_id("Ref", f"{call.repository.id}/refs/tags/{name}"),
            }
        )
    return page.answer(rendered)


def _visible_tags(call: Call) -> list[tuple[str, str]]:
    hidden = call.repository.hidden_tags
    shown = []
    for name, target in sorted(call.git.tags().items(), reverse=True):
        if hidden.get(name, 0) > 0:
            hidden[name] -= 1
        else:
            shown.append((name, target))
    return shown


@endpoints.add("GET", "immutable-releases", "administration:read", role="admin")
async def get_immutable_releases(call: Call) -> Answer:
    if not call.repository.settings.immutable_releases:
        raise not_found()
    return ok({"enabled": True, "enforced_by_owner": False})


@endpoints.add("PUT", "immutable-releases", "administration:write")
async def enable_immutable_releases(call: Call) -> Answer:
    call.repository.settings.immutable_releases = True
    return Answer(status=204)


@endpoints.add("DELETE", "immutable-releases", "administration:write")
async def disable_immutable_releases(call: Call) -> Answer:
    call.repository.settings.immutable_releases = False
    return Answer(status=204)
