"""What is being rolled back over the air, noted before it is started: EAS does it in two steps, and between them nothing shows what it was.

A note decides little: what it names is published again only where EAS shows that it is what devices are given anyway, or were before.
Sources: docs.github.com/rest/git/refs, /rest/git/tags
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipelines.github import GitHubRefused

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.providers.eas import Platform

FOLDER = "shipmate/updates"
"""Below refs/."""


@dataclass(frozen=True, kw_only=True)
class Rollback:
    """One group that devices shall not have any more, and what they get instead."""

    group: str
    commit: str
    runtime: str
    platforms: tuple[Platform, ...]
    to: str
    """The group that they had before; empty where there was none."""
    embedded: bool = False
    """Whether they go to what is inside their build."""


class Notes(Protocol):
    """Where it is noted. Both raise ShipmateError when it cannot be reached."""

    def read(self) -> tuple[Rollback, ...]:
        """What was noted last; empty when nothing is open."""

    def write(self, rollbacks: Sequence[Rollback], commit: str) -> None:
        """Replace it. `commit`: any of the repository."""


class GitHubNotes:
    """In a ref of the repository, so that the next runner finds it."""

    def __init__(self, github: GitHub, channel: str) -> None:
        self._github = github
        self._at = f"/repos/{github.name}/git"
        self._ref = f"{FOLDER}/{channel}"

    def read(self) -> tuple[Rollback, ...]:
        """Raises what GitHub's calls raise."""
        ref = self._github.find_json(f"{self._at}/ref/{self._ref}")
        if ref is None or ref["object"]["type"] != "tag":
            return ()
        return parsed(str(self._github.json("GET", f"{self._at}/tags/{ref['object']['sha']}")["message"]))

    def write(self, rollbacks: Sequence[Rollback], commit: str) -> None:
        """Written again after a lost answer it says the same."""
        tag = {"tag": self._ref.replace("/", "-"), "message": written(rollbacks), "object": commit, "type": "commit"}
        sha = self._github.json("POST", f"{self._at}/tags", tag)["sha"]
        try:
            self._github.json("PATCH", f"{self._at}/refs/{self._ref}", {"sha": sha, "force": True})
        except GitHubRefused as error:
            if error.status not in (404, 422):
                raise
            self._github.json("POST", f"{self._at}/refs", {"ref": f"refs/{self._ref}", "sha": sha})


class FileNotes:
    """In a file of this machine, where there is no GitHub to be reached."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> tuple[Rollback, ...]:
        return parsed(self._file.read_text()) if self._file.is_file() else ()

    def write(self, rollbacks: Sequence[Rollback], commit: str) -> None:
        """Whole or not at all."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        part = self._file.with_suffix(".part")
        part.write_text(written(rollbacks))
        part.replace(self._file)


def written(rollbacks: Sequence[Rollback]) -> str:
    """As `parsed` reads it."""
    return json.dumps([asdict(each) for each in rollbacks])


def parsed(text: str) -> tuple[Rollback, ...]:
    """Nothing for a note that is none of ours."""
    try:
        raws: list[Mapping[str, Any]] = json.loads(text)
        return tuple(
            Rollback(
                group=str(raw["group"]),
                commit=str(raw["commit"]),
                runtime=str(raw["runtime"]),
                platforms=tuple(raw["platforms"]),
                to=str(raw["to"]),
                embedded=bool(raw["embedded"]),
            )
            for raw in raws
        )
    except (ValueError, LookupError, TypeError):
        return ()
