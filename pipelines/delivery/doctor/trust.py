"""The condition by which Google lets jobs in, and who may become the accounts that deploy.

Sources: cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.delivery.doctor import mobile_environments
from pipelines.errors import ShipmateError
from pipelines.findings import Finding

if TYPE_CHECKING:
    from pipelines.delivery.context import Context
    from pipelines.github import GitHub
    from pipelines.manifest import Manifest
    from pipelines.manifest.mobile import PlayStore
    from pipelines.manifest.model import Deployer

WORKFLOWS = ("deploy-staging.yml", "deploy-production.yml", "rollback.yml", "performance.yml")
"""Whose jobs may become a deployer."""
IAM = "https://iam.googleapis.com/v1"
MAPPING = {
    "google.subject": "assertion.sub",
    "attribute.environment": "assertion.environment",
    "attribute.repository_id": "assertion.repository_id",
    "attribute.repository_owner_id": "assertion.repository_owner_id",
}
"""Attributes of the identity provider, each with the claim it is made of."""


def look(github: GitHub, manifest: Manifest, contexts: Mapping[str, Context]) -> list[Finding]:
    """Every finding about the accounts that jobs become: the deployer of each environment, and the one that releases on Google Play."""
    found: list[Finding] = []
    for name, context in contexts.items():
        if context.settings.deployer is not None:
            user = _User(
                name=name,
                deployer=context.settings.deployer,
                environments=(context.settings.github_environment or name,),
            )
            found += _google(github, manifest, user, context)
    if manifest.mobile is not None and manifest.mobile.android is not None:
        user = _of_play(manifest.mobile.android, manifest.mobile.promotion.environment)
        found += _google(github, manifest, user, next(iter(contexts.values())))
    return found


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
        condition = Condition.of(manifest, user.deployer, _repository(github))
        return [
            Finding(
                subject=f"Google, {user.name}",
                state="unknown",
                says=f"cannot be read here ({error.what})",
                fix=condition_command(user.deployer, condition),
            )
        ]


def _google_findings(github: GitHub, manifest: Manifest, user: _User, context: Context) -> Iterator[Finding]:
    from pipelines.providers.google_api import GoogleApi

    iam = GoogleApi(context.http, context.credentials.google, IAM)
    wanted = Condition.of(manifest, user.deployer, _repository(github))
    provider = iam.call("GET", user.deployer.workload_identity.removeprefix("//iam.googleapis.com/"))
    found = str(provider.get("attributeCondition", ""))
    lacks, subject = wanted.lacking(found), f"Google, {user.name}: attribute condition"
    mapped = provider.get("attributeMapping", {})
    others = [target for target, claim in MAPPING.items() if target != "google.subject" and mapped.get(target) != claim]
    if others:
        yield Finding(
            subject=f"Google, {user.name}: attribute mapping",
            state="missing",
            says=f"does not make {' and '.join(others)} of the claim of the same name",
            fix=condition_command(user.deployer, wanted),
        )
    if lacks:
        says = f"does not bind {' and '.join(lacks)}"
        yield Finding(subject=subject, state="missing", says=says, fix=condition_command(user.deployer, wanted))
    elif wanted.may_be_loose(found):
        says = "has alternatives that are not ours: one that lets in more cannot be determined from one that does not"
        yield Finding(subject=subject, state="unknown", says=says, fix=condition_command(user.deployer, wanted))
    else:
        yield Finding(subject=subject, state="ok", says="binds repository, owner, ref and workflow")
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
        fix = _binding_command(user.deployer, absent, strange)
        yield Finding(subject=f"Google, {user.name}: {account}", state="missing", says=says, fix=fix)
    else:
        had = f"is had through {' and '.join(way[1:] for way in ways)} alone"
        yield Finding(subject=f"Google, {user.name}: {account}", state="ok", says=had)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What an attribute condition must hold: whose repository, from where, by which workflow."""

    repository: str
    owner: str
    ref: str
    workflows: tuple[str, ...]
    by_tag: tuple[str, str] | None = None
    """Ref and workflow of releases of the apps, where the provider is theirs too."""

    @classmethod
    def of(cls, manifest: Manifest, deployer: Deployer, repository: Mapping[str, Any]) -> Condition:
        """`repository`: as GitHub answers it. Bound are its id, which nobody can take over as they could its name, and its owner's, so
        that a repository which is transferred deploys no more until this is set again."""
        main, at = manifest.release.main, f"{repository['full_name']}/.github/workflows"
        android = manifest.mobile.android if manifest.mobile is not None else None
        releases = android is not None and android.workload_identity == deployer.workload_identity
        files = (*WORKFLOWS, mobile_environments.PROMOTES) if releases else WORKFLOWS
        begin = f"refs/tags/{mobile_environments.tags(manifest).removesuffix('*')}"
        return cls(
            repository=f"assertion.repository_id == '{repository['id']}'",
            owner=f"assertion.repository_owner_id == '{repository['owner']['id']}'",
            ref=f"assertion.ref == 'refs/heads/{main}'",
            workflows=tuple(f"'{at}/{file}@refs/heads/{main}'" for file in files),
            by_tag=(
                f"assertion.ref.startsWith('{begin}')",
                f"assertion.workflow_ref.startsWith('{at}/{mobile_environments.WORKFLOW}@{begin}')",
            )
            if releases
            else None,
        )

    @property
    def text(self) -> str:
        deploys = f"{self.ref} && assertion.workflow_ref in [{', '.join(self.workflows)}]"
        if self.by_tag is None:
            return f"{self.repository} && {self.owner} && {deploys}"
        return f"{self.repository} && {self.owner} && (({deploys}) || ({' && '.join(self.by_tag)}))"

    def lacking(self, found: str) -> list[str]:
        """Parts that a condition does not have."""
        parts = (self.repository, self.owner, self.ref, *self.workflows, *(self.by_tag or ()))
        return [part for part in parts if part not in found]

    def may_be_loose(self, found: str) -> bool:
        """Whether a condition has an `or` and is not this one: all parts can be in it, and bind nothing."""
        return "||" in found and "".join(found.split()) != "".join(self.text.split())


def condition_command(deployer: Deployer, condition: Condition) -> str:
    """The gcloud command that sets condition and mapping of the provider."""
    mapping = ",".join(f"{target}={claim}" for target, claim in MAPPING.items())
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


def _repository(github: GitHub) -> Mapping[str, Any]:
    found: Mapping[str, Any] = github.json("GET", f"/repos/{github.name}")
    return found
