"""Commits, comparisons, and the pull requests of a commit."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

from rehearsal.github.git import history
from rehearsal.github.git.bare import BareRepository
from rehearsal.github.problems import not_found, unprocessable
from rehearsal.github.pulls.render import simple_pull
from rehearsal.github.repositories.render import commits as render
from rehearsal.github.rest.answers import Answer
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints

endpoints = Endpoints()

_FILES_PER_PAGE = 300
_COMPARED_PER_PAGE = 250


@endpoints.add("GET", "commits", "contents:read")
async def list_commits(call: Call) -> Answer:
    start = await call.git.resolve(call.query("sha", call.repository.default_branch))
    if start is None:
        if not call.git.refs:
            raise unprocessable("Git Repository is empty.")
        raise not_found()
    path = call.query("path")
    options = [f"--{name}={call.query(name)}" for name in ("since", "until") if call.query(name)]
    if author := call.query("author"):
        user = call.instance.database.users.get(author)
        options += ["--fixed-strings", f"--author={user.email if user is not None else author}"]
    paths = [path] if path else []
    at = call.window()
    found = await history.log(call.git, start, paths=paths, options=options, skip=at.start, limit=at.per_page)
    total = await history.count(call.git, start, paths=paths, options=options)
    page = call.page_of(found, total, at)
    return page.answer([render.commit(call.view, call.repository, one) for one in page.items])


@endpoints.add("GET", "commits/{sha:path}/pulls", "pull_requests:read", "contents:read")
async def pulls_of_commit(call: Call) -> Answer:
    """Pull requests that brought a commit, or would."""
    sha = await call.commit(call.path("sha"))
    found = []
    for pull in call.repository.pulls.values():
        reached = (pull.head_sha, pull.merge_sha)
        if sha in reached or await _contains(call.git, pull.base_sha, pull.head_sha, sha):
            found.append(pull)
    page = call.page(sorted(found, key=lambda pull: pull.number))
    return page.answer([simple_pull(call.view, call.repository, pull) for pull in page.items])


async def _contains(git: BareRepository, base: str, head: str, sha: str) -> bool:
    """Whether `sha` is one of the commits between base and head."""
    return await history.is_ancestor(git, sha, head) and not await history.is_ancestor(git, sha, base)


async def get_commit(call: Call) -> Answer | Response:
    """Registered last of all paths below `commits/`. `Accept: …sha` gives the SHA alone, `…diff` the diff."""
    sha = await call.commit(call.path("ref"))
    if call.wants("sha"):
        return PlainTextResponse(sha)
    commit = await call.git.commit(sha)
    if call.wants("diff"):
        return PlainTextResponse(await history.diff(call.git, commit.parents[0] if commit.parents else None, sha))
    files = await history.changes(call.git, commit.parents[0] if commit.parents else None, sha)
    page = call.page(files, per_page=_FILES_PER_PAGE, most=_FILES_PER_PAGE)
    body = render.commit_with_files(call.view, call.repository, commit, files, page.items)
    return Answer(body=body, headers=page.links)


@endpoints.add("GET", "compare/{basehead:path}", "contents:read")
async def compare(call: Call) -> Answer | Response:
    spec = call.path("basehead")
    base_name, dots, head_name = spec.partition("...")
    base, head = await _side(call, base_name), await _side(call, head_name)
    if not dots or base is None or head is None:
        raise not_found()
    merge_base = await history.merge_base(call.git, base, head)
    if merge_base is None:
        raise not_found()
    if call.wants("diff"):
        return PlainTextResponse(await history.diff(call.git, merge_base, head))
    ahead, behind = await history.ahead_behind(call.git, base, head)
    at = call.window(per_page=_COMPARED_PER_PAGE, most=_COMPARED_PER_PAGE)
    commits = await history.between(call.git, base, head, skip=at.start, limit=at.per_page)
    page = call.page_of(commits, ahead, at)
    files = await history.changes(call.git, merge_base, head) if at.page == 1 else []
    entries = [render.diff_entry(call.view, call.repository, head, one) for one in files[:_FILES_PER_PAGE]]
    body = render.comparison(
        call.view,
        call.repository,
        spec=spec,
        base=await call.git.commit(base),
        merge_base=await call.git.commit(merge_base),
        ahead_behind=(ahead, behind),
        commits=page.items,
        files=entries if at.page == 1 else None,
    )
    return Answer(body=body, headers=page.links)


async def _side(call: Call, name: str) -> str | None:
    """`branch`, `tag`, a SHA, or `owner:branch` for a fork."""
    owner, colon, ref = name.rpartition(":")
    if not colon or owner == call.repository.owner:
        return await call.git.resolve(ref)
    for fork in call.instance.database.forks_of(call.repository.full_name):
        if fork.owner == owner and (sha := await call.instance.git(fork).resolve(ref)) is not None:
            source = call.instance.git_path(fork)
            await call.git.git("fetch", "-q", "--no-write-fetch-head", str(source), sha)
            return sha
    return None
