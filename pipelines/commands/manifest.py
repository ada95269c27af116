"""`shipmate manifest`: check and explain shipmate.yml."""

from __future__ import annotations

import json
from pathlib import Path

import click

SCHEMA = Path("docs/shipmate.schema.json")
REFERENCE = Path("docs/MANIFEST.md")


@click.group("manifest", short_help="Check and explain shipmate.yml.")
def command() -> None:
    """Check and explain shipmate.yml."""


@command.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def check(file: Path | None, as_json: bool) -> None:
    """Check a manifest: every mistake with file, line and key.

    Example: shipmate manifest check
    """
    from pipelines.manifest import load

    manifest = load(file)
    if as_json:
        names = {part: list(getattr(manifest, part)) for part in ("components", "environments")}
        told = {"file": str(manifest.file), **names, "checks": list(manifest.ci.checks)}
        click.echo(json.dumps(told, indent=2))
        return
    environments = ", ".join(manifest.environments)
    click.echo(
        f"{manifest.file}: {len(manifest.components)} components, environments {environments}, {len(manifest.ci.checks)} CI checks"
    )


@command.command("schema")
@click.option("--write", is_flag=True, help=f"Write {SCHEMA} instead of printing.")
def schema(write: bool) -> None:
    """The JSON schema of the manifest, made from its types.

    Example: shipmate manifest schema --write
    """
    from pipelines.manifest.schema import json_schema

    _print_or_write(json.dumps(json_schema(), indent=2) + "\n", SCHEMA if write else None)


@command.command("docs")
@click.option("--write", is_flag=True, help=f"Write {REFERENCE} instead of printing.")
def docs(write: bool) -> None:
    """The reference page of the manifest, made from its types.

    Example: shipmate manifest docs | less
    """
    from pipelines.manifest.schema import reference

    _print_or_write(reference(), REFERENCE if write else None)


def _print_or_write(text: str, target: Path | None) -> None:
    if target is None:
        click.echo(text, nl=False)
        return
    from pipelines.manifest import find

    path = find(Path.cwd()).parent / target
    path.write_text(text)
    click.echo(f"wrote {target}")
