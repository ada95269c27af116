"""The `shipmate` command: a table of contents; each entry is imported when it is used."""

from __future__ import annotations

import sys

import click

from pipelines.contents import Contents, Entry
from pipelines.errors import LocalError, ShipmateError, of_machine

OURS = ("actions", "e2e", "loadtests", "pipelines", "rehearsal", "release")
"""The packages of the suite: one that is missing among them is a bug."""

COMMANDS: dict[str, tuple[str, str, str]] = {
    # name: (module, chapter, what it does)
    "up": ("rehearsal.commands.up", "Rehearse", "Start the world on this machine and keep it up."),
    "down": ("rehearsal.commands.down", "Rehearse", "End the world that `up` keeps."),
    "rehearse": ("rehearsal.commands.rehearse", "Rehearse", "Rehearse a delivery and write the report."),
    "status": ("pipelines.commands.status", "Look", "What is live where, since when, by whom, from which run."),
    "plan": ("pipelines.commands.plan", "Look", "What a deployment would do, and what changed since what is live."),
    "doctor": (
        "pipelines.commands.doctor",
        "Look",
        "What deliveries stand on at GitHub, Google, Vercel and the databases, and how to fix it.",
    ),
    "smoke": ("pipelines.commands.smoke", "Look", "Check an environment from outside."),
    "loadtest": ("pipelines.commands.loadtest", "Look", "Whether the performance targets hold under load."),
    "deploy": ("pipelines.commands.deploy", "Act", "Deploy what was built, as the staging workflow does."),
    "rollback": ("pipelines.commands.rollback", "Act", "Take an environment back to an earlier release."),
    "freeze": ("pipelines.commands.freeze", "Act", "Let no delivery begin in an environment."),
    "thaw": ("pipelines.commands.thaw", "Act", "Let deliveries begin again."),
    "hold": ("pipelines.commands.hold", "Act", "Keep the delivery under way where it is."),
    "resume": ("pipelines.commands.resume", "Act", "Let a delivery that is held go on."),
    "mobile": ("pipelines.commands.mobile", "Act", "The apps: their roll-outs, updates, and where they stand."),
    "release": ("release.commands.cli", "Act", "Versions, changelog, notes and GitHub releases."),
    "migrate": ("pipelines.commands.migrate", "Act", "Apply database migrations."),
    "image": ("pipelines.commands.image", "Build", "Assemble and push images and builds by digest."),
    "ci": ("pipelines.commands.ci", "Build", "What CI runs for a change, here."),
    "manifest": ("pipelines.commands.manifest", "Build", "Check and explain shipmate.yml."),
    "completion": ("pipelines.commands.completion", "Build", "Completion of commands and their values, for a shell."),
    "lint": ("pipelines.commands.lint", "Build", "Every static check of this repository."),
}


@click.group(
    cls=Contents,
    table={
        name: Entry(module=module, chapter=chapter, says=says) for name, (module, chapter, says) in COMMANDS.items()
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: docs/TROUBLESHOOTING.md. Every command has --help with an example.",
)
@click.version_option(package_name="shipmate", message="shipmate %(version)s")
def shipmate() -> None:
    """Deliver the platform: from a pull request to production, proved there, and back."""


def main(argv: list[str] | None = None) -> None:
    """Entry point: refusals print what, where, why and next, and exit with their code; a bug shows its trace.

    With `--json` the last line of standard error is the error as JSON, in one shape for every command (docs/TROUBLESHOOTING.md).
    """
    as_json = "--json" in (sys.argv[1:] if argv is None else argv)
    try:
        code = shipmate.main(args=argv, standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        code = error.exit_code
        if as_json:
            _say_json("Wrong use", error.format_message(), code)
    except (click.Abort, KeyboardInterrupt):
        following = _after_interruption(argv if argv is not None else sys.argv[1:])
        click.echo("; ".join(filter(None, ("interrupted", following))), err=True)
        code = 130
        if as_json:
            _say_json("Interrupted", "interrupted", code, next_step=following)
    except ShipmateError as error:
        code = _refused(error, as_json)
    except BrokenPipeError:
        # `shipmate status | head` is no failure.
        sys.stderr.close()
        code = 0
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in OURS:
            raise
        code = _refused(_not_installed(error), as_json)
    except OSError as error:
        local = of_machine(error)
        if local is None:
            raise
        code = _refused(local, as_json)
    raise SystemExit(code)


def _after_interruption(argv: list[str]) -> str:
    """What to do next; nothing after what has nothing to finish."""
    _, chapter, _ = COMMANDS.get(next((word for word in argv if not word.startswith("-")), ""), ("", "", ""))
    return "run it again: it finishes what was started" if chapter == "Act" else ""


def _not_installed(error: ModuleNotFoundError) -> LocalError:
    """The package was installed without what this command needs besides."""
    return LocalError(
        f"the Python package {error.name!r} is not installed",
        where=sys.prefix,
        why="`shipmate rehearse`, `up` and `loadtest` need more than the other commands",
        next_step="pip install 'shipmate[rehearsal,loadtests]'; in a checkout: make setup",
    )


def _refused(error: ShipmateError, as_json: bool) -> int:
    """Say it; its exit code."""
    click.echo(f"{click.style(error.title, fg='red', bold=True)}: {error}", err=True)
    if as_json:
        _say_json(error.title, error.what, error.exit_code, error.where, error.why, error.next_step)
    return error.exit_code


def _say_json(title: str, what: str, code: int, where: str = "", why: str = "", next_step: str = "") -> None:
    """The error as one line of JSON; null for what is not known."""
    import json

    texts = {"title": title, "what": what, "where": where, "why": why, "next_step": next_step}
    click.echo(
        json.dumps({"error": {"exit_code": code, **{key: text or None for key, text in texts.items()}}}), err=True
    )


if __name__ == "__main__":
    main()
