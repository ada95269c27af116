"""`shipmate deploy`: what the deploying jobs do, in one process, where nobody needs to approve."""

from __future__ import annotations

import click


@click.command("deploy", short_help="Deploy what was built, as the staging workflow does.")
@click.option("--environment", "-e", required=True, help="Which environment; one that needs approval is refused.")
@click.option("--release", required=True, help="Name of the release, like v1.2.0 or sha-1a2b3c4.")
@click.option("--artifact", "artifacts", multiple=True, help="component=host/path@sha256:… (may be repeated).")
@click.option(
    "--from-ledger", "source", default=None, help="Take the artifacts that are live in this environment, by the ledger."
)
def command(environment: str, release: str, artifacts: tuple[str, ...], source: str | None) -> None:
    """Stage, verify, shift, prove and settle a release of the checked-out commit. Killed anywhere, the same command finishes it.

    Example: shipmate deploy -e staging --release sha-1a2b3c4 --artifact backend=host/backend@sha256:… --artifact web=host/web@sha256:…
    """
    from pipelines.commands import terminal
    from pipelines.errors import RefusedError
    from pipelines.flows import staging
    from pipelines.manifest import load

    delivery = terminal.delivery(load(), environment)
    if delivery.settings.approval is not None:
        raise RefusedError(
            f"{environment} needs an approval, and a terminal cannot ask for one",
            where="shipmate deploy",
            next_step="dispatch *Deploy to Production*; on-call breaks the glass there too, and it is recorded",
        )
    wanted = staging.references(delivery, dict(a.split("=", 1) for a in artifacts if "=" in a), source)
    done = staging.deploy(delivery, release, wanted)
    click.echo(f"{release} is live in {environment}; {len(done)} steps in {sum(d.seconds for d in done):.1f} s")
