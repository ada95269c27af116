"""Branch protection and rulesets."""

from __future__ import annotations

from rehearsal.github.problems import Problem, not_found
from rehearsal.github.protection import render
from rehearsal.github.protection.rules import check_plan
from rehearsal.github.protection.state import BranchProtection, BypassActor, Rule, Ruleset
from rehearsal.github.repositories.rest.repositories import get_branch
from rehearsal.github.rest.answers import Answer, created, no_content, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints
from rehearsal.github.rest.fields import Fields

endpoints = Endpoints()

_PARTS = ("required_status_checks", "enforce_admins", "required_pull_request_reviews", "restrictions")


@endpoints.add("GET", "branches/{branch:path}/protection", "administration:read", role="write")
async def get_protection(call: Call) -> Answer:
    check_plan(call.repository)
    return ok(render.protection(call.view, call.repository, _protection(call)))


@endpoints.add("PUT", "branches/{branch:path}/protection", "administration:write")
async def put_protection(call: Call) -> Answer:
    """Replaces all of it; the four parts have to be there, null where not wanted."""
    check_plan(call.repository)
    fields, branch = call.fields, call.path("branch")
    missing = [name for name in _PARTS if name not in fields]
    if missing:
        raise Problem(422, f'Invalid request.\n\n"{missing[0]}" wasn\'t supplied.')
    if call.git.branch(branch) is None:
        raise Problem(404, "Branch not found")
    protection = _wanted(branch, fields)
    call.repository.protections[branch] = protection
    return ok(render.protection(call.view, call.repository, protection))


@endpoints.add("DELETE", "branches/{branch:path}/protection", "administration:write")
async def delete_protection(call: Call) -> Answer:
    check_plan(call.repository)
    del call.repository.protections[_protection(call).branch]
    return no_content()


@endpoints.add("GET", "branches/{branch:path}/protection/required_status_checks", "administration:read", role="write")
async def get_required_checks(call: Call) -> Answer:
    check_plan(call.repository)
    protection = _protection(call)
    if protection.contexts is None:
        raise Problem(404, "Required status checks not enabled")
    body = render.protection(call.view, call.repository, protection)
    return ok(body["required_status_checks"])


def _wanted(branch: str, fields: Fields) -> BranchProtection:
    checks, reviews = fields.part("required_status_checks"), fields.part("required_pull_request_reviews")
    restrictions = fields.part("restrictions")
    contexts = None
    if checks is not None:
        contexts = [*checks.texts("contexts"), *(str(one["context"]) for one in checks.objects("checks"))]
    return BranchProtection(
        branch=branch,
        contexts=contexts,
        strict=checks is not None and checks.flag("strict", False),
        enforce_admins=fields.flag("enforce_admins", False),
        reviews=None if reviews is None else reviews.number("required_approving_review_count", 1),
        dismiss_stale=reviews is not None and reviews.flag("dismiss_stale_reviews", False),
        code_owners=reviews is not None and reviews.flag("require_code_owner_reviews", False),
        last_push_approval=reviews is not None and reviews.flag("require_last_push_approval", False),
        linear_history=fields.flag("required_linear_history", False),
        allow_force_pushes=fields.flag("allow_force_pushes", False),
        allow_deletions=fields.flag("allow_deletions", False),
        block_creations=fields.flag("block_creations", False),
        conversation_resolution=fields.flag("required_conversation_resolution", False),
        lock_branch=fields.flag("lock_branch", False),
        allow_fork_syncing=fields.flag("allow_fork_syncing", False),
        push_users=None if restrictions is None else restrictions.texts("users"),
    )


def _protection(call: Call) -> BranchProtection:
    found = call.repository.protections.get(call.path("branch"))
    if found is None:
        raise Problem(404, "Branch not protected")
    return found


# A branch may hold slashes, so its own path has to come after the longer ones.
endpoints.add("GET", "branches/{branch:path}", "contents:read")(get_branch)


@endpoints.add("GET", "rules/branches/{branch:path}", "metadata:read")
async def list_branch_rules(call: Call) -> Answer:
    check_plan(call.repository)
    page = call.page(render.rules_of_branch(call.repository, call.path("branch")))
    return page.answer(page.items)


@endpoints.add("GET", "rulesets", "metadata:read")
async def list_rulesets(call: Call) -> Answer:
    check_plan(call.repository)
    targets = [name for name in call.query("targets").split(",") if name]
    found = [one for one in call.repository.rulesets.values() if not targets or one.target in targets]
    page = call.page(found)
    return page.answer([render.ruleset(call.view, call.repository, one) for one in page.items])


@endpoints.add("POST", "rulesets", "administration:write")
async def create_ruleset(call: Call) -> Answer:
    check_plan(call.repository)
    now = call.instance.now()
    ruleset = Ruleset(
        id=call.instance.database.next_id("ruleset"),
        name=call.fields.required_text("name"),
        enforcement=call.fields.required_text("enforcement"),
        created_at=now,
        updated_at=now,
    )
    _apply(call, ruleset)
    call.repository.rulesets[ruleset.id] = ruleset
    return created(render.ruleset(call.view, call.repository, ruleset, call.identity))


@endpoints.add("GET", "rulesets/{ruleset}", "metadata:read")
async def get_ruleset(call: Call) -> Answer:
    check_plan(call.repository)
    return ok(render.ruleset(call.view, call.repository, _ruleset(call), call.identity))


@endpoints.add("PUT", "rulesets/{ruleset}", "administration:write")
async def update_ruleset(call: Call) -> Answer:
    check_plan(call.repository)
    ruleset = _ruleset(call)
    _apply(call, ruleset)
    ruleset.updated_at = call.instance.now()
    return ok(render.ruleset(call.view, call.repository, ruleset, call.identity))


@endpoints.add("DELETE", "rulesets/{ruleset}", "administration:write")
async def delete_ruleset(call: Call) -> Answer:
    check_plan(call.repository)
    del call.repository.rulesets[_ruleset(call).id]
    return no_content()


def _apply(call: Call, ruleset: Ruleset) -> None:
    fields = call.fields
    ruleset.name = fields.text("name", ruleset.name)
    ruleset.target = fields.choice("target", ("branch", "tag"), ruleset.target)
    ruleset.enforcement = fields.choice("enforcement", ("disabled", "active", "evaluate"), ruleset.enforcement)
    conditions = fields.part("conditions")
    refs = conditions.part("ref_name") if conditions is not None else None
    if refs is not None:
        ruleset.include, ruleset.exclude = refs.texts("include"), refs.texts("exclude")
    if "rules" in fields:
        ruleset.rules = [
            Rule(type=str(one["type"]), parameters=dict(one.get("parameters") or {})) for one in fields.objects("rules")
        ]
    if "bypass_actors" in fields:
        ruleset.bypass = [
            BypassActor(
                actor_id=one.get("actor_id"),
                actor_type=str(one.get("actor_type")),
                mode=str(one.get("bypass_mode", "always")),
            )
            for one in fields.objects("bypass_actors")
        ]


def _ruleset(call: Call) -> Ruleset:
    found = call.repository.rulesets.get(call.number("ruleset"))
    if found is None:
        raise not_found()
    return found
