"""Where a command line begins and ends: output that any terminal can show, refusals in one shape, exit codes; a bug shows its trace.

With `--json` the last line of standard error is the error as JSON, in one shape for every command (docs/TROUBLESHOOTING.md).
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence

import click

from pipelines.errors import LocalError, ShipmateError, of_machine

OURS = ("actions", "e2e", "loadtests", "pipelines", "rehearsal", "release")
"""The packages of the suite: one that is missing among them is a bug."""
AGAIN = "run it again: it finishes what was started"


def run(
    command: click.Command,
    argv: Sequence[str] | None,
    *,
    name: str | None = None,
    after_interruption: Callable[[Sequence[str]], str] = lambda _: AGAIN,
) -> int:
    """Run a command: its exit code. Refusals print what, where, why and next; a bug is raised."""
    escape_what_cannot_be_shown()
    arguments = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in arguments
    try:
        return command.main(args=arguments, prog_name=name, standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        title, following = getattr(error, "title", "Wrong use"), getattr(error, "next_step", "") or _help(error)
        what = error.format_message() if title == "Wrong use" else error.message
        return _ended(as_json, title, what, error.exit_code, next_step=following)
    except (click.Abort, KeyboardInterrupt):
        following = after_interruption(arguments)
        click.echo("; ".join(filter(None, ("interrupted", following))), err=True)
        return _ended(as_json, "Interrupted", "interrupted", 130, next_step=following)
    except ShipmateError as error:
        return _refused(error, as_json)
    except BrokenPipeError:
        # `shipmate status | head` is no failure.
        sys.stderr.close()
        return 0
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in OURS:
            raise
        return _refused(_not_installed(error), as_json)
    except OSError as error:
        local = of_machine(error)
        if local is None:
            raise
        return _refused(local, as_json)


def escape_what_cannot_be_shown() -> None:
    """Let text come out that the terminal's encoding lacks: commits and folders hold emoji, and a Windows console may have none."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _help(error: click.ClickException) -> str:
    """Where the command says how it is used; empty when it was used as it says."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{context.command_path} --help" if context is not None else ""


def _not_installed(error: ModuleNotFoundError) -> LocalError:
    """The package was installed without what this command needs besides."""
    return LocalError(
        f"the Python package {error.name!r} is not installed",
        where=sys.prefix,
        why="`shipmate rehearse`, `up` and `loadtest` need more than the other commands",
        next_step="pip install 'shipmate[rehearsal,loadtests]'; in a checkout: make setup",
    )


def _refused(error: ShipmateError, as_json: bool) -> int:
    click.echo(f"{click.style(error.title, fg='red', bold=True)}: {error}", err=True)
    return _ended(as_json, error.title, error.what, error.exit_code, error.where, error.why, error.next_step)


def _ended(as_json: bool, title: str, what: str, code: int, where: str = "", why: str = "", next_step: str = "") -> int:
    """The exit code, after the error as one line of JSON when asked for; null for what is not known."""
    if as_json:
        import json

        texts = {"title": title, "what": what, "where": where, "why": why, "next_step": next_step}
        found = {"exit_code": code, **{key: text or None for key, text in texts.items()}}
        click.echo(json.dumps({"error": found}), err=True)
    return code
