"""What stands at GitHub, with an administrator's token: who may bypass rules, reviewers, and where secrets are kept.

Sources: docs.github.com/rest/deployments/environments, …/actions/secrets, …/repos/rules
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from pipelines import findings
from pipelines.delivery import github_plan, protection
from pipelines.delivery.doctor import merge_queue, mobile_environments
from pipelines.findings import Finding

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.manifest import Manifest
    from pipelines.manifest.model import Environment

OURS = (
    "VERCEL_TOKEN", "VERCEL_BYPASS", "SENTRY_AUTH_TOKEN", "SENTRY_READ_TOKEN", "SLACK_WEBHOOK", "SMTP_USER", "SMTP_PASSWORD",
    *mobile_environments.SECRETS,
)  # fmt: skip
"""Secrets that belong to environments."""


def look(github: GitHub, manifest: Manifest, names: Sequence[str]) -> list[Finding]:
    """Every finding at GitHub. `names`: the environments that are asked about."""
    found: list[Finding] = []
    for name in names:
        found += [each for each in protection.look(github, manifest, name) if each not in found]
    if protection.protects_nothing(github, manifest):
        needs = _needed_of_all(manifest)
        return found + findings.guarded("secrets of the repository", lambda: github_plan.secrets(github, needs))
    found += findings.guarded("who may bypass", lambda: _bypasses(github))
    found += findings.guarded("merge queue", lambda: merge_queue.look(github, manifest.release.main))
    for name, settings in manifest.environments.items():
        found += findings.guarded(f"environment {name}", partial(_environment, github, manifest, name, settings))
    found += findings.guarded("environments of the apps", lambda: mobile_environments.look(github, manifest))
    found += findings.guarded("secrets of the repository", lambda: _repository_secrets(github))
    found += findings.guarded("other environments", lambda: _strangers(github, manifest))
    return found


def _bypasses(github: GitHub) -> Iterator[Finding]:
    """Who may bypass a ruleset, which only administrators are shown."""
    for each in github.json("GET", f"/repos/{github.name}/rulesets?includes_parents=true&per_page=100"):
        raw = github.json("GET", f"/repos/{github.name}/rulesets/{each['id']}")
        subject = f"ruleset {raw['name']}"
        if "bypass_actors" not in raw:
            yield Finding(subject=subject, state="unknown", says="who may bypass it is shown to administrators only")
            continue
        if [rule["type"] for rule in raw.get("rules", ())] == ["creation"]:
            continue  # who may bypass it may create what it protects
        always = [actor for actor in raw["bypass_actors"] or () if actor.get("bypass_mode") != "pull_request"]
        if always:
            who = ", ".join(f"{actor['actor_type']} {actor.get('actor_id') or ''}".strip() for actor in always)
            yield Finding(
                subject=subject,
                state="missing",
                says=f"can be bypassed by {who}",
                fix=protection.api("PUT", f"repos/{github.name}/rulesets/{raw['id']}", {"bypass_actors": []}),
            )
        else:
            yield Finding(subject=subject, state="ok", says="nobody may bypass it")


def _is_private(github: GitHub) -> bool:
    return bool(github.json("GET", f"/repos/{github.name}").get("private"))


def _environment(github: GitHub, manifest: Manifest, name: str, settings: Environment) -> Iterator[Finding]:
    """Reviewers where someone is asked, secrets where they are used, and no way round for administrators."""
    deploying = settings.github_environment or name
    yield from _secrets(github, deploying, list(_needed(manifest, settings)))
    approval = settings.approval
    if approval is None:
        return
    for asked, who in ((approval.environment, approval.by), (approval.break_glass_environment, approval.break_glass)):
        found = github.find_json(_path(github, asked)) if asked else None
        if found is None:
            continue
        rules = [rule for rule in found.get("protection_rules", ()) if rule["type"] == "required_reviewers"]
        if rules:
            yield Finding(subject=f"environment {asked}", state="ok", says="asks its reviewers")
        else:
            yield _without_reviewers(github, asked, who)
        if found.get("can_admins_bypass"):
            yield Finding(
                subject=f"environment {asked}",
                state="missing",
                says="administrators may bypass its protection",
                fix=f"Settings → Environments → {asked} → uncheck “Allow administrators to bypass configured protection rules”",
            )


def _without_reviewers(github: GitHub, environment: str, who: Sequence[str]) -> Finding:
    """People answer by comment there, which is a way of its own: whether reviewers are asked is unknown."""
    by_comment = f"people answer by comment on an issue ({', '.join(who) or 'anyone who may write'})"
    fix = f"Settings → Environments → {environment} → Required reviewers"
    says = f"has no reviewers: {by_comment}"
    if _is_private(github):
        says = f"has no reviewers, which private repositories have on GitHub Enterprise alone: {by_comment}"
        fix = f"on GitHub Enterprise {fix}; on Free and Team answer by comment"
    return Finding(subject=f"environment {environment}", state="unknown", says=says, fix=fix)


def _needed(manifest: Manifest, settings: Environment) -> Iterator[str]:
    """Secrets that jobs of an environment cannot do their work without."""
    if any(target.provider == "vercel" for target in settings.targets.values()):
        yield "VERCEL_TOKEN"
    if manifest.performance.app_starts is not None and settings.load is not None:
        yield "SENTRY_READ_TOKEN"
    if any(manifest.components[name].error_tracker for name in settings.targets):
        yield "SENTRY_AUTH_TOKEN"


def _needed_of_all(manifest: Manifest) -> list[str]:
    """Secrets that some job of any environment cannot do without."""
    delivery = [name for settings in manifest.environments.values() for name in _needed(manifest, settings)]
    return list(dict.fromkeys([*delivery, *mobile_environments.needed(manifest)]))


def _secrets(github: GitHub, environment: str, needs: Sequence[str]) -> Iterator[Finding]:
    """Only their names can be read."""
    listed = github.json("GET", f"{_path(github, environment)}/secrets?per_page=100")["secrets"]
    names = {each["name"] for each in listed}
    lacks = [name for name in needs if name not in names]
    if lacks:
        fix = " && ".join(f"gh secret set {name} --env {environment}" for name in lacks)
        yield Finding(
            subject=f"environment {environment}", state="missing", says=f"has no secret {', '.join(lacks)}", fix=fix
        )
    elif needs:
        yield Finding(subject=f"environment {environment}", state="ok", says=f"holds {', '.join(needs)}")


def _repository_secrets(github: GitHub) -> Iterator[Finding]:
    """A secret of the repository can be read by a workflow of any branch."""
    listed = github.json("GET", f"/repos/{github.name}/actions/secrets?per_page=100")["secrets"]
    loose = [each["name"] for each in listed if each["name"] in OURS]
    if loose:
        yield Finding(
            subject="secrets of the repository",
            state="missing",
            says=f"{', '.join(loose)}: a workflow of any branch can read them",
            fix=" && ".join(f"gh secret delete {name}" for name in loose),
        )
    else:
        yield Finding(subject="secrets of the repository", state="ok", says="none that deploys")


def _strangers(github: GitHub, manifest: Manifest) -> Iterator[Finding]:
    """Environments that the policy does not name and that hold secrets: a run from before an upgrade still gets them."""
    known = {
        name
        for environment, settings in manifest.environments.items()
        for name in protection.environments_of(environment, settings)
    } | set(mobile_environments.environments_of(manifest))
    listed = github.json("GET", f"/repos/{github.name}/environments?per_page=100").get("environments", ())
    for each in listed:
        if each["name"] in known:
            continue
        secrets = github.json("GET", f"{_path(github, each['name'])}/secrets?per_page=100")["secrets"]
        held = [secret["name"] for secret in secrets if secret["name"] in OURS]
        if held:
            yield Finding(
                subject=f"environment {each['name']}",
                state="missing",
                says=f"is none of the policy's, and holds {', '.join(held)}: runs from before an upgrade can be re-run for 30 days with it",
                fix=protection.api("DELETE", f"repos/{github.name}/environments/{quote(each['name'], safe='')}"),
            )


def _path(github: GitHub, environment: str) -> str:
    return f"/repos/{github.name}/environments/{quote(environment, safe='')}"
