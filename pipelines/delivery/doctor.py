"""Look at everything the trust stands on, with an administrator's token: what a job's token cannot read, and what stands at Google.

Each finding has the command that fixes it. Nothing is changed.
Sources: docs.github.com/rest/deployments/environments, …/actions/secrets, …/repos/rules;
cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelines.delivery import apps, protection
from pipelines.delivery.context import Context, require_github
from pipelines.errors import CredentialsError, ProviderError, ShipmateError
from pipelines.findings import Finding

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.manifest import Manifest
    from pipelines.manifest.mobile import PlayStore
    from pipelines.manifest.model import Deployer, Environment

WORKFLOWS = ("deploy-staging.yml", "deploy-production.yml", "rollback.yml", "performance.yml")
"""Whose jobs may become a deployer."""
OURS = (
    "VERCEL_TOKEN", "VERCEL_BYPASS", "SENTRY_READ_TOKEN", "SLACK_WEBHOOK", "SMTP_USER", "SMTP_PASSWORD", *apps.SECRETS,
)  # fmt: skip
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
    found += _guarded("environments of the apps", lambda: list(apps.look(github, manifest)))
    found += _guarded("secrets of the repository", lambda: list(_repository_secrets(github)))
    found += _guarded("other environments", lambda: list(_strangers(github, manifest)))
    for name, context in contexts.items():
        if context.settings.deployer is not None:
            user = _User(
                name=name,
                deployer=context.settings.deployer,
                environments=(context.settings.github_environment or name,),
            )
            found += _google(github, manifest, user, context)
    if manifest.mobile is not None and manifest.mobile.android is not None:
        found += _google(
            github, manifest, _of_play(manifest.mobile.android, manifest.mobile.promotion.environment), first
        )
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
        if [rule["type"] for rule in raw.get("rules", ())] == ["creation"]:
            continue  # whoever bypasses it is who may make what it is about
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
    } | set(apps.environments_of(manifest))
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


@dataclass(frozen=True, kw_only=True)
class _User:
    """Jobs that become an account at Google, and the GitHub environments that they are known by."""

    name: str
    deployer: Deployer
    environments: tuple[str, ...]


def _of_play(settings: PlayStore, promotes: str) -> _User:
    from pipelines.manifest.model import Deployer

    deployer = Deployer(workload_identity=settings.workload_identity, service_account=settings.service_account)
    return _User(name="the apps", deployer=deployer, environments=(settings.environment, promotes))


def _google(github: GitHub, manifest: Manifest, user: _User, context: Context) -> list[Finding]:
    """The condition of the identity provider, and who may become the account."""
    try:
        return list(_google_findings(github, manifest, user, context))
    except ShipmateError as error:
        condition = Condition.of(manifest, user.deployer, _repository_id(github), github.name)
        return [
            Finding(
                subject=f"Google, {user.name}",
                state="unknown",
                says=f"cannot be read here ({error.what})",
                mend=condition_command(user.deployer, condition),
            )
        ]


def _google_findings(github: GitHub, manifest: Manifest, user: _User, context: Context) -> Iterator[Finding]:
    from pipelines.providers.google_api import GoogleApi

    iam = GoogleApi(context.http, context.credentials.google, IAM)
    wanted = Condition.of(manifest, user.deployer, _repository_id(github), github.name)
    provider = iam.call("GET", user.deployer.workload_identity.removeprefix("//iam.googleapis.com/"))
    found = str(provider.get("attributeCondition", ""))
    lacks, subject = wanted.lacking(found), f"Google, {user.name}: attribute condition"
    if lacks:
        says = f"does not bind {' and '.join(lacks)}"
        yield Finding(subject=subject, state="missing", says=says, mend=condition_command(user.deployer, wanted))
    elif wanted.may_be_loose(found):
        says = "has alternatives that are not ours: one that lets in more cannot be told from one that does not"
        yield Finding(subject=subject, state="unknown", says=says, mend=condition_command(user.deployer, wanted))
    else:
        yield Finding(subject=subject, state="ok", says="binds repository, ref and workflow")
    account = user.deployer.service_account
    policy = iam.call("POST", f"projects/-/serviceAccounts/{account}:getIamPolicy", body={})
    members = [
        member
        for binding in policy.get("bindings", ())
        if binding["role"] == "roles/iam.workloadIdentityUser"
        for member in binding["members"]
    ]
    ways = [f"/attribute.environment/{each}" for each in user.environments]
    strange = [member for member in members if not member.endswith(tuple(ways))]
    absent = [way for way in ways if not any(member.endswith(way) for member in members)]
    if strange or absent:
        says = (
            f"may be used by {', '.join(strange)}"
            if strange
            else f"may not be used by {', '.join(w[1:] for w in absent)}"
        )
        if not members:
            says = "may be used by nobody"
        mend = _binding_command(user.deployer, absent, strange)
        yield Finding(subject=f"Google, {user.name}: {account}", state="missing", says=says, mend=mend)
    else:
        had = f"is had through {' and '.join(way[1:] for way in ways)} alone"
        yield Finding(subject=f"Google, {user.name}: {account}", state="ok", says=had)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What an attribute condition must hold: who, from where, by which workflow."""

    who: str
    ref: str
    workflows: tuple[str, ...]
    by_tag: tuple[str, str] | None = None
    """Ref and workflow of releases of the apps, where the provider is theirs too."""

    @classmethod
    def of(cls, manifest: Manifest, deployer: Deployer, number: int, repository: str) -> Condition:
        """`number`: the repository's, which nobody can take over as they could its name."""
        main, at = manifest.release.main, f"{repository}/.github/workflows"
        android = manifest.mobile.android if manifest.mobile is not None else None
        releases = android is not None and android.workload_identity == deployer.workload_identity
        files = (*WORKFLOWS, apps.PROMOTES) if releases else WORKFLOWS
        begin = f"refs/tags/{apps.tags(manifest).removesuffix('*')}"
        return cls(
            who=f"assertion.repository_id == '{number}'",
            ref=f"assertion.ref == 'refs/heads/{main}'",
            workflows=tuple(f"'{at}/{file}@refs/heads/{main}'" for file in files),
            by_tag=(
                f"assertion.ref.startsWith('{begin}')",
                f"assertion.workflow_ref.startsWith('{at}/{apps.WORKFLOW}@{begin}')",
            )
            if releases
            else None,
        )

    @property
    def text(self) -> str:
        deploys = f"{self.ref} && assertion.workflow_ref in [{', '.join(self.workflows)}]"
        if self.by_tag is None:
            return f"{self.who} && {deploys}"
        return f"{self.who} && (({deploys}) || ({' && '.join(self.by_tag)}))"

    def lacking(self, found: str) -> list[str]:
        """Parts that a condition does not have."""
        return [part for part in (self.who, self.ref, *self.workflows, *(self.by_tag or ())) if part not in found]

    def may_be_loose(self, found: str) -> bool:
        """Whether a condition has an `or` and is not this one: all parts can be in it, and bind nothing."""
        return "||" in found and "".join(found.split()) != "".join(self.text.split())


