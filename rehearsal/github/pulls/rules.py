"""Whether a pull request may be opened, reviewed and merged, and if not, why not."""

from __future__ import annotations

from datetime import datetime, timedelta

from rehearsal.github.accounts.state import at_least
from rehearsal.github.checks.rules import State, states
from rehearsal.github.identity import Identity
from rehearsal.github.problems import Problem, conflict, forbidden, not_allowed, unprocessable
from rehearsal.github.protection.rules import RefRules, rules_for
from rehearsal.github.pulls.state import MergeGroup, MergeQueueEntry, PullRequest, PullRequestReview
from rehearsal.github.repositories.state import Repository

MERGE_METHODS = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}
"""Each method with what GitHub calls its outcome."""
QUEUE_ONLY = "Changes must be made through the merge queue"
"""What GitHub says to a push and to a merge past the queue."""


def check_open(identity: Identity, repository: Repository) -> None:
    """Raise Problem 403 for a job's token where the repository does not let Actions open pull requests."""
    if identity.is_job and not repository.settings.actions_may_review:
        raise forbidden("GitHub Actions is not permitted to create or approve pull requests.")


def may_judge(identity: Identity, repository: Repository, pull: PullRequest) -> bool:
    """Whether a user may approve a pull request or ask for changes: anybody but its author."""
    return identity.login != repository.issues[pull.number].user


def check_review(identity: Identity, repository: Repository, pull: PullRequest, *, kind: str, body: str) -> None:
    """Raise Problem 403 for a job's approval, 422 for authors who judge their own work and objections without words."""
    if kind == "APPROVE":
        check_open(identity, repository)
    if kind != "COMMENT" and not may_judge(identity, repository, pull):
        verb = "approve" if kind == "APPROVE" else "request changes on"
        raise _review_refused(f"Can not {verb} your own pull request")
    if kind != "APPROVE" and not body:
        raise _review_refused("A review that does not approve needs a body")


def _review_refused(message: str) -> Problem:
    """GitHub lists the errors of reviews as plain strings."""
    return Problem(422, "Unprocessable Entity", errors=[message])


def check_dismiss(review: PullRequestReview) -> None:
    """Raise Problem 422 for a review that neither approves nor asks for changes."""
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        raise unprocessable(f"Can not dismiss a review in state {review.state}")


def check_reviewer(repository: Repository, pull: PullRequest, login: str) -> None:
    """Raise Problem 422 for a user whose review cannot be requested."""
    if login == repository.issues[pull.number].user:
        raise Problem(422, "Review cannot be requested from pull request author.")
    if repository.role_of(login) == "none":
        raise Problem(422, "Reviews may only be requested from collaborators.")


def stale_approvals(repository: Repository, pull: PullRequest) -> list[PullRequestReview]:
    """The approvals of an earlier head, where the base dismisses those."""
    if not rules_for(repository, f"refs/heads/{pull.base_ref}").dismiss_stale:
        return []
    return [one for one in pull.reviews if one.state == "APPROVED" and one.commit_id != pull.head_sha]


def role_to_edit(identity: Identity, repository: Repository, pull: PullRequest) -> str:
    """The role it takes to edit, close or reopen a pull request: its author needs none beyond reading."""
    return "read" if identity.login == repository.issues[pull.number].user else "write"


def merge_methods(repository: Repository) -> list[str]:
    """The methods that the repository allows: merge, squash, rebase."""
    settings = repository.settings
    allowed = {
        "merge": settings.allow_merge_commit,
        "squash": settings.allow_squash_merge,
        "rebase": settings.allow_rebase_merge,
    }
    return [method for method, is_allowed in allowed.items() if is_allowed]


def check_merge(
    identity: Identity, repository: Repository, pull: PullRequest, *, method: str, expected_head: str | None
) -> None:
    """Raise Problem 409 when the head is not the expected one, 405 with the reasons when it may not be merged so."""
    if expected_head is not None and expected_head != pull.head_sha:
        raise conflict("Head branch was modified. Review and try the merge again.")
    if method not in merge_methods(repository):
        raise not_allowed(f"{MERGE_METHODS[method]} are not allowed on this repository.")
    if rules_for(repository, f"refs/heads/{pull.base_ref}", identity, by_pull=True).queue is not None:
        raise not_allowed(QUEUE_ONLY)
    reasons = blockers(repository, pull, identity)
    if reasons:
        raise not_allowed(" ".join(reasons))


def check_enqueue(repository: Repository, pull: PullRequest, *, expected_head: str | None) -> None:
    """Raise Problem 422 with the reason when a pull request may not enter the merge queue of its base: it meets every rule of it."""
    if expected_head is not None and expected_head != pull.head_sha:
        raise unprocessable("Head branch was modified. Review and try the merge again.")
    if pull.queue_entry is not None:
        raise unprocessable("Pull request is already in the queue")
    if rules_for(repository, f"refs/heads/{pull.base_ref}").queue is None:
        raise unprocessable(f"Pull request The branch {pull.base_ref} has no merge queue")
    reasons = blockers(repository, pull)
    if reasons:
        raise unprocessable(f"Pull request {reasons[0]}")


def queue_of(repository: Repository, branch: str) -> list[tuple[PullRequest, MergeQueueEntry]]:
    """What waits to be merged into a branch, the first one first."""
    found = [
        (pull, pull.queue_entry)
        for pull in repository.pulls.values()
        if pull.queue_entry is not None and pull.base_ref == branch
    ]
    return sorted(found, key=lambda one: one[1].id)


