"""Branches, branch protection, rulesets."""

from __future__ import annotations

from typing import Any

from rehearsal.github.accounts.render import simple_user
from rehearsal.github.accounts.rules import may_administer
from rehearsal.github.git.objects import Commit
from rehearsal.github.identity import Identity
from rehearsal.github.protection.rules import active_rulesets, bypass_mode, rules_for
from rehearsal.github.protection.state import BranchProtection, Rule, Ruleset
from rehearsal.github.repositories.render.commits import commit as render_commit
from rehearsal.github.repositories.state import Repository
from rehearsal.github.view import View, node_id, quoted, stamp


def short_branch(view: View, repository: Repository, name: str, sha: str) -> dict[str, Any]:
    return {
        "name": name,
        "commit": {"sha": sha, "url": f"{view.repo(repository)}/commits/{sha}"},
        "protected": rules_for(repository, f"refs/heads/{name}").protected,
    }


def branch(view: View, repository: Repository, name: str, tip: Commit) -> dict[str, Any]:
    here = f"{view.repo(repository)}/branches/{quoted(name)}"
    rules = rules_for(repository, f"refs/heads/{name}")
    checks = {
        "enforcement_level": "everyone" if rules.contexts else "off",
        "contexts": list(rules.contexts),
        "checks": [{"context": context, "app_id": None} for context in rules.contexts],
    }
    return {
        "name": name,
        "commit": render_commit(view, repository, tip),
        "_links": {"self": here, "html": f"{view.page(repository)}/tree/{quoted(name)}"},
        "protected": rules.protected,
        "protection": {"enabled": rules.protected, "required_status_checks": checks},
        "protection_url": f"{here}/protection",
    }


def protection(view: View, repository: Repository, one: BranchProtection) -> dict[str, Any]:
    here = f"{view.repo(repository)}/branches/{quoted(one.branch)}/protection"
    body: dict[str, Any] = {
        "url": here,
        "enforce_admins": {"url": f"{here}/enforce_admins", "enabled": one.enforce_admins},
        "required_linear_history": {"enabled": one.linear_history},
        "allow_force_pushes": {"enabled": one.allow_force_pushes},
        "allow_deletions": {"enabled": one.allow_deletions},
        "block_creations": {"enabled": one.block_creations},
        "required_conversation_resolution": {"enabled": one.conversation_resolution},
        "required_signatures": {"url": f"{here}/required_signatures", "enabled": False},
        "lock_branch": {"enabled": one.lock_branch},
        "allow_fork_syncing": {"enabled": one.allow_fork_syncing},
    }
    if one.contexts is not None:
        body["required_status_checks"] = required_checks(here, one)
    if one.reviews is not None:
        body["required_pull_request_reviews"] = {
            "url": f"{here}/required_pull_request_reviews",
            "dismiss_stale_reviews": one.dismiss_stale,
            "require_code_owner_reviews": one.code_owners,
            "required_approving_review_count": one.reviews,
            "require_last_push_approval": one.last_push_approval,
        }
    if one.push_users is not None:
        body["restrictions"] = _restrictions(view, here, one.push_users)
    return body


def required_checks(here: str, one: BranchProtection) -> dict[str, Any]:
    return {
        "url": f"{here}/required_status_checks",
        "strict": one.strict,
        "contexts": list(one.contexts or ()),
        "contexts_url": f"{here}/required_status_checks/contexts",
        "checks": [{"context": context, "app_id": None} for context in one.contexts or ()],
    }


def _restrictions(view: View, here: str, logins: list[str]) -> dict[str, Any]:
    base = f"{here}/restrictions"
    return {
        "url": base,
        "users_url": f"{base}/users",
        "teams_url": f"{base}/teams",
        "apps_url": f"{base}/apps",
        "users": [simple_user(view, login) for login in logins],
        "teams": [],
        "apps": [],
    }


def ruleset(view: View, repository: Repository, one: Ruleset, reader: Identity | None = None) -> dict[str, Any]:
    """A ruleset as `reader` sees it: who may bypass it is for administrators. Without a reader it is the form of lists,
    which leaves rules and conditions out."""
    body: dict[str, Any] = {
        "id": one.id,
        "node_id": node_id("RepositoryRuleset", one.id),
        "name": one.name,
        "target": one.target,
        "source_type": "Repository",
        "source": repository.full_name,
        "enforcement": one.enforcement,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "_links": {
            "self": {"href": f"{view.repo(repository)}/rulesets/{one.id}"},
            "html": {"href": f"{view.page(repository)}/rules/{one.id}"},
        },
    }
    if reader is None:
        return body
    body["conditions"] = {"ref_name": {"include": one.include, "exclude": one.exclude}}
    body["rules"] = [_rule(rule) for rule in one.rules]
    body["current_user_can_bypass"] = bypass_mode(repository, one, reader)
    if may_administer(reader, repository):
        body["bypass_actors"] = [
            {"actor_id": actor.actor_id, "actor_type": actor.actor_type, "bypass_mode": actor.mode}
            for actor in one.bypass
        ]
    return body


def _rule(rule: Rule) -> dict[str, Any]:
    return {"type": rule.type, **({"parameters": rule.parameters} if rule.parameters else {})}


def rules_of_branch(repository: Repository, name: str) -> list[dict[str, Any]]:
    """The rules that rulesets put on a branch, each with where it comes from."""
    return [
        {
            **_rule(rule),
            "ruleset_source_type": "Repository",
            "ruleset_source": repository.full_name,
            "ruleset_id": one.id,
        }
        for one in active_rulesets(repository, f"refs/heads/{name}")
        for rule in one.rules
    ]
