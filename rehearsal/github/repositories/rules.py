"""Whether a push is let in: what git's pre-receive hook asks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rehearsal.github.git.bare import ZERO, BareRepository
from rehearsal.github.git.history import changed_paths, is_ancestor
from rehearsal.github.git.merging import merged_tree
from rehearsal.github.git.receiving import PushDecision, RefChange
from rehearsal.github.identity import Identity
from rehearsal.github.protection.rules import RefRules, active_rulesets, rules_for
from rehearsal.github.pulls.rules import QUEUE_ONLY, check_blockers, protection_blockers
from rehearsal.github.pulls.state import PullRequest
from rehearsal.github.repositories.state import Repository

_LONGEST_WALK = 100
"""Merges looked at in one push to a protected branch."""

_LINE = "-" * 60


@dataclass(frozen=True, kw_only=True)
class Push:
    """One change of one ref that is asked for. `git` sees the new objects."""

    repository: Repository
    git: BareRepository
    identity: Identity
    change: RefChange

    @property
    def creates(self) -> bool:
        return self.change.old == ZERO

    @property
    def deletes(self) -> bool:
        return self.change.new == ZERO

    @property
    def updates(self) -> bool:
        return not self.creates and not self.deletes


async def check_push(
    repository: Repository, git: BareRepository, identity: Identity, changes: list[RefChange]
) -> PushDecision:
    """Accept all changes or none, with lines that git shows to the user who pushes."""
    refused: list[str] = []
    notes: list[str] = []
    for change in changes:
        push = Push(repository=repository, git=git, identity=identity, change=change)
        reasons = await refusals(push)
        if reasons:
            refused += _refusal(repository, change.ref, reasons)
        elif rules_for(repository, change.ref, identity).bypassed:
            notes.append(f"Bypassed rule violations for {change.ref}.")
    return PushDecision(accepted=not refused, messages=tuple(refused or notes))


async def refusals(push: Push) -> list[str]:
    """Why one change is not let in; empty when it is."""
    ref = push.change.ref
    own = _always(push)
    if own:
        return own
    rules = rules_for(push.repository, ref, push.identity)
    reasons = _by_kind(push, rules)
    if not reasons and push.updates and rules.no_force and not await _fast_forward(push):
        reasons = ["Cannot force-push to this branch" if ref.startswith("refs/heads/") else "Cannot update this tag"]
    if not reasons and not push.deletes and ref.startswith("refs/heads/"):
        reasons = await _by_content(push, rules)
    return reasons or await _workflow_files(push)


def _always(push: Push) -> list[str]:
    """What no setting allows."""
    ref, repository = push.change.ref, push.repository
    if ref.startswith("refs/heads/gh-readonly-queue/"):
        return ["Cannot update a branch of a merge queue: GitHub keeps these itself."]
    if ref.startswith("refs/pull/"):
        return ["Cannot update a ref of a pull request: GitHub keeps these itself."]
    if push.deletes and ref == f"refs/heads/{repository.default_branch}":
        return [f"refusing to delete the current branch: {ref}"]
    release = repository.release_tagged(ref.removeprefix("refs/tags/")) if ref.startswith("refs/tags/") else None
    if release is not None and release.immutable and not push.creates:
        return [f"Cannot change the tag of the immutable release {release.tag_name}."]
    return []


def _by_kind(push: Push, rules: RefRules) -> list[str]:
    what = "tag" if push.change.ref.startswith("refs/tags/") else "branch"
    if rules.locked:
        return ["Cannot change this locked branch"]
    if push.creates and rules.no_creation:
        return [f"Cannot create this {what}: creations are restricted"]
    if push.deletes and rules.no_deletion:
        return [f"Cannot delete this protected {what}"]
    if push.updates and rules.no_update:
        return [f"Cannot update this protected {what}"]
    if rules.push_users is not None and push.identity.login not in rules.push_users:
        return [f"You're not authorized to push to this branch. It takes one of: {', '.join(rules.push_users)}."]
    return []


async def _by_content(push: Push, rules: RefRules) -> list[str]:
    """A protected branch takes what pull requests bring: approved, green, and nothing beside them."""
    if push.creates:
        return check_blockers(push.repository, push.change.new, replace(rules, contexts=rules.contexts_on_creation))
    if rules.queue is not None:
        return [QUEUE_ONLY]
    if not (rules.needs_pull or rules.contexts):
        return []
    if rules.linear and await _has_merges(push):
        return ["This branch must not contain merge commits."]
    return await _uncovered(push, rules)


async def _uncovered(push: Push, rules: RefRules) -> list[str]:
    """Walk back from the new tip to the old one: every step must be an open pull request that may be merged."""
    sha = push.change.new
    for _ in range(_LONGEST_WALK):
        if sha == push.change.old:
            return []
        pull = _pull_with_head(push, sha)
        if pull is not None and await is_ancestor(push.git, push.change.old, sha):
            return _pull_reasons(push, pull, rules)
        commit = await push.git.commit(sha)
        merged = _pull_with_head(push, commit.parents[1]) if len(commit.parents) == 2 else None
        if merged is None:
            return _no_pull(push, rules, sha)
        reasons = _pull_reasons(push, merged, rules)
        if not reasons and await merged_tree(push.git, commit.parents[0], commit.parents[1]) != commit.tree:
            reasons = [f"The merge {sha[:7]} holds changes that are not in pull request #{merged.number}."]
        if reasons:
            return reasons
        sha = commit.parents[0]
    return [f"More than {_LONGEST_WALK} merges in one push."]


def _pull_with_head(push: Push, sha: str) -> PullRequest | None:
    branch = push.change.ref.removeprefix("refs/heads/")
    return next((one for one in push.repository.open_pulls() if (one.head_sha, one.base_ref) == (sha, branch)), None)


def _pull_reasons(push: Push, pull: PullRequest, rules: RefRules) -> list[str]:
    if pull.draft:
        return [f"Pull request #{pull.number} is still a draft."]
    reasons = protection_blockers(push.repository, pull, rules)
    return [f"Pull request #{pull.number}: {reason}" for reason in reasons]


def _no_pull(push: Push, rules: RefRules, sha: str) -> list[str]:
    reasons = []
    if rules.needs_pull:
        reasons.append("Changes must be made through a pull request.")
    reasons += [f'Required status check "{context}" is expected.' for context in rules.contexts]
    return [*reasons, f"No open, approved and green pull request into this branch has {sha[:7]} as its head."]


async def _fast_forward(push: Push) -> bool:
    if push.change.ref.startswith("refs/tags/"):
        return False
    return await is_ancestor(push.git, push.change.old, push.change.new)


async def _has_merges(push: Push) -> bool:
    found = await push.git.git("rev-list", "--merges", "--max-count=1", f"{push.change.old}..{push.change.new}")
    return bool(found.strip())


async def _workflow_files(push: Push) -> list[str]:
    """An app, and so every job's token, changes workflow files only with a permission no job can ask for."""
    token = push.identity.token
    if not push.identity.is_app or push.deletes or (token is not None and token.allows("workflows", "write")):
        return []
    base = push.change.old if push.updates else push.git.branch(push.repository.default_branch)
    if base is None:
        return []
    touched = [path for path in await changed_paths(push.git, base, push.change.new) if _is_workflow(path)]
    return [
        f"refusing to allow a GitHub App to create or update workflow `{path}` without `workflows` permission"
        for path in touched
    ]


def _is_workflow(path: str) -> bool:
    return path.startswith(".github/workflows/")


def _refusal(repository: Repository, ref: str, reasons: list[str]) -> list[str]:
    by_ruleset = ref.startswith("refs/tags/") or active_rulesets(repository, ref)
    what = "GH013: Repository rule violations found for" if by_ruleset else "GH006: Protected branch update failed for"
    return [f"error: {what} {ref}.", *(f"- {reason}" for reason in reasons), _LINE]
