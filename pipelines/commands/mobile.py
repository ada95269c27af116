"""`shipmate mobile`: what is done with the apps after a tag has brought them to their testers."""

from __future__ import annotations

import click

from pipelines.contents import Contents, Entry

COMMANDS = {
    "status": "Which version is where, for how many, and how it does.",
    "promote": "Bring a delivered version to more people.",
    "halt": "Stop a roll-out where it is.",
    "resume": "Let a halted roll-out go on.",
    "update": "Change the app over the air, for a share of the devices.",
    "rollback": "Roll back an update over the air.",
}


@click.group(
    "mobile",
    cls=Contents,
    table={name: Entry(module=f"pipelines.commands.mobile_{name}", says=says) for name, says in COMMANDS.items()},
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Guide: docs/MOBILE.md. Every command has --help with an example.",
)
def command() -> None:
    """The apps in the stores. A tag like mobile-v1.0.1 brings them to their testers."""
