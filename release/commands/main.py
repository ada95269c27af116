"""The command run alone: refusals print what, where, why and next, and exit with their code; a bug shows its trace."""

from __future__ import annotations

import sys

import click

from pipelines.errors import ShipmateError
from release.commands.cli import command


def main(argv: list[str] | None = None) -> None:
    try:
        code = command.main(args=argv, prog_name="shipmate release", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; run it again: it finishes what was started", err=True)
        code = 130
    except ShipmateError as error:
        click.echo(f"{click.style(error.title, fg='red', bold=True)}: {error}", err=True)
        code = error.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    raise SystemExit(code)
