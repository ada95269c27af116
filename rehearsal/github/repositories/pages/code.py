"""The repository itself: overview, files, commits, comparisons."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import PlainTextResponse, Response

from rehearsal.github.checks.rules import latest_check_runs, overall_state
from rehearsal.github.git import history, trees
from rehearsal.github.git.objects import Commit
from rehearsal.github.pages import diffs
from rehearsal.github.pages.context import PageContext
from rehearsal.github.pages.paging import PER_PAGE, asked, part_of
from rehearsal.github.pages.serving import Pages
from rehearsal.github.pages.state_labels import STATE_NAMES
from rehearsal.github.problems import not_found
from rehearsal.github.pulls.service import pull_requests
from rehearsal.github.repositories.pages import ref_paths
from rehearsal.github.runs.pages import workflow_list

pages = Pages()

_MOST_LINES = 5_000
_MOST_BRANCHES = 30
_RECENT = 8


@pages.show("")
async def overview(context: PageContext) -> Response:
    name = context.path("repo")
    if name.endswith(".git"):
        return context.go(f"/{context.path('owner')}/{name.removesuffix('.git')}")
    repository, git = context.repository, context.git
    tip = git.branch(repository.default_branch)
    tips = dict(list(git.branches().items())[:_MOST_BRANCHES])
    return context.page(
        "overview.html",
        tip=tip,
        branches=list(zip(tips, await git.commits(list(tips.values())), strict=True)),
        branch_count=len(git.branches()),
        commits=await history.log(git, tip, skip=0, limit=_RECENT) if tip is not None else [],
        entries=_sorted(await trees.entries(git, tip)) if tip is not None else [],
        readme=await _readme(context, tip) if tip is not None else "",
        workflows=[one.workflow for one in await workflow_list.known(context)],
        runs=context.instance.runs(repository)[:5],
        passed=_passed(context),
    )


@pages.show("tree/{rest:path}")
async def tree(context: PageContext) -> Response:
    at = await ref_paths.find(context.git, context.path("rest"))
    found = await context.git.look(f"{at.sha}:{at.path}")
    if found is None:
        raise not_found()
    if found.type != "tree":
        return context.go(f"{context.home}/blob/{at.ref}/{at.path}")
    return context.page("tree.html", at=at, entries=_sorted(await trees.entries(context.git, found.sha)))


@pages.show("blob/{rest:path}")
async def blob(context: PageContext) -> Response:
    at = await ref_paths.find(context.git, context.path("rest"))
    found = await context.git.read(f"{at.sha}:{at.path}")
    if found is None:
        raise not_found()
    if found.type != "blob":
        return context.go(f"{context.home}/tree/{at.ref}/{at.path}".rstrip("/"))
    data = found.data
    text = None if b"\0" in data[:8000] else data.decode("utf-8", "replace")
    lines = [] if text is None else text.removesuffix("\n").split("\n")
    return context.page(
        "blob.html",
        at=at,
        size=len(data),
        binary=text is None,
        lines=lines[:_MOST_LINES],
        cut=max(0, len(lines) - _MOST_LINES),
        rendered=text if text is not None and at.path.lower().endswith(".md") else None,
    )


@pages.show("raw/{rest:path}")
async def raw(context: PageContext) -> Response:
    """The bytes as plain text, never as something a browser would run."""
    return PlainTextResponse(await _file(context))


@pages.show("commits/{ref:path}")
async def commit_list(context: PageContext) -> Response:
    at = await ref_paths.find(context.git, context.path("ref"))
    total = await history.count(context.git, at.sha)
    number = min(asked(context.request), max(1, -(-total // PER_PAGE)))
    found = await history.log(context.git, at.sha, skip=(number - 1) * PER_PAGE, limit=PER_PAGE)
    shown = part_of(context.request, found, total)
    return context.page("commits.html", at=at, commits=shown, passed=_passed(context))


@pages.show("commits")
async def commits_of_default(context: PageContext) -> Response:
    return context.go(f"{context.home}/commits/{context.repository.default_branch}")


@pages.show("commit/{sha}")
async def commit(context: PageContext) -> Response:
    sha = await context.git.resolve(context.path("sha"))
    if sha is None:
        raise not_found()
    found = await context.git.commit(sha)
    checks = latest_check_runs(context.repository, sha)
    changed = await history.changes(context.git, found.parents[0] if found.parents else None, sha)
    return context.page(
        "commit.html",
        commit=found,
        author=login_of(context, found),
        checks=checks,
        suites=context.repository.check_suites,
        statuses=context.repository.statuses_of(sha),
        files=diffs.file_diffs(changed, diffs.remarks_by_path(checks)),
        more=max(0, len(changed) - diffs.MOST_FILES),
        inside=[name for name, tip in context.git.branches().items() if tip == sha],
        tags=[name for name, tip in context.git.tags().items() if tip == sha],
    )


@dataclass(frozen=True, kw_only=True)
class ComparedRange:
    """`base...head`, both ends found."""

    base: str
    head: str
    base_sha: str
    head_sha: str
    merge_base: str | None


@pages.show("compare/{spec:path}")
async def compare(context: PageContext) -> Response:
    spec = context.path("spec")
    for ending, arguments in ((".diff", ("diff",)), (".patch", ("format-patch", "--stdout"))):
        if spec.endswith(ending):
            found = await _range(context, spec.removesuffix(ending))
            start = found.merge_base or found.base_sha
            return PlainTextResponse(await context.git.git(*arguments, f"{start}..{found.head_sha}"))
    found = await _range(context, spec)
    changed = await history.changes(context.git, found.merge_base, found.head_sha)
    branches = context.git.branches()
    known = next(
        (one for one in context.repository.open_pulls() if (one.base_ref, one.head_ref) == (found.base, found.head)),
        None,
    )
    return context.page(
        "compare.html",
        range=found,
        commits=await history.between(context.git, found.base_sha, found.head_sha),
        files=diffs.file_diffs(changed, {}),
        more=max(0, len(changed) - diffs.MOST_FILES),
        passed=_passed(context),
        pull=known,
        may_open=found.base in branches and found.head in branches and context.may("pull_requests:write", role="read"),
    )


@pages.show("compare")
async def choose_range(context: PageContext) -> Response:
    """*New pull request*: which branch goes into which. Both chosen, it leads to the comparison and its form."""
    base, head = context.query("base", context.repository.default_branch), context.query("head")
    if head:
        return context.go(f"{context.home}/compare/{base}...{head}")
    return context.page("choose_range.html", base=base, branches=list(context.git.branches()))


@pages.show("pull/new/{branch:path}")
async def new_pull(context: PageContext) -> Response:
    """The address that git shows after a push."""
    return context.go(f"{context.home}/compare/{context.repository.default_branch}...{context.path('branch')}")


@pages.take("compare/{spec:path}", "pull_requests:write", role="read", back="compare/{spec}")
async def open_pull(context: PageContext) -> Response:
    found = await _range(context, context.path("spec"))
    pull = await pull_requests.open_pull(
        context.instance,
        context.repository,
        title=context.form.text("title").strip() or found.head,
        body=context.form.text("body").strip() or None,
        head=found.head,
        base=found.base,
        draft=context.form.text("draft") == "true",
        by=context.identity,
    )
    return context.go(f"{context.home}/pull/{pull.number}")


def login_of(context: PageContext, commit: Commit) -> str | None:
    """The account behind a commit's author, by mail address."""
    user = context.instance.database.user_by_email(commit.author.email)
    return user.login if user is not None else None