def removal_reason(repository: Repository, pull: PullRequest, entry: MergeQueueEntry, now: datetime) -> str | None:
    """Why an entry has to leave the queue, in the words of `dequeued`; None when it may stay. Checks count for the first one
    alone: those of the others are asked for again when it leaves."""
    rules = rules_for(repository, f"refs/heads/{pull.base_ref}")
    if rules.queue is None:
        return "QUEUE_CLEARED"
    if pull.merged_at is not None:
        return "ALREADY_MERGED"
    if repository.issues[pull.number].state == "closed" or pull.head_sha != entry.head_sha:
        return "UNKNOWN_REMOVAL_REASON"
    if entry.group is None or queue_of(repository, pull.base_ref)[0][1] is not entry:
        return None
    state = group_state(repository, pull, entry.group)
    if state == "pending" and now > entry.group.made_at + timedelta(minutes=rules.queue.timeout_minutes):
        return "CI_TIMEOUT"
    return "CI_FAILURE" if state == "failed" else None


def group_state(repository: Repository, pull: PullRequest, group: MergeGroup) -> State:
    """What the required checks of a merge group come to. One that nobody reports is pending."""
    found = required_states(repository, group.head_sha, rules_for(repository, f"refs/heads/{pull.base_ref}")).values()
    if "failed" in found:
        return "failed"
    return "passed" if all(state == "passed" for state in found) else "pending"


def deletes_head(repository: Repository, pull: PullRequest) -> bool:
    """Whether the branch of a pull request goes once it is merged: where the repository says so, and not a fork's."""
    return repository.settings.delete_branch_on_merge and pull.head_repository == repository.full_name


def blockers(repository: Repository, pull: PullRequest, identity: Identity | None = None) -> list[str]:
    """Reasons in GitHub's words; empty when it may be merged (by `identity`, if given)."""
    if repository.issues[pull.number].state == "closed" or not pull.mergeable:
        return ["Pull Request is not mergeable"]
    if pull.draft:
        return ["Pull Request is still a draft"]
    rules = rules_for(repository, f"refs/heads/{pull.base_ref}", identity, by_pull=True)
    return protection_blockers(repository, pull, rules)


def protection_blockers(repository: Repository, pull: PullRequest, rules: RefRules) -> list[str]:
    """What the rules of the base branch still miss."""
    reasons = review_blockers(repository, pull, rules) + check_blockers(repository, pull.head_sha, rules)
    if rules.strict and pull.behind and rules.queue is None:  # a queue brings it up to date itself
        reasons.append(f"The head branch is not up to date with {pull.base_ref}.")
    if rules.locked:
        reasons.append("The base branch is locked.")
    if rules.no_update:
        reasons.append("Cannot update this protected ref.")
    return reasons


def review_blockers(repository: Repository, pull: PullRequest, rules: RefRules) -> list[str]:
    counting = counting_reviews(repository, pull)
    if rules.needs_pull and any(review.state == "CHANGES_REQUESTED" for review in counting):
        return ["Changes have been requested by a reviewer with write access."]
    approvers = {review.user for review in counting if review.state == "APPROVED"}
    if rules.last_push_approval and not approvers - {pull.last_pusher}:
        return ["The most recent push must be approved by someone other than the person who pushed it."]
    if len(approvers) < rules.reviews:
        many = f"{rules.reviews} approving review{'s are' if rules.reviews > 1 else ' is'}"
        return [f"At least {many} required by reviewers with write access."]
    return []


def check_blockers(repository: Repository, sha: str, rules: RefRules) -> list[str]:
    """One line for each required check that has not passed on a commit."""
    words = {"failed": "is failing", "pending": "is in progress", None: "is expected"}
    return [
        f'Required status check "{context}" {words[state]}.'
        for context, state in required_states(repository, sha, rules).items()
        if state != "passed"
    ]


def required_states(repository: Repository, sha: str, rules: RefRules) -> dict[str, State | None]:
    """How each required check of a commit stands; None for one that nobody reports."""
    found: dict[str, State | None] = {**states(repository, sha)}
    found |= {context: states(repository, sha, app_id=app).get(context) for context, app in rules.apps}
    return {context: found.get(context) for context in rules.contexts}


def counting_reviews(repository: Repository, pull: PullRequest) -> list[PullRequestReview]:
    """Standing reviews of users who may write here, the author's own left out."""
    author = repository.issues[pull.number].user
    return [
        review
        for review in pull.standing_reviews()
        if review.user != author and at_least(repository.role_of(review.user), "write")
    ]


def review_decision(repository: Repository, pull: PullRequest) -> str | None:
    """GraphQL's reviewDecision: APPROVED, CHANGES_REQUESTED, REVIEW_REQUIRED, or None where none is asked for."""
    rules = rules_for(repository, f"refs/heads/{pull.base_ref}")
    counting = counting_reviews(repository, pull)
    if any(review.state == "CHANGES_REQUESTED" for review in counting):
        return "CHANGES_REQUESTED"
    approvals = sum(1 for review in counting if review.state == "APPROVED")
    if rules.needs_pull and approvals < max(rules.reviews, 0):
        return "REVIEW_REQUIRED"
    return "APPROVED" if approvals else None


def mergeable_state(repository: Repository, pull: PullRequest) -> str:
    """clean, dirty, draft, blocked, behind, unstable or unknown, as on a pull request's page."""
    if repository.issues[pull.number].state == "closed":
        return "unknown"
    if not pull.mergeable:
        return "dirty"
    if pull.draft:
        return "draft"
    rules = rules_for(repository, f"refs/heads/{pull.base_ref}")
    if review_blockers(repository, pull, rules) or check_blockers(repository, pull.head_sha, rules) or rules.locked:
        return "blocked"
    if rules.strict and pull.behind and rules.queue is None:
        return "behind"
    found = states(repository, pull.head_sha)
    return "clean" if all(state == "passed" for state in found.values()) else "unstable"
