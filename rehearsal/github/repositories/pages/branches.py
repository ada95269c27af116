"""Branches: what is at their tips, how far each is from the default branch, and its open pull request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.responses import Response

from rehearsal.github.git import history
from rehearsal.github.git.objects import Commit
from rehearsal.github.pages.context import PageContext
from rehearsal.github.pages.paging import part
from rehearsal.github.pages.serving import Pages
from rehearsal.github.protection.rules import rules_for
from rehearsal.github.pulls.state import PullRequest

pages = Pages()


@dataclass(frozen=True, kw_only=True)
class ShownBranch:
    name: str
    commit: Commit
    ahead: int
    """Commits that the default branch lacks."""
    behind: int
    """Commits of the default branch that it lacks."""
    pull: PullRequest | None
    """The newest open pull request that it is the head of."""
    protected: bool


@pages.show("branches")
async def branch_list(context: PageContext) -> Response:
    """The default branch first, then by name."""
    default, tips = context.repository.default_branch, context.git.branches()
    names = sorted(tips, key=lambda name: (name != default, name))
    page = part(context.request, names)
    commits = await context.git.commits([tips[name] for name in page.items])
    shown = await asyncio.gather(
        *(_shown(context, name, commit, tips.get(default)) for name, commit in zip(page.items, commits, strict=True))
    )
    return context.page("branches.html", branches=page, shown=shown, default=default)


async def _shown(context: PageContext, name: str, commit: Commit, base: str | None) -> ShownBranch:
    ours = context.repository.full_name
    pulls = [one for one in context.repository.open_pulls() if (one.head_repository, one.head_ref) == (ours, name)]
    ahead, behind = await history.ahead_behind(context.git, base, commit.sha) if base is not None else (0, 0)
    return ShownBranch(
        name=name,
        commit=commit,
        ahead=ahead,
        behind=behind,
        pull=max(pulls, key=lambda one: one.number, default=None),
        protected=rules_for(context.repository, f"refs/heads/{name}").protected,
    )
