"""`shipmate image`: assemble a component and keep it by digest."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("image", short_help="Assemble and push images and builds by digest.")
def command() -> None:
    """Assemble and push images and builds by digest."""


@command.command("build")
@click.argument("component")
@click.option(
    "--output", type=click.Path(path_type=Path), default=None, help="Write an OCI image layout into this folder."
)
def build(component: str, output: Path | None) -> None:
    """Assemble the image of a component of the checked-out commit; same input, same digest.

    Example: shipmate image build backend --output build/backend
    """
    from pipelines.commands import terminal
    from pipelines.flows import building
    from pipelines.manifest import load

    with terminal.busy(f"assembling {component}"):
        built = building.assemble(load(), component, output)
    click.echo(f"{component} {built.digest}" + (f" in {output}" if output else ""))


@command.command("push")
@click.argument("component")
@click.option("--environment", "-e", required=True, help="Whose credentials to push with.")
def push(component: str, environment: str) -> None:
    """Assemble and push a component (an image, or a site's build); prints host/path@sha256:…

    Example: shipmate image push backend --environment staging
    """
    from pipelines.commands import terminal
    from pipelines.flows import building
    from pipelines.manifest import load

    click.echo(building.build_and_push(terminal.delivery(load(), environment), component))
