"""Pull requests: the list, and one with its conversation, checks, changes, review and merge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import PlainTextResponse, Response

from rehearsal.github.checks.rules import latest_check_runs, latest_statuses, overall_state, states
from rehearsal.github.git import history
from rehearsal.github.issues.pages import timeline
from rehearsal.github.issues.pages.issues import LIVE, may_close
from rehearsal.github.pages import diffs
from rehearsal.github.pages.context import REFRESH, PageContext
from rehearsal.github.pages.paging import part
from rehearsal.github.pages.serving import Pages
from rehearsal.github.pages.state_labels import STATE_NAMES
from rehearsal.github.problems import not_found
from rehearsal.github.protection.rules import rules_for
from rehearsal.github.pulls.rules import blockers, may_judge, merge_methods, queue_of, review_decision
from rehearsal.github.pulls.service import merge as merges
from rehearsal.github.pulls.service import merge_queue, reviews
from rehearsal.github.pulls.state import PullRequest

pages = Pages()

_METHODS = {"merge": "Merge commit", "squash": "Squash", "rebase": "Rebase"}


@pages.show("pulls")
async def pull_list(context: PageContext) -> Response:
    repository, state = context.repository, context.query("state", "open")
    pulls = sorted(repository.pulls.values(), key=lambda pull: pull.number, reverse=True)
    shown = [pull for pull in pulls if state in ("all", repository.issues[pull.number].state)]
    page = part(context.request, shown)
    return context.page(
        "pulls.html",
        live=LIVE,
        pulls=page,
        state=state,
        counts={name: sum(repository.issues[one.number].state == name for one in pulls) for name in ("open", "closed")},
        state_of={pull.number: state_of(context, pull) for pull in page.items},
        checks={pull.number: _summed(context, pull) for pull in page.items},
        decisions={pull.number: review_decision(repository, pull) for pull in page.items},
    )


@pages.show("pull/{number}.diff")
async def as_diff(context: PageContext) -> Response:
    pull = _find(context)
    return PlainTextResponse(await context.git.git("diff", f"{pull.base_sha}...{pull.head_sha}"))


@pages.show("pull/{number}.patch")
async def as_patch(context: PageContext) -> Response:
    pull = _find(context)
    return PlainTextResponse(await context.git.git("format-patch", "--stdout", f"{pull.base_sha}..{pull.head_sha}"))


@pages.show("pull/{number}/{part}")
async def part_of_pull(context: PageContext) -> Response:
    """The tabs of github.com are parts of one page here."""
    if context.path("part") not in ("commits", "files", "checks"):
        raise not_found()
    return context.go(f"{context.home}/pull/{_find(context).number}#{context.path('part')}")


@pages.show("pull/{number}")
async def pull_page(context: PageContext) -> Response:
    """A poll leaves the changes out: they only differ when the head does, and then all is loaded again."""
    pull, repository = _find(context), context.repository
    issue = repository.issues[pull.number]
    fresh = REFRESH in context.request.headers
    if pull.queue_entry is not None:
        await merge_queue.advance(context.instance, repository, pull.base_ref)
    return context.page(
        "pull.html",
        live=LIVE,
        pull=pull,
        issue=issue,
        state=state_of(context, pull),
        timeline=timeline.of_issue(repository, issue),
        labels=repository.labels,
        thread=f"{context.home}/issues/{pull.number}",
        may_comment=context.may("issues:write", "pull_requests:write", role="read"),
        may_close=may_close(context, issue),
        checklist=_checklist(context, pull),
        merging=_merging(context, pull),
        reviewing=_reviewing(context, pull),
        changes=None if fresh else await _changes(context, pull),
    )


@pages.take("pull/{number}/review", "pull_requests:write", role="read", back="pull/{number}")
async def review(context: PageContext) -> Response:
    pull = _find(context)
    kind = context.form.text("kind", "COMMENT")
    made = await reviews.submit(
        context.instance,
        context.repository,
        pull,
        kind=kind if kind in reviews.STATES else "COMMENT",
        body=context.form.text("body").strip(),
        commit=context.form.text("head", pull.head_sha),
        by=context.identity,
    )
    return context.go(f"{context.home}/pull/{pull.number}#pullrequestreview-{made.id}")


@pages.take("pull/{number}/merge", "contents:write", back="pull/{number}")
async def merge(context: PageContext) -> Response:
    """Merges what was looked at: another head is refused."""
    pull = _find(context)
    method = context.form.text("method", "merge")
    wanted = merges.MergeRequest(
        method=method if method in _METHODS else "merge", sha=context.form.text("head") or None
    )
    sha = await merges.merge(context.instance, context.repository, pull, wanted, context.identity)
    context.add_notice("good", f"Merged as {sha[:7]}.")
    return context.go(f"{context.home}/pull/{pull.number}")


@pages.take("pull/{number}/enqueue", "contents:write", back="pull/{number}")
async def enqueue(context: PageContext) -> Response:
    """Merge it when it is ready, through the queue of its base."""
    pull = _find(context)
    head = context.form.text("head") or None
    await merge_queue.enqueue(context.instance, context.repository, pull, context.identity, expected_head=head)
    context.add_notice("good", f"Added to the merge queue of {pull.base_ref}.")
    return context.go(f"{context.home}/pull/{pull.number}")


@pages.take("pull/{number}/dequeue", "contents:write", back="pull/{number}")
async def dequeue(context: PageContext) -> Response:
    pull = _find(context)
    await merge_queue.dequeue(context.instance, context.repository, pull, context.identity)
    context.add_notice("good", f"Removed from the merge queue of {pull.base_ref}.")
    return context.go(f"{context.home}/pull/{pull.number}")


def state_of(context: PageContext, pull: PullRequest) -> str:
    """open, draft, merged or closed"""
    if pull.merged_at is not None:
        return "merged"
    if context.repository.issues[pull.number].state == "closed":
        return "closed"
    return "draft" if pull.draft else "open"


@dataclass(frozen=True, kw_only=True)
class PullChanges:
    commits: list[Any]
    files: list[diffs.FileDiff]
    more: int
    additions: int
    deletions: int


async def _changes(context: PageContext, pull: PullRequest) -> PullChanges:
    base = await history.merge_base(context.git, pull.base_sha, pull.head_sha)
    changed = await history.changes(context.git, base, pull.head_sha)
    checks = latest_check_runs(context.repository, pull.head_sha)
    return PullChanges(
        commits=await history.between(context.git, pull.base_sha, pull.head_sha),
        files=diffs.file_diffs(changed, diffs.remarks_by_path(checks)),
        more=max(0, len(changed) - diffs.MOST_FILES),
        additions=sum(one.additions for one in changed),
        deletions=sum(one.deletions for one in changed),
    )


def _checklist(context: PageContext, pull: PullRequest) -> dict[str, Any]:
    repository = context.repository
    required = rules_for(repository, f"refs/heads/{pull.base_ref}").contexts
    found = states(repository, pull.head_sha)
    return {
        "runs": sorted(latest_check_runs(repository, pull.head_sha), key=lambda one: one.id),
        "statuses": latest_statuses(repository, pull.head_sha),
        "suites": repository.check_suites,
        "required": required,
        "expected": [name for name in required if name not in found],
        "summed": _summed(context, pull),
    }


def _summed(context: PageContext, pull: PullRequest) -> str | None:
    """All checks of the head in one look; None when there are none."""
    overall = overall_state(context.repository, pull.head_sha)
    return None if overall is None else STATE_NAMES[overall]


def _merging(context: PageContext, pull: PullRequest) -> dict[str, Any] | None:
    """None once it is closed."""
    if state_of(context, pull) in ("merged", "closed"):
        return None
    identity = context.identity if context.identity.user is not None else None
    reasons = blockers(context.repository, pull, identity)
    rules = rules_for(context.repository, f"refs/heads/{pull.base_ref}", identity, by_pull=True)
    ahead = [one.number for one, _ in queue_of(context.repository, pull.base_ref)]
    if not pull.mergeable:
        reasons = [f"{pull.head_ref} conflicts with {pull.base_ref}. Merge {pull.base_ref} into it, and push."]
    may = context.may("contents:write")
    return {
        "reasons": reasons,
        "may": may,
        "queue": rules.queue is not None,
        "position": ahead.index(pull.number) + 1 if pull.number in ahead else None,
        "methods": [(name, _METHODS[name]) for name in merge_methods(context.repository)],
    }


def _reviewing(context: PageContext, pull: PullRequest) -> dict[str, Any]:
    return {
        "may": context.may("pull_requests:write", role="read") and state_of(context, pull) in ("open", "draft"),
        "own": not may_judge(context.identity, context.repository, pull),
        "standing": pull.standing_reviews(),
        "asked": pull.requested_reviewers,
    }


def _find(context: PageContext) -> PullRequest:
    pull = context.repository.pulls.get(context.number("number"))
    if pull is None:
        raise not_found()
    return pull
