"""What branch protection and rulesets together ask of a ref, for a given identity."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rehearsal.github.accounts.state import at_least
from rehearsal.github.identity import Identity
from rehearsal.github.problems import forbidden
from rehearsal.github.protection.state import BranchProtection, BypassActor, Rule, Ruleset
from rehearsal.github.repositories.state import Repository

_PARTS = re.compile(r"(?:(?<=/)|^)\*\*/|\*+|\?|\[[^\]]+\]|[^*?\[]+|\[", re.DOTALL)
_ROLE_ACTORS = {2: "maintain", 4: "write", 5: "admin"}
"""The ids GitHub gives the built-in roles in `bypass_actors`."""


@dataclass(frozen=True, kw_only=True)
class QueueRules:
    """How a merge queue works. What a rule says of the size of groups is not emulated: each pull request is merged by itself, once
    its own checks have passed."""

    method: str = "merge"
    """merge, squash or rebase"""
    entries_built: int = 5
    """For how many pull requests at once checks are asked."""
    timeout_minutes: int = 60
    """After which a check that has not reported counts as failed."""


@dataclass(frozen=True, kw_only=True)
class RefRules:
    """The sum of all rules for one ref; the default asks for nothing."""

    protected: bool = False
    needs_pull: bool = False
    reviews: int = 0
    dismiss_stale: bool = False
    last_push_approval: bool = False
    contexts: tuple[str, ...] = ()
    apps: tuple[tuple[str, int], ...] = ()
    """Contexts that count only when this app reports them."""
    contexts_on_creation: tuple[str, ...] = ()
    """Those that the first commit of a new ref needs as well."""
    strict: bool = False
    linear: bool = False
    no_force: bool = False
    no_deletion: bool = False
    no_creation: bool = False
    no_update: bool = False
    locked: bool = False
    push_users: tuple[str, ...] | None = None
    queue: QueueRules | None = None
    """None where pull requests are merged without a queue."""
    bypassed: bool = False
    """Some rule did not count because this identity may bypass it."""


def in_plan(repository: Repository) -> bool:
    """Whether branches and tags can be protected: not those of private repositories on the free plan."""
    return not repository.private or repository.settings.plan != "free"


def check_plan(repository: Repository) -> None:
    """Raise Problem 403 where the owner's plan has no protection."""
    if not in_plan(repository):
        raise forbidden("Upgrade to GitHub Pro or make this repository public to enable this feature.")


def rules_for(repository: Repository, ref: str, identity: Identity | None = None, *, by_pull: bool = False) -> RefRules:
    """The rules of a full ref. With an identity, those that it may bypass do not count; some only `by_pull`."""
    rules = RefRules()
    for source, part in _sources(repository, ref):
        if identity is not None and _bypasses(repository, source, identity, by_pull):
            rules = replace(rules, protected=True, bypassed=True)
        else:
            rules = _both(rules, part)
    return rules


def active_rulesets(repository: Repository, ref: str) -> list[Ruleset]:
    """The enforced rulesets whose conditions match a full ref; none where the owner's plan has no rules."""
    if not in_plan(repository):
        return []
    target = "tag" if ref.startswith("refs/tags/") else "branch"
    return [
        ruleset
        for ruleset in repository.rulesets.values()
        if ruleset.target == target and ruleset.enforcement == "active" and matches(repository, ruleset, ref)
    ]


def matches(repository: Repository, ruleset: Ruleset, ref: str) -> bool:
    def any_of(patterns: list[str]) -> bool:
        return any(_ref_matches(repository, pattern, ref) for pattern in patterns)

    return any_of(ruleset.include) and not any_of(ruleset.exclude)


def _ref_matches(repository: Repository, pattern: str, ref: str) -> bool:
    if pattern == "~ALL":
        return True
    if pattern == "~DEFAULT_BRANCH":
        return ref == f"refs/heads/{repository.default_branch}"
    return pattern_matches(pattern, ref)


def pattern_matches(pattern: str, name: str) -> bool:
    """Ruby's File.fnmatch with FNM_PATHNAME: `*` stops at a slash, `**/` is any number of folders, also none, and
    every other `**` is the same as `*`."""
    expression = "".join(_expression(part) for part in _PARTS.findall(pattern))
    return re.fullmatch(expression, name, re.DOTALL) is not None


def _expression(part: str) -> str:
    if part == "**/":
        return "(?:[^/]+/)*"
    if part.startswith("*"):
        return "[^/]*"
    if part == "?":
        return "[^/]"
    if part.startswith("[") and len(part) > 1:
        # GitHub knows no sets that exclude, and no backslash.
        members = part[1:-1].replace("\\", "\\\\").replace("^", "\\^").replace("[", "\\[")
        return f"[{members}]"
    return re.escape(part)


def _sources(repository: Repository, ref: str) -> Iterator[tuple[BranchProtection | Ruleset, RefRules]]:
    protection = repository.protections.get(ref.removeprefix("refs/heads/")) if ref.startswith("refs/heads/") else None
    if protection is not None and in_plan(repository):
        yield protection, _of_protection(protection)
    for ruleset in active_rulesets(repository, ref):
        yield ruleset, _of_ruleset(ruleset)


