"""The edges' one place to make a delivery from what a step or a terminal has at hand."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.delivery.context import Candidate, Delivery, settings_of
from pipelines.delivery.migrations.due import folder
from pipelines.errors import InputError

if TYPE_CHECKING:
    from pipelines.manifest import Manifest
    from pipelines.runtime import Runtime


def assemble(
    manifest: Manifest,
    environment: str,
    runtime: Runtime,
    *,
    token: str = "",
    vercel_token: str = "",
    vercel_bypass: str = "",
) -> Delivery:
    """A delivery; what is not passed is taken from GITHUB_TOKEN (GH_TOKEN), VERCEL_TOKEN and VERCEL_BYPASS. Raises InputError."""
    from pipelines.github import GitHub
    from pipelines.http import Http
    from pipelines.providers import Credentials

    settings = settings_of(manifest, environment)
    env = runtime.environ
    token = token or env.get("GITHUB_TOKEN", "") or env.get("GH_TOKEN", "")
    repository = env.get("GITHUB_REPOSITORY") or manifest.platform.repository
    api_url = env.get("GITHUB_API_URL") or "https://api.github.com"
    http = Http()
    return Delivery(
        manifest=manifest,
        environment=environment,
        runtime=runtime,
        http=http,
        credentials=Credentials(
            http=http,
            runtime=runtime,
            deployer=settings.deployer,
            vercel_token=vercel_token or env.get("VERCEL_TOKEN", ""),
            vercel_bypass=vercel_bypass or env.get("VERCEL_BYPASS", ""),
        ),
        github=GitHub(repository, token, api_url=api_url) if token else None,
    )


def candidate_of(delivery: Delivery, *, version: str, plan: str, artifacts: Mapping[str, str]) -> Candidate:
    """The candidate of the commit that is checked out. Raises InputError."""
    commit = head_commit(delivery.manifest.root)
    return Candidate(
        release=version or f"sha-{commit[:7]}",
        commit=commit,
        artifacts={name: reference for name, reference in artifacts.items() if reference},
        schema=highest_schema(delivery),
        plan=plan,
    )


def head_commit(root: Path) -> str:
    """The commit of the checkout: releases run the suite, manifest and migrations of their own commit."""
    asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        raise InputError(
            f"this is no git checkout: {asked.stderr.strip()}",
            where=str(root),
            next_step="check the release's commit out first (actions/checkout with ref)",
        )
    return asked.stdout.strip()


def highest_schema(delivery: Delivery) -> str:
    """The newest migration the checked-out release knows: `0003`, or `0000`."""
    numbers = ["0000"]
    for component in delivery.settings.targets:
        found = folder(delivery, component)
        if found is not None and found.is_dir():
            numbers += [file.name[:4] for file in found.glob("[0-9][0-9][0-9][0-9]_*.sql")]
    return max(numbers)
