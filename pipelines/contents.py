"""Groups of commands that are a table of contents: a command is imported when it is named, and the table without importing any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A command: `module` has it as `command`."""

    module: str
    says: str
    chapter: str = "Commands"


class Contents(click.Group):
    """A group with the commands of `table`, name -> Entry, in its order."""

    def __init__(self, *given: Any, table: Mapping[str, Entry], **named: Any) -> None:
        super().__init__(*given, **named)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.table.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = import_module(entry.module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not ctx.resilient_parsing and args[0] not in self.table and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], self.table, n=1)
            ctx.fail(f"there is no command {args[0]!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for chapter in dict.fromkeys(entry.chapter for entry in self.table.values()):
            with formatter.section(chapter):
                formatter.write_dl([(name, each.says) for name, each in self.table.items() if each.chapter == chapter])
