"""`shipmate image`: assemble a component and keep it by digest."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from pipelines.commands import options

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
    """Build a component of the checked-out commit (an image, or a site's files); same input, same digest.

    Example: shipmate image build backend --output build/backend
    """
    import tempfile

    from pipelines.ci import artifacts
    from pipelines.commands import terminal
    from pipelines.delivery.context import head_commit
    from pipelines.http import Http
    from pipelines.manifest import load
    from pipelines.runtime import Runtime

    manifest = load()
    with tempfile.TemporaryDirectory(prefix="shipmate-") as folder, terminal.busy(f"building {component}"):
        layout = output or Path(folder) / "layout"
        runtime, commit = Runtime(stream=sys.stderr), head_commit(manifest.root)
        digest = artifacts.build(manifest, component, commit, layout, http=Http(), runtime=runtime)
    if as_json:
        click.echo(json.dumps({"component": component, "digest": digest, "output": str(output) if output else None}))
    else:
        click.echo(f"{component} {digest}" + (f" in {output}" if output else ""))


@command.command("push")
@click.argument("component")
@options.environment("Whose credentials to push with.")
@JSON
def push(component: str, environment: str, as_json: bool) -> None:
    """Assemble and push a component (an image, or a site's build); prints host/path@sha256:…

    Example: shipmate image push backend --environment staging
    """
    import tempfile

    from pipelines.ci import artifacts
    from pipelines.commands import terminal
    from pipelines.delivery.context import head_commit
    from pipelines.manifest import load

    context = terminal.context(load(), environment)
    context.runtime.stream = sys.stderr
    manifest, commit = context.manifest, head_commit(context.manifest.root)
    with tempfile.TemporaryDirectory(prefix="shipmate-") as folder:
        layout = Path(folder) / "layout"
        artifacts.build(manifest, component, commit, layout, http=context.http, runtime=context.runtime)
        reference = artifacts.push(
            manifest, component, commit, layout, http=context.http, credentials=context.credentials
        )
    click.echo(json.dumps({"component": component, "reference": reference}) if as_json else reference)
