"""Pull requests: the list, and one with its conversation, checks, changes, review and merge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import PlainTextResponse, Response

from rehearsal.github.checks.rules import latest_check_runs, latest_statuses, states
from rehearsal.github.git import history
from rehearsal.github.issues.pages import timeline as conversations
from rehearsal.github.issues.pages.issues import LIVE, may_close
from rehearsal.github.pages import diffs
from rehearsal.github.pages.context import REFRESH, Visit
from rehearsal.github.pages.paging import part
from rehearsal.github.pages.serving import Pages
from rehearsal.github.problems import not_found
from rehearsal.github.protection.rules import rules_for
from rehearsal.github.pulls.rules import blockers, review_decision
from rehearsal.github.pulls.service import merge as merges
from rehearsal.github.pulls.service import reviews
from rehearsal.github.pulls.state import PullRequest
from rehearsal.github.repositories.pages.code import file_diffs

pages = Pages()

_METHODS = {"merge": "Merge commit", "squash": "Squash", "rebase": "Rebase"}


@pages.show("pulls")
async def pull_list(visit: Visit) -> Response:
    repository, state = visit.repository, visit.query("state", "open")
    pulls = sorted(repository.pulls.values(), key=lambda pull: pull.number, reverse=True)
    shown = [pull for pull in pulls if state in ("all", repository.issues[pull.number].state)]
    page = part(visit.request, shown)
    return visit.page(
        "pulls.html",
        live=LIVE,
        pulls=page,
        state=state,
        counts={name: sum(repository.issues[one.number].state == name for one in pulls) for name in ("open", "closed")},
        state_of={pull.number: state_of(visit, pull) for pull in page.items},
        checks={pull.number: _summed(visit, pull) for pull in page.items},
        decisions={pull.number: review_decision(repository, pull) for pull in page.items},
    )


@pages.show("pull/{number}.diff")
async def as_diff(visit: Visit) -> Response:
    pull = _find(visit)
    return PlainTextResponse(await visit.git.git("diff", f"{pull.base_sha}...{pull.head_sha}"))


@pages.show("pull/{number}.patch")
async def as_patch(visit: Visit) -> Response:
    pull = _find(visit)
    return PlainTextResponse(await visit.git.git("format-patch", "--stdout", f"{pull.base_sha}..{pull.head_sha}"))


@pages.show("pull/{number}/{part}")
async def part_of_pull(visit: Visit) -> Response:
    """The tabs of github.com are parts of one page here."""
    if visit.path("part") not in ("commits", "files", "checks"):
        raise not_found()
    return visit.go(f"{visit.home}/pull/{_find(visit).number}#{visit.path('part')}")


@pages.show("pull/{number}")
async def pull_page(visit: Visit) -> Response:
    """Looking for news leaves the changes out: they only differ when the head does, and then all is loaded again."""
    pull, repository = _find(visit), visit.repository
    issue = repository.issues[pull.number]
    fresh = REFRESH in visit.request.headers
    return visit.page(
        "pull.html",
        live=LIVE,
        pull=pull,
        issue=issue,
        state=state_of(visit, pull),
        talk=conversations.of_issue(repository, issue),
        labels=repository.labels,
        thread=f"{visit.home}/issues/{pull.number}",
        may_comment=visit.may("issues:write", "pull_requests:write", role="read"),
        may_close=may_close(visit, issue),
        checklist=_checklist(visit, pull),
        merging=_merging(visit, pull),
        reviewing=_reviewing(visit, pull),
        changes=None if fresh else await _changes(visit, pull),
    )


@pages.take("pull/{number}/review", "pull_requests:write", role="read", back="pull/{number}")
async def review(visit: Visit) -> Response:
    pull = _find(visit)
    kind = visit.form.text("kind", "COMMENT")
    made = await reviews.submit(
        visit.service,
        visit.repository,
        pull,
        kind=kind if kind in reviews.STATES else "COMMENT",
        body=visit.form.text("body").strip(),
        commit=visit.form.text("head", pull.head_sha),
        by=visit.identity,
    )
    return visit.go(f"{visit.home}/pull/{pull.number}#pullrequestreview-{made.id}")


@pages.take("pull/{number}/merge", "contents:write", back="pull/{number}")
async def merge(visit: Visit) -> Response:
    """Merges what was looked at: another head is refused."""
    pull = _find(visit)
    method = visit.form.text("method", "merge")
    wanted = merges.MergeRequest(method=method if method in _METHODS else "merge", sha=visit.form.text("head") or None)
    sha = await merges.merge(visit.service, visit.repository, pull, wanted, visit.identity)
    visit.tell("good", f"Merged as {sha[:7]}.")
    return visit.go(f"{visit.home}/pull/{pull.number}")


def state_of(visit: Visit, pull: PullRequest) -> str:
    """open, draft, merged or closed"""
    if pull.merged_at is not None:
        return "merged"
    if visit.repository.issues[pull.number].state == "closed":
        return "closed"
    return "draft" if pull.draft else "open"


@dataclass(frozen=True, kw_only=True)
class Changes:
    commits: list[Any]
    files: list[diffs.FileDiff]
    more: int
    additions: int
    deletions: int


async def _changes(visit: Visit, pull: PullRequest) -> Changes:
    base = await history.merge_base(visit.git, pull.base_sha, pull.head_sha)
    changed = await history.changes(visit.git, base, pull.head_sha)
    checks = latest_check_runs(visit.repository, pull.head_sha)
    return Changes(
        commits=await history.between(visit.git, pull.base_sha, pull.head_sha),
        files=file_diffs(changed, diffs.remarks_by_path(checks)),
        more=max(0, len(changed) - diffs.MOST_FILES),
        additions=sum(one.additions for one in changed),
        deletions=sum(one.deletions for one in changed),
    )


def _checklist(visit: Visit, pull: PullRequest) -> dict[str, Any]:
    repository = visit.repository
    required = rules_for(repository, f"refs/heads/{pull.base_ref}").contexts
    found = states(repository, pull.head_sha)
    return {
        "runs": sorted(latest_check_runs(repository, pull.head_sha), key=lambda one: one.id),
        "statuses": latest_statuses(repository, pull.head_sha),
        "suites": repository.check_suites,
        "required": required,
        "expected": [name for name in required if name not in found],
        "summed": _summed(visit, pull),
    }


def _summed(visit: Visit, pull: PullRequest) -> str | None:
    """All checks of the head in one look; None when there are none."""
    found = set(states(visit.repository, pull.head_sha).values())
    if not found:
        return None
    return "failure" if "failed" in found else "in_progress" if "pending" in found else "success"


def _merging(visit: Visit, pull: PullRequest) -> dict[str, Any] | None:
    """None once it is closed."""
    if state_of(visit, pull) in ("merged", "closed"):
        return None
    settings = visit.repository.settings
    allowed = {
        "merge": settings.allow_merge_commit,
        "squash": settings.allow_squash_merge,
        "rebase": settings.allow_rebase_merge,
    }
    reasons = blockers(visit.repository, pull, visit.identity if visit.identity.user is not None else None)
    if not pull.mergeable:
        reasons = [f"{pull.head_ref} conflicts with {pull.base_ref}. Merge {pull.base_ref} into it, and push."]
    may = visit.may("contents:write")
    return {
        "reasons": reasons,
        "may": may,
        "methods": [(name, _METHODS[name]) for name, possible in allowed.items() if possible],
    }


def _reviewing(visit: Visit, pull: PullRequest) -> dict[str, Any]:
    author = visit.repository.issues[pull.number].user
    return {
        "may": visit.may("pull_requests:write", role="read") and state_of(visit, pull) in ("open", "draft"),
        "own": visit.identity.login == author,
        "standing": pull.standing_reviews(),
        "asked": pull.requested_reviewers,
    }


def _find(visit: Visit) -> PullRequest:
    pull = visit.repository.pulls.get(visit.number("number"))
    if pull is None:
        raise not_found()
    return pull
