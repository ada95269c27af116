"""`shipmate release`: a table of contents; each command is imported when it is used. Runs alone as `python -m release`."""

from __future__ import annotations

import gc

import click

from pipelines.contents import Contents, Entry
from release.commands.console import FOLDER

COMMANDS = {
    "next": "The next version, and why.",
    "bump": "Write the version into every version file.",
    "changelog": "CHANGELOG.md, for those who use it.",
    "notes": "The notes of a release.",
    "plan": "What publishing would do, and whether it may.",
    "assets": "SBOMs, checksums and notes, as files.",
    "publish": "Publish the release on GitHub; finishes what was started.",
    "verify": "Check a published release from outside.",
    "yank": "Withdraw a published release.",
}

ELSEWHERE = {"yank": "pipelines.commands.yank"}
"""A command that needs more than releases: what is live, and the providers' marks."""


@click.group(
    "release",
    cls=Contents,
    table={
        name: Entry(module=ELSEWHERE.get(name, f"release.commands.{name}"), says=says)
        for name, says in COMMANDS.items()
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Guide and exit codes: docs/RELEASES.md. Every command works in any git repository and has --help with examples.",
)
@click.option("-C", "folder", default=".", metavar="DIR", help="The repository, as in git; also behind the command.")
@click.pass_context
def command(context: click.Context, folder: str) -> None:
    """Versions, changelog, notes and GitHub releases."""
    context.meta[FOLDER] = folder
    # A command lives for a second and makes hundreds of thousands of small tuples: looking for cycles among them costs a fifth of it.
    gc.disable()
