"""`shipmate image`: assemble a component and keep it by digest."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")


@click.group("image", short_help="Assemble and push images and builds by digest.")
def command() -> None:
    """Assemble and push images and builds by digest."""


@command.command("build")
@click.argument("component")
@click.option(
    "--output", type=click.Path(path_type=Path), default=None, help="Write an OCI image layout into this folder."
)
@JSON
def build(component: str, output: Path | None, as_json: bool) -> None:
    """Assemble the image of a component of the checked-out commit; same input, same digest.

    Example: shipmate image build backend --output build/backend
    """
    from pipelines.commands import terminal
    from pipelines.delivery import building
    from pipelines.manifest import load

    with terminal.busy(f"assembling {component}"):
        built = building.assemble(load(), component, output)
    if as_json:
        click.echo(
            json.dumps({"component": component, "digest": built.digest, "output": str(output) if output else None})
        )
    else:
        click.echo(f"{component} {built.digest}" + (f" in {output}" if output else ""))


@command.command("push")
@click.argument("component")
@click.option("--environment", "-e", required=True, help="Whose credentials to push with.")
@JSON
def push(component: str, environment: str, as_json: bool) -> None:
    """Assemble and push a component (an image, or a site's build); prints host/path@sha256:…

    Example: shipmate image push backend --environment staging
    """
    from pipelines.commands import terminal
    from pipelines.delivery import building
    from pipelines.manifest import load

    delivery = terminal.delivery(load(), environment)
    delivery.runtime.stream = sys.stderr
    reference = building.build_and_push(delivery, component)
    click.echo(json.dumps({"component": component, "reference": reference}) if as_json else reference)
