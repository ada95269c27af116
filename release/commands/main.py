"""The command run alone, as `shipmate release` runs it."""

from __future__ import annotations

from pipelines import entry_point
from release.commands.cli import command


def main(argv: list[str] | None = None) -> None:
    raise SystemExit(entry_point.run(command, argv, name="shipmate release"))
