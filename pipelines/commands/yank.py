"""`shipmate release yank`: withdraw a published release."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import click

from pipelines.errors import ShipmateError
from release.commands import console
from release.commands.options import context_options
from release.context import ReleaseContext


@click.command("yank", short_help="Withdraw a published release.")
@click.argument("version")
@click.option("--reason", required=True, help="Why, for everybody who looks at it.")
@click.option(
    "--instead", default="", metavar="VERSION", help="What to use instead; the highest release standing by default."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@context_options
def command(context: ReleaseContext, reason: str, instead: str, as_json: bool) -> None:
    """Mark VERSION as withdrawn, with the reason and what to use instead, and move `latest` to the right release.

    Nothing is deleted: tag, files and notes stay. Says where the version is live, and how to roll it back.

    \b
    Example:
      shipmate release yank v1.2.0 --reason 'search returns notes of other users'
    """
    from release.publishing.github_forge import GitHubForge
    from release.publishing.yank import withdraw

    tags = context.tag_format_in_use
    tag = context.tag
    use = tags.tag(tags.read(instead)) if instead else ""
    with console.busy(f"withdrawing {tag}"):
        found = withdraw(
            GitHubForge(context.github()),
            tag,
            tags,
            reason=reason,
            instead=use,
            leads=context.leads,
            today=datetime.now(UTC).date().isoformat(),
            say=lambda text: console.aside(f"• {text}"),
        )
        live = _mark(context, tag, reason)
    if as_json:
        values = {"tag": tag, "instead": found.instead, "latest": found.latest, "done": list(found.done), "live": live}
        console.as_json({**values, "url": found.entry.url})
        return
    if not found.done:
        console.aside(f"{tag} was withdrawn already: nothing was changed")
    for environment, since in live.items():
        click.echo(f"{tag} is live in {environment} since {since}. Roll it back with:")
        back = f" --to {found.instead}" if found.instead else ""
        click.echo(f"  shipmate rollback --environment {environment}{back}")
    if not live:
        click.echo(f"{tag} is live nowhere that could be reached")
    click.echo(found.entry.url)


def _mark(release: ReleaseContext, tag: str, reason: str) -> dict[str, str]:
    """Write the withdrawal into the marks of every environment's providers, so that a rollback without GitHub knows it; where it is live
    now: environment -> since when. What cannot be reached is reported, and can be marked by running the same command again."""
    from pipelines.delivery.context import open_context
    from pipelines.runtime import Runtime

    found: dict[str, str] = {}
    manifest = release.manifest
    if manifest is None:
        return found
    for environment in manifest.environments:
        context = open_context(manifest, environment, Runtime(environ=release.environ))
        for component in context.settings.targets:
            try:
                host = context.host(component)
                live = host.live()
                if any(d.identity and d.identity.release == tag for d in live.deployments):
                    host.mark(lambda marks: replace(marks, withdrawn={**marks.withdrawn, tag: reason}))
            except ShipmateError as error:
                console.warn(
                    [f"{component} in {environment} was not marked ({error.what}): run this again with access to it"]
                )
                continue
            serving = next((d for d in live.serving() if d.identity and d.identity.release == tag), None)
            if serving is not None:
                found.setdefault(environment, serving.created)
    return found
