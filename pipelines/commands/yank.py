"""`shipmate release yank`: withdraw a published release."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from pipelines.errors import ShipmateError
from release import console
from release.options import workplace_options
from release.workplace import Workplace


@click.command("yank", short_help="Withdraw a published release.")
@click.argument("version")
@click.option("--reason", required=True, help="Why, for everybody who looks at it.")
@click.option(
    "--instead", default="", metavar="VERSION", help="What to use instead; the highest release standing unless told."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@workplace_options
def command(workplace: Workplace, version: str, reason: str, instead: str, as_json: bool) -> None:
    """Mark VERSION as withdrawn, with the reason and what to use instead, and move `latest` to the right release.

    Nothing is deleted: tag, files and notes stay. Says where the version is live, and how to take it back.

    \b
    Example:
      shipmate release yank v1.2.0 --reason 'search returns notes of other users'
    """
    from release.github_forge import GitHubForge
    from release.yank import withdraw

    workplace.mean(version)
    tags = workplace.tag_format_in_use
    tag = tags.tag(tags.read(version))
    use = tags.tag(tags.read(instead)) if instead else ""
    with console.busy(f"withdrawing {tag}"):
        found = withdraw(
            GitHubForge(workplace.github()),
            tag,
            tags,
            reason=reason,
            instead=use,
            leads=workplace.leads,
            today=datetime.now(UTC).date().isoformat(),
            say=lambda text: console.aside(f"• {text}"),
        )
        live = _live(workplace, tag)
    if as_json:
        told = {"tag": tag, "instead": found.instead, "latest": found.latest, "done": list(found.done), "live": live}
        console.as_json({**told, "url": found.entry.url})
        return
    if not found.done:
        console.aside(f"{tag} was withdrawn already: nothing was changed")
    for environment, since in live.items():
        click.echo(f"{tag} is live in {environment} since {since}. Take it back with:")
        back = f" --to {found.instead}" if found.instead else ""
        click.echo(f"  shipmate rollback --environment {environment}{back}")
    if not live:
        click.echo(f"{tag} is live nowhere, by the ledger")
    click.echo(found.entry.url)


def _live(workplace: Workplace, tag: str) -> dict[str, str]:
    """Environments whose newest good deployment is this version -> since when, by the ledger."""
    from pipelines.delivery.ledger import Ledger

    ledger = Ledger(workplace.github())
    environments: list[Any] = list(workplace.manifest.environments) if workplace.manifest else ["production"]
    found: dict[str, str] = {}
    for environment in environments:
        try:
            record = ledger.live(environment)
        except ShipmateError as error:
            console.warn([f"the ledger of {environment} could not be read: {error.what}"])
            continue
        if record is not None and record.release == tag:
            found[environment] = record.events[0].at if record.events else record.at
    return found
