"""What every command has: its line, EAS, the app around it, and where its words go."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rehearsal.eas import requirements
from rehearsal.eas.api import Api
from rehearsal.eas.command_line import BOTH, Call
from rehearsal.eas.project import Project, find
from rehearsal.eas.refusal import Failed

LONGEST = 1024
"""Of a message; what is longer is cut."""


class Mismatch(Failed):
    """The app says that it is another one than its id says."""

    def __init__(self, text: str) -> None:
        super().__init__(f"Project config: {text}. Learn more: https://expo.fyi/eas-project-id")


@dataclass(kw_only=True)
class Output:
    """Once JSON is on, stdout is for it alone. Before that, and so for a wrong command line, words go to stdout also with --json."""

    json: bool = False

    def say(self, text: str) -> None:
        """A line for people."""
        (sys.stderr if self.json else sys.stdout).write(f"{text}\n")

    def spin(self, text: str) -> None:
        """What a spinner shows."""
        sys.stderr.write(f"{text}\n")

    def result(self, value: Any) -> None:
        """The JSON: without nulls, so a missing key is one."""
        sys.stdout.write(f"{json.dumps(without_nulls(value), indent=2, ensure_ascii=False)}\n")


@dataclass(kw_only=True)
class Session:
    """One run of a command."""

    call: Call
    api: Api
    folder: Path
    output: Output = field(default_factory=Output)

    @cached_property
    def project(self) -> Project:
        """The app in the folder. Raises Failed."""
        found = find(self.folder)
        requirements.version_of_cli(found)
        return found

    @cached_property
    def app(self) -> dict[str, Any]:
        """What EAS knows under the app's id; that the app agrees is looked at, as the real one does. Raises Failed."""
        known: dict[str, Any] = self.api.ask("project", project=self.project.id)
        config, owner = self.project.config, known["ownerAccount"]["name"]
        if config.get("owner") and config["owner"] != owner:
            raise Mismatch(
                f'Owner of project identified by "extra.eas.projectId" ({owner}) does not match owner specified in the "owner" '
                f"field ({config['owner']})"
            )
        if config["slug"] != known["slug"]:
            raise Mismatch(
                f'Slug for project identified by "extra.eas.projectId" ({known["slug"]}) does not match the "slug" field '
                f"({config['slug']})"
            )
        return known

    @property
    def app_id(self) -> str:
        return str(self.app["id"])

    def json_from_here(self) -> None:
        """Turn JSON on, if it is asked for."""
        self.output.json = self.call.json


def without_nulls(value: Any) -> Any:
    """As eas-cli prints: no nulls, and no `__typename`. In lists nulls stay."""
    if isinstance(value, list):
        return [without_nulls(one) for one in value]
    if isinstance(value, dict):
        return {name: without_nulls(held) for name, held in value.items() if name != "__typename" and held is not None}
    return value


def platforms(wanted: str | None) -> list[str]:
    """Of `--platform`."""
    return list(BOTH) if wanted in (None, "all") else [str(wanted)]


def shortened(message: str, output: Output) -> str:
    """A message as long as it may be."""
    if len(message) <= LONGEST:
        return message
    output.say("Update message exceeds the allowed 1024 character limit, truncated update message.")
    return message[: LONGEST - 3] + "..."
