"""The `shipmate` command: a table of contents; each entry is imported when it is used."""

from __future__ import annotations

from collections.abc import Sequence

import click

from pipelines import entry_point
from pipelines.contents import Contents, Entry

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
        "What deliveries stand on at GitHub, Google, Vercel, Sentry and the databases, and how to fix it.",
    ),
    "smoke": ("pipelines.commands.smoke", "Look", "Check an environment from outside."),
    "loadtest": ("pipelines.commands.loadtest", "Look", "Whether the performance targets hold under load."),
    "deploy": ("pipelines.commands.deploy", "Act", "Deploy what was built, as the staging workflow does."),
    "rollback": ("pipelines.commands.rollback", "Act", "Roll an environment back to an earlier release."),
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
    """Entry point (entry_point.py): exits with the command's code."""
    raise SystemExit(entry_point.run(shipmate, argv, after_interruption=_after_interruption))


def _after_interruption(argv: Sequence[str]) -> str:
    """What to do next; nothing after what has nothing to finish."""
    _, chapter, _ = COMMANDS.get(next((word for word in argv if not word.startswith("-")), ""), ("", "", ""))
    return entry_point.AGAIN if chapter == "Act" else ""


if __name__ == "__main__":
    main()
