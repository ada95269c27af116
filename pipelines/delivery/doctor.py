"""Look at everything the trust stands on, with an administrator's token: what a job's token cannot read, and what stands at Google.

Each finding has the command that mends it. Nothing is changed.
Sources: docs.github.com/rest/deployments/environments, …/actions/secrets, …/repos/rules;
cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelines.delivery import protection
from pipelines.delivery.context import Context, require_github
from pipelines.errors import CredentialsError, ProviderError, ShipmateError
from pipelines.findings import Finding

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.manifest import Manifest
    from pipelines.manifest.model import Deployer, Environment

WORKFLOWS = ("deploy-staging.yml", "deploy-production.yml", "rollback.yml", "performance.yml")
"""Whose jobs may become a deployer."""
OURS = ("VERCEL_TOKEN", "VERCEL_BYPASS", "SENTRY_READ_TOKEN", "SLACK_WEBHOOK", "SMTP_USER", "SMTP_PASSWORD")
"""Secrets that belong to environments."""
IAM = "https://iam.googleapis.com/v1"


def examine(contexts: Mapping[str, Context]) -> list[Finding]:
    """Every finding, of all environments of the manifest. `contexts`: environment -> its context. Raises CredentialsError without a
    token of GitHub."""
    first = next(iter(contexts.values()))
    github, manifest = require_github(first), first.manifest
    found: list[Finding] = []
    for name in contexts:
        found += [each for each in protection.look(github, manifest, name) if each not in found]
    found += _guarded("who may bypass", lambda: list(_bypasses(github)))
    for name, settings in manifest.environments.items():
        found += _guarded(f"environment {name}", lambda n=name, s=settings: list(_environment(github, manifest, n, s)))
    found += _guarded("secrets of the repository", lambda: list(_repository_secrets(github)))
    found += _guarded("other environments", lambda: list(_strangers(github, manifest)))
    for name, context in contexts.items():
        found += _google(github, manifest, name, context)
    return found


def _guarded(subject: str, ask: Any) -> list[Finding]:
    """What was found; unknown where this token may not look."""
    try:
        found: list[Finding] = ask()
    except (CredentialsError, ProviderError) as error:
        return [protection.unknown_because(error, subject)]
    return found


def _bypasses(github: GitHub) -> Iterator[Finding]:
    """Who may bypass a ruleset, which only administrators are shown."""
    for each in github.json("GET", f"/repos/{github.name}/rulesets?includes_parents=true&per_page=100"):
        raw = github.json("GET", f"/repos/{github.name}/rulesets/{each['id']}")
        subject = f"ruleset {raw['name']}"
        if "bypass_actors" not in raw:
            yield Finding(subject=subject, state="unknown", says="who may bypass it is shown to administrators only")
            continue
        always = [actor for actor in raw["bypass_actors"] or () if actor.get("bypass_mode") != "pull_request"]
        if always:
            who = ", ".join(f"{actor['actor_type']} {actor.get('actor_id') or ''}".strip() for actor in always)
            yield Finding(
                subject=subject,
                state="missing",
                says=f"can be bypassed by {who}",
                mend=protection.api("PUT", f"repos/{github.name}/rulesets/{raw['id']}", {"bypass_actors": []}),
            )
        else:
            yield Finding(subject=subject, state="ok", says="nobody may bypass it")


def _environment(github: GitHub, manifest: Manifest, name: str, settings: Environment) -> Iterator[Finding]:
    """Reviewers where somebody is asked, secrets where they are used, and no way round for administrators."""
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
            yield Finding(
                subject=f"environment {asked}",
                state="unknown",
                says=f"has no reviewers: people answer by comment on an issue ({', '.join(who) or 'anyone who may write'})",
                mend=f"Settings → Environments → {asked} → Required reviewers, where the plan of this repository has them",
            )
        if found.get("can_admins_bypass"):
            yield Finding(
                subject=f"environment {asked}",
                state="missing",
                says="administrators may bypass its protection",
                mend=f"Settings → Environments → {asked} → uncheck “Allow administrators to bypass configured protection rules”",
            )


def _needed(manifest: Manifest, settings: Environment) -> Iterator[str]:
    """Secrets that jobs of an environment cannot do without."""
    if any(target.provider == "vercel" for target in settings.targets.values()):
        yield "VERCEL_TOKEN"
    if manifest.performance.app_starts is not None and settings.load is not None:
        yield "SENTRY_READ_TOKEN"


def _secrets(github: GitHub, environment: str, needs: Sequence[str]) -> Iterator[Finding]:
    """Only their names can be read."""
    listed = github.json("GET", f"{_path(github, environment)}/secrets?per_page=100")["secrets"]
    names = {each["name"] for each in listed}
    lacks = [name for name in needs if name not in names]
    if lacks:
        mend = " && ".join(f"gh secret set {name} --env {environment}" for name in lacks)
        yield Finding(
            subject=f"environment {environment}", state="missing", says=f"has no secret {', '.join(lacks)}", mend=mend
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
            mend=" && ".join(f"gh secret delete {name}" for name in loose),
        )
    else:
        yield Finding(subject="secrets of the repository", state="ok", says="none that deploys")


def _strangers(github: GitHub, manifest: Manifest) -> Iterator[Finding]:
    """Environments that the policy does not name and that hold secrets: a run from before an upgrade still gets them."""
    known = {
        name
        for environment, settings in manifest.environments.items()
        for name in protection.environments_of(environment, settings)
    }
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
                mend=protection.api("DELETE", f"repos/{github.name}/environments/{quote(each['name'], safe='')}"),
            )


def _google(github: GitHub, manifest: Manifest, name: str, context: Context) -> list[Finding]:
    """The condition of the identity provider, and who may become the deployer."""
    deployer = context.settings.deployer
    if deployer is None:
        return []
    subject = f"Google, {name}"
    try:
        return list(_google_findings(github, manifest, name, context, deployer))
    except ShipmateError as error:
        return [
            Finding(
                subject=subject,
                state="unknown",
                says=f"cannot be read here ({error.what})",
                mend=condition_command(deployer, _repository_id(github), github.name, manifest.release.main),
            )
        ]


def _google_findings(
    github: GitHub, manifest: Manifest, name: str, context: Context, deployer: Deployer
) -> Iterator[Finding]:
    from pipelines.providers.google_api import GoogleApi

    iam = GoogleApi(context.http, context.credentials.google, IAM)
    number, main = _repository_id(github), manifest.release.main
    provider = iam.call("GET", deployer.workload_identity.removeprefix("//iam.googleapis.com/"))
    condition = str(provider.get("attributeCondition", ""))
    lacks = [part for part in bound_by(number, github.name, main) if part not in condition]
    yield Finding(
        subject=f"Google, {name}: attribute condition",
        state="missing" if lacks else "ok",
        says=f"does not bind {' and '.join(lacks)}" if lacks else "binds repository, ref and workflow",
        mend=condition_command(deployer, number, github.name, main) if lacks else "",
    )
    account = deployer.service_account
    policy = iam.call("POST", f"projects/-/serviceAccounts/{account}:getIamPolicy", body={})
    members = [
        member
        for binding in policy.get("bindings", ())
        if binding["role"] == "roles/iam.workloadIdentityUser"
        for member in binding["members"]
    ]
    wanted = f"/attribute.environment/{context.settings.github_environment or name}"
    strange = [member for member in members if not member.endswith(wanted)]
    yield Finding(
        subject=f"Google, {name}: {account}",
        state="missing" if strange or not members else "ok",
        says=f"may be used by {', '.join(strange) or 'nobody'}"
        if strange or not members
        else f"is had through {wanted[1:]} alone",
        mend=_binding_command(deployer, wanted, strange) if strange or not members else "",
    )


def bound_by(number: int, repository: str, main: str) -> list[str]:
    """What an attribute condition must hold: who, from where, by which workflow."""
    workflows = [f"'{repository}/.github/workflows/{file}@refs/heads/{main}'" for file in WORKFLOWS]
    return [f"assertion.repository_id == '{number}'", f"assertion.ref == 'refs/heads/{main}'", *workflows]


def condition_command(deployer: Deployer, number: int, repository: str, main: str) -> str:
    """The gcloud command that sets condition and mapping of the provider."""
    who, ref, *workflows = bound_by(number, repository, main)
    condition = f"{who} && {ref} && assertion.workflow_ref in [{', '.join(workflows)}]"
    mapping = "google.subject=assertion.sub,attribute.environment=assertion.environment,attribute.repository_id=assertion.repository_id"
    parts = deployer.workload_identity.removeprefix("//iam.googleapis.com/").split("/")
    pool, provider = parts[parts.index("workloadIdentityPools") + 1], parts[-1]
    return (
        f"gcloud iam workload-identity-pools providers update-oidc {provider} --project={parts[1]} --location=global "
        f"--workload-identity-pool={pool} --attribute-mapping={shlex.quote(mapping)} --attribute-condition={shlex.quote(condition)}"
    )


def _binding_command(deployer: Deployer, wanted: str, strange: Sequence[str]) -> str:
    pool = deployer.workload_identity.removeprefix("//").partition("/providers/")[0]
    base = (
        f"gcloud iam service-accounts {{}} {deployer.service_account} --role=roles/iam.workloadIdentityUser --member="
    )
    add = base.format("add-iam-policy-binding") + shlex.quote(f"principalSet://{pool}{wanted}")
    return " && ".join([add, *(base.format("remove-iam-policy-binding") + shlex.quote(each) for each in strange)])


def _repository_id(github: GitHub) -> int:
    return int(github.json("GET", f"/repos/{github.name}")["id"])


def _path(github: GitHub, environment: str) -> str:
    return f"/repos/{github.name}/environments/{quote(environment, safe='')}"