async def _range(context: PageContext, spec: str) -> ComparedRange:
    base, dots, head = spec.partition("...")
    if not dots:
        base, head = context.repository.default_branch, spec
    base_sha, head_sha = await asyncio.gather(context.git.resolve(base), context.git.resolve(head))
    if base_sha is None or head_sha is None:
        raise not_found()
    start = await history.merge_base(context.git, base_sha, head_sha)
    return ComparedRange(base=base, head=head, base_sha=base_sha, head_sha=head_sha, merge_base=start)


def _passed(context: PageContext) -> dict[str, str]:
    """How the checks of each commit stand, as the name of a state label; commits without checks are left out."""
    repository = context.repository
    known = {run.head_sha for run in repository.check_runs.values()} | {one.sha for one in repository.statuses}
    found = {sha: overall_state(repository, sha) for sha in known}
    return {sha: STATE_NAMES[state] for sha, state in found.items() if state is not None}


async def _file(context: PageContext) -> bytes:
    at = await ref_paths.find(context.git, context.path("rest"))
    found = await context.git.read(f"{at.sha}:{at.path}") if at.path else None
    if found is None or found.type != "blob":
        raise not_found()
    return found.data


async def _readme(context: PageContext, sha: str) -> str:
    names = {entry.path.lower(): entry.path for entry in await trees.entries(context.git, sha)}
    found = await context.git.read(f"{sha}:{names['readme.md']}") if "readme.md" in names else None
    return found.data.decode("utf-8", "replace") if found is not None else ""


def _sorted(entries: Sequence[trees.TreeEntry]) -> list[trees.TreeEntry]:
    """Folders first."""
    return sorted(entries, key=lambda entry: (entry.type != "tree", entry.path.lower()))