def condition_command(deployer: Deployer, condition: Condition) -> str:
    """The gcloud command that sets condition and mapping of the provider."""
    mapping = "google.subject=assertion.sub,attribute.environment=assertion.environment,attribute.repository_id=assertion.repository_id"
    parts = deployer.workload_identity.removeprefix("//iam.googleapis.com/").split("/")
    pool, provider = parts[parts.index("workloadIdentityPools") + 1], parts[-1]
    return (
        f"gcloud iam workload-identity-pools providers update-oidc {provider} --project={parts[1]} --location=global "
        f"--workload-identity-pool={pool} --attribute-mapping={shlex.quote(mapping)} --attribute-condition={shlex.quote(condition.text)}"
    )


def _binding_command(deployer: Deployer, absent: Sequence[str], strange: Sequence[str]) -> str:
    pool = deployer.workload_identity.removeprefix("//").partition("/providers/")[0]
    base = (
        f"gcloud iam service-accounts {{}} {deployer.service_account} --role=roles/iam.workloadIdentityUser --member="
    )
    added = [base.format("add-iam-policy-binding") + shlex.quote(f"principalSet://{pool}{way}") for way in absent]
    return " && ".join([*added, *(base.format("remove-iam-policy-binding") + shlex.quote(each) for each in strange)])


def _repository_id(github: GitHub) -> int:
    return int(github.json("GET", f"/repos/{github.name}")["id"])


def _path(github: GitHub, environment: str) -> str:
    return f"/repos/{github.name}/environments/{quote(environment, safe='')}"
