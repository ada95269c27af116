"""Inputs that the delivering actions share, and the contexts they make."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.runtime import Input, Runtime

if TYPE_CHECKING:
    from pipelines.delivery.context import Context, Release
    from pipelines.delivery.plan import Plan
    from pipelines.github import GitHub

ENVIRONMENT = Input(name="environment", doc="Environment of shipmate.yml.", required=True)
COMPONENT = Input(name="component", doc="Component of shipmate.yml.", required=True)
TOKEN = Input(name="token", doc="GitHub token of the job.", required=True, secret=True)
VERCEL = (
    Input(name="vercel_token", doc="Vercel access token, where something lives on Vercel.", secret=True),
    Input(name="vercel_bypass", doc="Vercel's protection bypass secret, where previews are protected.", secret=True),
)
ALERTS = (
    Input(name="slack_webhook", doc="Slack incoming webhook.", secret=True),
    Input(name="smtp_user", doc="User at the mail server.", secret=True),
    Input(name="smtp_password", doc="Password at the mail server.", secret=True),
)
SOURCE = Input(name="source", doc="Folder with the release's own commit, checked out as data.", default="source")
PLAN = Input(name="plan", doc="SHA-256 of the plan; its document is in build/delivery, as the plan job uploaded it.")
APPROVED = (
    Input(name="approved_by", doc="Who approved the plan."),
    Input(name="approved_until", doc="Until when that counts, ISO 8601."),
)


def github(runtime: Runtime, token: str) -> GitHub:
    """The repository the job runs for, as its token sees it."""
    from pipelines.github import GitHub

    env = runtime.environ
    return GitHub(env["GITHUB_REPOSITORY"], token, api_url=env.get("GITHUB_API_URL") or "https://api.github.com")


def policy(runtime: Runtime, values: Mapping[str, str]) -> Context:
    """A context by the default branch alone: what is checked out in the workspace. Raises ManifestError, InputError."""
    from pipelines.delivery.context import open_context
    from pipelines.manifest import load

    return open_context(
        load(),
        values["environment"],
        runtime,
        token=values.get("token", ""),
        vercel_token=values.get("vercel_token", ""),
        vercel_bypass=values.get("vercel_bypass", ""),
        sentry_token=values.get("sentry_token", ""),
    )


def planned(runtime: Runtime, values: Mapping[str, str]) -> tuple[Context, Plan]:
    """The context of an approved plan, which is made again here and compared. Raises RefusedError, InputError, ManifestError.

    `approved_until` is given where a delivery begins: what was started in time is not ended by its approval growing old.
    """
    from datetime import UTC, datetime

    from pipelines.delivery import plan
    from pipelines.delivery.approval.gate import require_in_time
    from pipelines.delivery.context import WORK, Release

    document = plan.fetch(WORK)
    recorded = plan.read(document, values["plan"])
    if values.get("approved_until"):
        require_in_time(values["approved_until"], datetime.now(UTC))
    release = Release(
        name=recorded.release,
        commit=recorded.commit,
        artifacts=dict(recorded.artifacts),
        approved=values.get("approved_by", ""),
    )
    context = _releasing(runtime, values, release)
    made = plan.rebuild(context.manifest, context.environment, document, values["plan"])
    release.contracts = {each.component: each.contracts for each in made.facts}
    return context, made


def staged(runtime: Runtime, values: Mapping[str, str], artifacts: Mapping[str, str]) -> tuple[Context, Plan]:
    """The context of a commit that goes to an environment where nobody approves, with the plan made now.

    `artifacts`: component -> reference, of what was pushed. Raises InputError, ManifestError, RefusedError.
    """
    from pipelines.delivery import plan
    from pipelines.delivery.context import Release, short_name
    from pipelines.delivery.pipeline import STAGING
    from pipelines.delivery.planning import record

    commit = values["commit"]
    release = Release(name=short_name(commit), commit=commit, artifacts=dict(artifacts))
    context = _releasing(runtime, values, release)
    recorded = record(context, release.name, commit, artifacts)
    made = plan.make(context.manifest, context.environment, recorded, STAGING)
    release.contracts = {each.component: each.contracts for each in made.facts}
    return context, made


def _releasing(runtime: Runtime, values: Mapping[str, str], release: Release) -> Context:
    from pipelines.delivery.context import head_commit, open_context
    from pipelines.errors import RefusedError
    from pipelines.manifest import load

    source = Path(values["source"])
    found = head_commit(source)
    if found != release.commit:
        raise RefusedError(
            f"{found[:7]} is checked out, not {release.commit[:7]}",
            where=str(source),
            next_step="check the commit out that the plan names",
        )
    return open_context(
        load(),
        values["environment"],
        runtime,
        release=release,
        source=source,
        token=values.get("token", ""),
        vercel_token=values.get("vercel_token", ""),
        vercel_bypass=values.get("vercel_bypass", ""),
        sentry_token=values.get("sentry_token", ""),
    )
