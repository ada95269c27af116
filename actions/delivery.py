"""Inputs that the delivering actions share, and the delivery they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelines.runtime import Input, Runtime

if TYPE_CHECKING:
    from pipelines.delivery.context import Candidate, Delivery
    from pipelines.github import GitHub

ENVIRONMENT = Input(name="environment", doc="Environment of shipmate.yml.", required=True)
TOKEN = Input(name="token", doc="GitHub token of the job.", required=True, secret=True)
VERCEL = (
    Input(name="vercel_token", doc="Vercel access token.", required=True, secret=True),
    Input(name="vercel_bypass", doc="Vercel's protection bypass secret, where previews are protected.", secret=True),
)
CANDIDATE = (
    Input(name="version", doc="Release to deploy, like v1.0.0; empty on staging, where the commit names it."),
    Input(name="digest", doc="Digest of the approved plan; empty where nobody approves."),
    Input(name="backend", doc="Backend image by digest (host/path@sha256:…).", required=True),
    Input(name="web", doc="Web build by digest (host/path@sha256:…).", required=True),
)


def github(runtime: Runtime, token: str) -> GitHub:
    """The repository the job runs for, as its token sees it."""
    from pipelines.github import GitHub

    env = runtime.environ
    return GitHub(env["GITHUB_REPOSITORY"], token, api_url=env.get("GITHUB_API_URL") or "https://api.github.com")


def delivery(runtime: Runtime, values: Mapping[str, str]) -> Delivery:
    """The delivery these inputs describe. Raises ManifestError, InputError."""
    from pipelines.delivery.assembly import assemble
    from pipelines.manifest import load

    return assemble(
        load(),
        values["environment"],
        runtime,
        token=values.get("token", ""),
        vercel_token=values.get("vercel_token", ""),
        vercel_bypass=values.get("vercel_bypass", ""),
    )


def candidate(delivered: Delivery, values: Mapping[str, str]) -> Candidate:
    """The candidate these inputs name."""
    from pipelines.delivery.assembly import candidate_of

    return candidate_of(
        delivered,
        version=values["version"],
        plan=values["digest"],
        artifacts={"backend": values["backend"], "web": values["web"]},
    )