def _of_protection(one: BranchProtection) -> RefRules:
    return RefRules(
        protected=True,
        needs_pull=one.reviews is not None,
        reviews=one.reviews or 0,
        dismiss_stale=one.dismiss_stale,
        last_push_approval=one.last_push_approval,
        contexts=tuple(one.contexts or ()),
        strict=one.strict,
        linear=one.linear_history,
        no_force=not one.allow_force_pushes,
        no_deletion=not one.allow_deletions,
        locked=one.lock_branch,
        push_users=None if one.push_users is None else tuple(one.push_users),
    )


def _of_ruleset(ruleset: Ruleset) -> RefRules:
    rules = RefRules(protected=True)
    for rule in ruleset.rules:
        rules = _both(rules, _of_rule(rule))
    return rules


def _of_rule(rule: Rule) -> RefRules:
    given = rule.parameters
    if rule.type == "pull_request":
        return RefRules(
            needs_pull=True,
            reviews=int(given.get("required_approving_review_count", 0)),
            dismiss_stale=bool(given.get("dismiss_stale_reviews_on_push", False)),
            last_push_approval=bool(given.get("require_last_push_approval", False)),
        )
    if rule.type == "required_status_checks":
        checks = given.get("required_status_checks", [])
        contexts = tuple(str(check["context"]) for check in checks)
        return RefRules(
            contexts=contexts,
            apps=tuple(
                (str(one["context"]), int(one["integration_id"])) for one in checks if one.get("integration_id")
            ),
            contexts_on_creation=() if given.get("do_not_enforce_on_create", False) else contexts,
            strict=bool(given.get("strict_required_status_checks_policy", False)),
        )
    if rule.type == "merge_queue":
        return RefRules(queue=_of_queue(given))
    return RefRules(
        no_creation=rule.type == "creation",
        no_update=rule.type == "update",
        no_deletion=rule.type == "deletion",
        no_force=rule.type == "non_fast_forward",
        linear=rule.type == "required_linear_history",
    )


def _of_queue(given: Mapping[str, Any]) -> QueueRules:
    default = QueueRules()
    return QueueRules(
        method=str(given.get("merge_method", default.method)).lower(),
        entries_built=int(given.get("max_entries_to_build", default.entries_built)),
        timeout_minutes=int(given.get("check_response_timeout_minutes", default.timeout_minutes)),
    )


def _both(one: RefRules, other: RefRules) -> RefRules:
    """Two sets of rules at once: the stricter of each."""
    users = [set(rules.push_users) for rules in (one, other) if rules.push_users is not None]
    return RefRules(
        protected=one.protected or other.protected,
        needs_pull=one.needs_pull or other.needs_pull,
        reviews=max(one.reviews, other.reviews),
        dismiss_stale=one.dismiss_stale or other.dismiss_stale,
        last_push_approval=one.last_push_approval or other.last_push_approval,
        contexts=tuple(dict.fromkeys((*one.contexts, *other.contexts))),
        apps=tuple(dict.fromkeys((*one.apps, *other.apps))),
        contexts_on_creation=tuple(dict.fromkeys((*one.contexts_on_creation, *other.contexts_on_creation))),
        strict=one.strict or other.strict,
        linear=one.linear or other.linear,
        no_force=one.no_force or other.no_force,
        no_deletion=one.no_deletion or other.no_deletion,
        no_creation=one.no_creation or other.no_creation,
        no_update=one.no_update or other.no_update,
        locked=one.locked or other.locked,
        push_users=tuple(sorted(set.intersection(*users))) if users else None,
        queue=one.queue or other.queue,
        bypassed=one.bypassed or other.bypassed,
    )


def bypass_mode(repository: Repository, ruleset: Ruleset, identity: Identity) -> str:
    """How an identity may bypass the rules, in the words of `current_user_can_bypass`."""
    role = "none" if identity.is_app else repository.role_of(identity.login)
    modes = {actor.mode for actor in ruleset.bypass if _is_actor(actor, identity, role)}
    words = {"exempt": "exempt", "always": "always", "pull_request": "pull_requests_only"}
    return next((word for mode, word in words.items() if mode in modes), "never")


def _bypasses(repository: Repository, source: BranchProtection | Ruleset, identity: Identity, by_pull: bool) -> bool:
    if isinstance(source, BranchProtection):
        admin = not identity.is_app and repository.role_of(identity.login) == "admin"
        return admin and not source.enforce_admins
    return bypass_mode(repository, source, identity) in (
        "always",
        "exempt",
        *(("pull_requests_only",) if by_pull else ()),
    )


def _is_actor(actor: BypassActor, identity: Identity, role: str) -> bool:
    if actor.actor_type == "Integration":
        return identity.app_id is not None and identity.app_id == actor.actor_id
    if actor.actor_type == "RepositoryRole":
        return at_least(role, _ROLE_ACTORS.get(actor.actor_id or 0, "admin"))
    if actor.actor_type == "OrganizationAdmin":
        return role == "admin"
    return (
        not identity.is_app
        and actor.actor_type == "User"
        and identity.user is not None
        and identity.user.id == actor.actor_id
    )
