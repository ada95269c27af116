"""What became of each platform of a release, as files for the jobs after: outputs of a matrix overwrite each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.manifest.mobile import Platform

FOLDER = "delivered"
"""Below `Context.work`."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """How far a platform came."""

    platform: Platform
    number: int
    build: str = ""
    """Its page at expo.dev."""
    sha256: str = ""
    """Of the file that the store was given, hexadecimal."""
    runtime: str = ""
    """Runtime version of the build: updates of this one alone reach it."""
    text: str = ""
    """Where it is, in words; empty where it is nowhere."""
    waits_for: str = ""
    """What someone else must do until testers have it."""
    problem: str = ""
    used: bool = False
    """Its number turned out to be used by something else: it must be built with a higher one."""

    @property
    def delivered(self) -> bool:
        return bool(self.text) and not self.problem

    def write(self, work: Path) -> None:
        folder = work / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.platform}.json").write_text(json.dumps(asdict(self)))


def read(work: Path) -> dict[Platform, Result]:
    """Those that the jobs before left; a platform whose job left none is missing."""
    found = [Result(**json.loads(file.read_text())) for file in sorted((work / FOLDER).glob("*.json"))]
    return {each.platform: each for each in found}


def as_markdown(results: Mapping[Platform, Result]) -> str:
    """A table for the summary."""
    rows = [
        f"| {each.platform} | [{each.number}]({each.build}) | {each.problem or each.text or 'not delivered'} | {each.waits_for or '–'} |"
        for each in results.values()
    ]
    return "\n".join(["| platform | build | where | waits for |", "|---|--:|---|---|", *rows])
