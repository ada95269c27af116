"""`shipmate doctor`: what deliveries stand on outside the repository, and the command that fixes what lacks."""

from __future__ import annotations

import json as jsonlib
from typing import TYPE_CHECKING

import click

from pipelines.commands import options

if TYPE_CHECKING:
    from pipelines.findings import Finding
    from pipelines.manifest import Manifest
    from pipelines.runtime import Runtime

MARKS = {"ok": ("✓", "green"), "missing": ("✗", "red"), "unknown": ("?", "yellow")}


@click.command(
    "doctor",
    short_help="What deliveries stand on at GitHub, Google, Vercel, Sentry and the databases, and how to fix it.",
)
@options.environments()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(environments: tuple[str, ...], as_json: bool) -> None:
    """Look at everything that deliveries stand on outside the repository. Exit 6 when something lacks.

    GitHub: environments, reviewers, bypasses, rules of branches and tags, secrets, the merge queue. Google: the condition that lets jobs
    in, enabled APIs, roles, CPU. Vercel: protection, Git integration, root directory, domain, plan. Sentry: whether it takes source maps of
    sites. Databases: the kind of their addresses, and whether they can be reached. Without --environment, the accounts of the apps, too.
    docs/DEPLOYMENT.md lists all of it.

    Needs GITHUB_TOKEN of an administrator to see everything, access to Google for its part and that of the databases, VERCEL_TOKEN for
    Vercel's and SENTRY_AUTH_TOKEN for Sentry's (EXPO_TOKEN and APP_STORE_KEY for the apps'). What cannot be read is reported as unknown,
    never as good. Nothing is changed: each finding has the command that fixes it.

    Example: shipmate doctor --environment production
    """
    from pipelines.commands import terminal
    from pipelines.delivery import doctor
    from pipelines.errors import RefusedError
    from pipelines.manifest import load

    manifest = load()
    names = environments or tuple(manifest.environments)
    contexts = {name: terminal.context(manifest, name) for name in names}
    with terminal.busy("asking GitHub, Google, Vercel, Sentry and the databases"):
        found = [*doctor.examine(contexts), *_apps(manifest, next(iter(contexts.values())).runtime, environments)]
    missing = [finding for finding in found if finding.state == "missing"]
    if as_json:
        click.echo(jsonlib.dumps([finding.as_data() for finding in found], indent=2))
    else:
        for finding in found:
            sign, colour = MARKS[finding.state]
            click.echo(f"{click.style(sign, fg=colour)} {finding.subject}: {finding.says}")
            if finding.fix:
                click.echo(f"    {finding.fix}")
    if missing:
        raise RefusedError(
            f"{len(missing)} of {len(found)} things that deliveries stand on are missing",
            where=", ".join(dict.fromkeys(finding.subject for finding in missing)),
            next_step="the command below each fixes it; then run this again",
        )


def _apps(manifest: Manifest, runtime: Runtime, environments: tuple[str, ...]) -> list[Finding]:
    """The accounts of the apps, which belong to no environment: looked at when none is named."""
    from pipelines.mobile import accounts
    from pipelines.mobile.context import open_context

    if manifest.mobile is None or environments:
        return []
    return accounts.examine(open_context(manifest, runtime))
