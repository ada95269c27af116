"""What the trust stands on, outside the repository: environments that admit the default branch alone, rules for branches and tags.

A dispatch runs the workflow file of the ref that is chosen, so nothing in a file guards against its author: these settings do.
Each finding says what lacks and the command that fixes it. What the token cannot read is reported as unknown: lists of those who
may bypass a ruleset are shown to administrators only.
Sources: docs.github.com/rest/deployments/environments, …/branch-policies, …/repos/rules
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelines.delivery import github_plan
from pipelines.errors import CredentialsError, RefusedError
from pipelines.findings import Finding

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.manifest.model import Environment, Manifest

BRANCH_RULES = ("pull_request", "required_status_checks", "non_fast_forward", "deletion")
TAG_RULES = ("update", "deletion")


def look(github: GitHub, manifest: Manifest, environment: str) -> list[Finding]:
    """Everything that the trust in an environment stands on and this token can read. Raises ProviderUnavailable."""
    if protects_nothing(github, manifest):
        return [github_plan.finding(github, environment, manifest.file.name)]
    settings = manifest.environments[environment]
    found = [
        finding
        for name in environments_of(environment, settings)
        for finding in admitted_by(github, name, manifest.release.main)
    ]
    rules = manifest.release
    lines = rules.maintenance.replace("{line}", "*")
    for branch, shown in ((rules.main, rules.main), (rules.maintenance.replace("{line}", "0.x"), lines)):
        found += _known(f"branch {shown}", partial(_branch, github, branch, rules))
    patterns = [each.tag_format.replace("{version}", "*") for each in rules.components.values()]
    found += _known("tags", partial(_tags, github, patterns))
    return found


def protects_nothing(github: GitHub, manifest: Manifest) -> bool:
    """Whether GitHub's plan has nothing to look at; no, where this token cannot tell. Raises ProviderUnavailable."""
    try:
        return github_plan.protects_nothing(github, manifest.release.main)
    except CredentialsError:
        return False


def require(github: GitHub, manifest: Manifest, environment: str) -> list[Finding]:
    """`look`, refusing what is missing unless the policy accepts it in words. Raises RefusedError."""
    found = look(github, manifest, environment)
    missing = [finding for finding in found if finding.state == "missing"]
    accepted = manifest.environments[environment].accept_unprotected
    if missing and not accepted:
        raise RefusedError(
            "; ".join(f"{finding.subject}: {finding.says}" for finding in missing),
            where=f"what the trust in {environment} stands on",
            why="without it anybody who may push can deploy, whatever a workflow says",
            next_step="`shipmate doctor` prints the command for each; "
            f"or accept it in words: `accept_unprotected: …` of {environment} in {manifest.file.name}",
        )
    return found


def environments_of(environment: str, settings: Environment) -> list[str]:
    """Names at GitHub of the environments that guard one of ours."""
    approval = settings.approval
    asked = [approval.environment, approval.break_glass_environment] if approval else []
    return [settings.github_environment or environment, *(name for name in asked if name)]


def _known(subject: str, ask: Callable[[], list[Finding]]) -> list[Finding]:
    """What was found; unknown when the token may not look."""
    try:
        return ask()
    except CredentialsError as error:
        return [Finding(subject=subject, state="unknown", says=f"cannot be read with this token ({error.what})")]


def admitted_by(github: GitHub, name: str, admits: str) -> list[Finding]:
    """Whether an environment exists and admits one ref alone: a branch, or `tag mobile-v*`."""
    return _known(f"environment {name}", lambda: list(_environment_findings(github, admits, name)))


def _environment_findings(github: GitHub, admits: str, name: str) -> Iterator[Finding]:
    subject, path = f"environment {name}", f"/repos/{github.name}/environments/{quote(name, safe='')}"
    found = github.find_json(path)
    make = api("PUT", path.removeprefix("/"), _environment_body(found or {}))
    admit = api("POST", f"{path.removeprefix('/')}/deployment-branch-policies", _policy(admits))
    if found is None:
        yield Finding(
            subject=subject,
            state="missing",
            says="does not exist: GitHub would make it by itself, unprotected",
            fix=f"{make} && {admit}",
        )
        return
    if not (found.get("deployment_branch_policy") or {}).get("custom_branch_policies"):
        yield Finding(subject=subject, state="missing", says="admits every branch", fix=f"{make} && {admit}")
        return
    policies = github.json("GET", f"{path}/deployment-branch-policies?per_page=100")["branch_policies"]
    admitted = sorted(_admitted(policy) for policy in policies)
    if admitted != [admits]:
        says = f"admits {', '.join(admitted) or 'nothing'}, and must admit exactly {admits}"
        strange = [policy for policy in policies if _admitted(policy) != admits]
        drop = [
            api("DELETE", f"{path.removeprefix('/')}/deployment-branch-policies/{policy['id']}") for policy in strange
        ]
        fix = " && ".join([*drop, *([] if admits in admitted else [admit])])
        yield Finding(subject=subject, state="missing", says=says, fix=fix)
    else:
        yield Finding(subject=subject, state="ok", says=f"admits {admits} alone")


def _policy(admits: str) -> dict[str, str]:
    """As the API takes it; the inverse of `_admitted`."""
    tag = admits.removeprefix("tag ")
    return {"name": admits} if tag == admits else {"name": tag, "type": "tag"}


