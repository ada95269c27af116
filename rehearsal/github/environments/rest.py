"""Environments and who may deploy to them."""

from __future__ import annotations

from rehearsal.github.environments import render
from rehearsal.github.environments.rules import check_plan, in_force, in_plan
from rehearsal.github.environments.service import add_policy, ensure
from rehearsal.github.environments.state import BranchPolicy, Environment
from rehearsal.github.problems import Problem, not_found
from rehearsal.github.rest.answers import Answer, no_content, ok
from rehearsal.github.rest.call import Call
from rehearsal.github.rest.endpoint import Endpoints

endpoints = Endpoints()

_MOST_REVIEWERS = 6
_LONGEST_WAIT = 43_200
"""Minutes: thirty days."""


@endpoints.add("GET", "environments", "actions:read")
async def list_environments(call: Call) -> Answer:
    known = list(call.repository.environments.values()) if in_plan(call.repository) else []
    page = call.page(known)
    return page.answer([render.environment(call.view, call.repository, one) for one in page.items], "environments")


@endpoints.add("GET", "environments/{environment}", "actions:read")
async def get_environment(call: Call) -> Answer:
    return ok(render.environment(call.view, call.repository, environment_of(call)))


@endpoints.add("PUT", "environments/{environment}", "administration:write")
async def put_environment(call: Call) -> Answer:
    """Makes or replaces the rules; what is not given is switched off, as on GitHub."""
    fields = call.fields
    wait = fields.number("wait_timer")
    check_plan(call.repository, reviewers=bool(fields.objects("reviewers")), wait_timer=wait != 0)
    if not 0 <= wait <= _LONGEST_WAIT:
        raise Problem(422, f"Validation Failed: wait_timer must be between 0 and {_LONGEST_WAIT} minutes")
    reviewers = _reviewers(call)
    environment = ensure(call.instance, call.repository, call.path("environment"))
    environment.wait_minutes = wait
    environment.prevent_self_review = fields.flag("prevent_self_review", False)
    environment.reviewers = reviewers
    policy = fields.part("deployment_branch_policy")
    had_names = environment.custom_policies
    environment.protected_branches = policy is not None and policy.flag("protected_branches", False)
    environment.custom_policies = policy is not None and policy.flag("custom_branch_policies", False)
    if policy is not None and environment.protected_branches == environment.custom_policies:
        raise Problem(422, "protected_branches and custom_branch_policies cannot have the same value")
    if not (had_names and environment.custom_policies):
        environment.policies.clear()
    environment.updated_at = call.instance.now()
    return ok(render.environment(call.view, call.repository, environment))


def _reviewers(call: Call) -> list[str]:
    """Reviewers are given by id. Raises Problem 422 for more than six, or ids of nobody."""
    given = call.fields.objects("reviewers")
    known = {user.id: user.login for user in call.instance.database.users.values()}
    if len(given) > _MOST_REVIEWERS or any(one.get("id") not in known for one in given):
        raise Problem(422, "Failed to update the environment protection rule. Please ensure the reviewers are valid.")
    return [known[one["id"]] for one in given]


@endpoints.add("DELETE", "environments/{environment}", "administration:write")
async def delete_environment(call: Call) -> Answer:
    del call.repository.environments[environment_of(call).name]
    return no_content()


_POLICIES = "environments/{environment}/deployment-branch-policies"


@endpoints.add("GET", _POLICIES, "actions:read")
async def list_policies(call: Call) -> Answer:
    page = call.page(environment_of(call).policies)
    return page.answer([render.branch_policy(one) for one in page.items], "branch_policies")


@endpoints.add("POST", _POLICIES, "administration:write")
async def create_policy(call: Call) -> Answer:
    environment = environment_of(call)
    if not environment.custom_policies:
        raise not_found()
    kind, name = call.fields.choice("type", ("branch", "tag"), "branch"), call.fields.required_text("name")
    if any((one.name, one.type) == (name, kind) for one in environment.policies):
        return Answer(status=303)
    return ok(render.branch_policy(add_policy(call.instance, environment, name, kind)))


@endpoints.add("GET", f"{_POLICIES}/{{policy}}", "actions:read")
async def get_policy(call: Call) -> Answer:
    return ok(render.branch_policy(_policy(call)))


@endpoints.add("PUT", f"{_POLICIES}/{{policy}}", "administration:write")
async def update_policy(call: Call) -> Answer:
    policy = _policy(call)
    policy.name = call.fields.required_text("name")
    return ok(render.branch_policy(policy))


@endpoints.add("DELETE", f"{_POLICIES}/{{policy}}", "administration:write")
async def delete_policy(call: Call) -> Answer:
    environment_of(call).policies.remove(_policy(call))
    return no_content()


def _policy(call: Call) -> BranchPolicy:
    wanted = call.number("policy")
    found = next((one for one in environment_of(call).policies if one.id == wanted), None)
    if found is None:
        raise not_found()
    return found


def environment_of(call: Call) -> Environment:
    """The environment in the path. Raises Problem 404."""
    found = in_force(call.repository, call.path("environment"))
    if found is None:
        raise not_found()
    return found
