"""`shipmate release verify`: check a published release from outside."""

from __future__ import annotations

import click

from release.commands import console
from release.commands.options import context_options
from release.context import ReleaseContext


@click.command("verify", short_help="Check a published release from outside.")
@click.argument("version")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@context_options
def command(context: ReleaseContext, as_json: bool) -> None:
    """Fetch a release and check all it claims: tag, line, CI, version files, every file against its checksums, SBOMs, notes,
    provenance, pre-release or latest.

    Works outside a clone with --repository. Exits with 7 when anything does not hold.

    \b
    Examples:
      shipmate release verify v1.2.0
      shipmate release verify v1.2.0 --repository techmate/platform
    """
    from release.publishing.github_forge import GitHubForge
    from release.publishing.verify import require, verify

    tags = context.tag_format_in_use
    tag = context.tag
    with console.busy(f"checking {tag}"):
        forge, rules = GitHubForge(context.github()), context.rules
        findings = verify(forge, tag, rules, tags, context.component_in_use, leads=context.leads)
    if as_json:
        console.as_json({"tag": tag, "findings": [vars(finding) for finding in findings]})
    else:
        for finding in findings:
            mark = click.style("✓", fg="green") if finding.holds else click.style("✗", fg="red")
            click.echo(f"{mark} {finding.name}: {finding.says}")
    require(findings, tag)