def _admitted(policy: Mapping[str, Any]) -> str:
    """A branch's name, or `tag v*`: a tag may be called as a branch is, and anybody who may push can make it."""
    return f"tag {policy['name']}" if policy.get("type") == "tag" else str(policy["name"])


def _environment_body(found: Mapping[str, Any]) -> dict[str, Any]:
    """What makes an environment admit named branches alone; rules that are not given GitHub would switch off."""
    body: dict[str, Any] = {"deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True}}
    for rule in found.get("protection_rules", ()):
        if rule["type"] == "wait_timer":
            body["wait_timer"] = rule["wait_timer"]
        elif rule["type"] == "required_reviewers":
            body["prevent_self_review"] = bool(rule.get("prevent_self_review"))
            body["reviewers"] = [{"type": each["type"], "id": each["reviewer"]["id"]} for each in rule["reviewers"]]
    return body


def _branch(github: GitHub, branch: str, rules: Any) -> list[Finding]:
    """The rules that are in force for a branch, also for one that does not exist yet."""
    active = github.json("GET", f"/repos/{github.name}/rules/branches/{quote(branch, safe='')}?per_page=100")
    kinds = {rule["type"]: rule.get("parameters") or {} for rule in active}
    pattern = branch if branch == rules.main else rules.maintenance.replace("{line}", "*")
    lacks = [kind for kind in BRANCH_RULES if kind not in kinds]
    checks = {check["context"] for check in kinds.get("required_status_checks", {}).get("required_status_checks", ())}
    problems = [f"no rule {', '.join(lacks)}"] if lacks else []
    if "pull_request" in kinds and int(kinds["pull_request"].get("required_approving_review_count") or 0) < 1:
        problems.append("no approving review is required")
    if "pull_request" in kinds and not kinds["pull_request"].get("dismiss_stale_reviews_on_push"):
        problems.append("an approval survives what is pushed after it")
    wanting = [name for name in rules.ci_checks if "required_status_checks" in kinds and name not in checks]
    problems += [f"the check {name} is not required" for name in wanting]
    if not problems:
        return [
            Finding(
                subject=f"branch {pattern}", state="ok", says="changes through reviewed pull requests with green CI"
            )
        ]
    return [
        Finding(
            subject=f"branch {pattern}",
            state="missing",
            says="; ".join(problems),
            fix=api("POST", f"repos/{github.name}/rulesets", branch_ruleset(pattern, rules.ci_checks)),
        )
    ]


def _tags(github: GitHub, patterns: Sequence[str]) -> list[Finding]:
    """Whether tags of releases can be neither moved nor deleted."""
    active = tag_rulesets(github)
    return [_tag(github, pattern, active) for pattern in patterns]


def tag_rulesets(github: GitHub) -> list[Mapping[str, Any]]:
    """Those in force, whole."""
    listed = github.json("GET", f"/repos/{github.name}/rulesets?targets=tag&includes_parents=true&per_page=100")
    return [
        github.json("GET", f"/repos/{github.name}/rulesets/{each['id']}")
        for each in listed
        if each["enforcement"] == "active" and each.get("target") == "tag"
    ]


def is_about(ruleset: Mapping[str, Any], pattern: str) -> bool:
    """Whether a ruleset of tags holds for all of a pattern."""
    names = ruleset["conditions"]["ref_name"]
    return bool({f"refs/tags/{pattern}", "~ALL"} & set(names["include"])) and not names.get("exclude")


def _tag(github: GitHub, pattern: str, active: Sequence[Mapping[str, Any]]) -> Finding:
    held = {rule["type"] for ruleset in active if is_about(ruleset, pattern) for rule in ruleset.get("rules", ())}
    lacks = [kind for kind in TAG_RULES if kind not in held]
    if not lacks:
        return Finding(subject=f"tags {pattern}", state="ok", says="can be neither moved nor deleted")
    fix = api("POST", f"repos/{github.name}/rulesets", tag_ruleset(pattern))
    return Finding(subject=f"tags {pattern}", state="missing", says=f"no rule {', '.join(lacks)}", fix=fix)


def branch_ruleset(pattern: str, checks: Sequence[str]) -> dict[str, Any]:
    """The ruleset that a branch needs, as the API takes it."""
    return {
        "name": f"Shipmate: {pattern}",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [f"refs/heads/{pattern}"], "exclude": []}},
        "rules": [
            {"type": "deletion"},
            {"type": "non_fast_forward"},
            {
                "type": "pull_request",
                "parameters": {
                    "required_approving_review_count": 1,
                    "dismiss_stale_reviews_on_push": True,
                    "require_code_owner_review": False,
                    "require_last_push_approval": True,
                    "required_review_thread_resolution": False,
                },
            },
            {
                "type": "required_status_checks",
                "parameters": {
                    "strict_required_status_checks_policy": False,
                    "required_status_checks": [{"context": name} for name in checks],
                },
            },
        ],
    }


def tag_ruleset(pattern: str) -> dict[str, Any]:
    """The ruleset that tags of releases need, as the API takes it."""
    return {
        "name": f"Shipmate: tags {pattern}",
        "target": "tag",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [f"refs/tags/{pattern}"], "exclude": []}},
        "rules": [{"type": kind} for kind in TAG_RULES],
    }


def api(method: str, path: str, body: Mapping[str, Any] | None = None) -> str:
    """A command of the `gh` client that makes this call."""
    import json

    call = f"gh api -X {method} {shlex.quote(path)}"
    return call if body is None else f"echo {shlex.quote(json.dumps(body))} | {call} --input -"
