"""`shipmate deploy`: what the deploying jobs do, in one process, where nobody needs to approve."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

import click

from pipelines.commands import options


def named(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Component -> reference. Raises a usage error for what is no pair."""
    for artifact in given:
        if "=" not in artifact:
            raise click.BadParameter(f"{artifact!r} is not component=host/path@sha256:…")
    return dict(artifact.split("=", 1) for artifact in given)


@click.command("deploy", short_help="Deploy what was built, as the staging workflow does.")
@options.environment("Which environment; one that needs approval is refused.")
@click.option("--release", required=True, help="Name of the release, like v1.2.0 or sha-1a2b3c4.")
@click.option(
    "--artifact", "artifacts", multiple=True, callback=named, help="component=host/path@sha256:… (may be repeated)."
)
@click.option(
    "--from",
    "--from-ledger",
    "source",
    default=None,
    help="Take the artifacts that are live in this environment, by its providers.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(environment: str, release: str, artifacts: Mapping[str, str], source: str | None, as_json: bool) -> None:
    """Deploy a release of the checked-out commit: staged, verified, live, checked, marked as stable. Killed anywhere, the same command
    finishes it.

    Example: shipmate deploy -e staging --release sha-1a2b3c4 --artifact backend=host/backend@sha256:… --artifact web=host/web@sha256:…
    """
    from pipelines.commands import terminal
    from pipelines.delivery import direct
    from pipelines.errors import RefusedError
    from pipelines.manifest import load

    context = terminal.context(load(), environment)
    if as_json:
        context.runtime.stream = sys.stderr
    if context.settings.approval is not None:
        raise RefusedError(
            f"{environment} needs an approval, and a terminal cannot ask for one",
            where="shipmate deploy",
            next_step="dispatch *Deploy to Production*; on-call breaks the glass there too, and it is recorded",
        )
    terminal.require_access(context)
    wanted = direct.references(context, artifacts, source)
    done = direct.deploy(context, release, wanted)
    seconds = sum(d.seconds for d in done)
    if as_json:
        steps = [
            {"component": d.step.component, "does": d.step.says, "result": d.text, "seconds": d.seconds} for d in done
        ]
        facts = {
            "environment": environment,
            "release": release,
            "artifacts": wanted,
            "steps": steps,
            "seconds": seconds,
        }
        click.echo(json.dumps(facts))
    else:
        click.echo(f"{release} is live in {environment}; {len(done)} steps in {seconds:.1f} s")
